"""What the operator sets about metadata documents."""

import json
from typing import Any

from oslo_config import cfg

from nova.exception import ConfigurationError
from nova.metadata.documents import DocumentSettings


def document_settings(conf: cfg.ConfigOpts) -> DocumentSettings:
    """Return the settings that the options name.  Raises: ConfigurationError."""
    return DocumentSettings(
        dhcp_domain=conf.dhcp_domain,
        skip_ec2_versions=tuple(conf.api.config_drive_skip_versions),
        vendor_data=read_vendor_data(conf.api.vendordata_jsonfile_path),
    )


def read_vendor_data(path: str | None) -> dict[str, Any]:
    """Return what the operator's file holds.  Raises: ConfigurationError."""
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            reason=f"[api] vendordata_jsonfile_path: {path} can not be read as JSON: {error}"
        ) from error
    if not isinstance(document, dict):
        raise ConfigurationError(
            reason=f"[api] vendordata_jsonfile_path: {path} does not hold a JSON object."
        )
    return document
