"""nova-manage api: the description of the Compute API."""

import argparse
import json
from typing import Any

from nova.api.openstack import versions
from nova.api.openstack.app import RESOURCES
from nova.api.openstack.description import describe
from nova.manage.command import Argument, Command, never
from nova.manage.output import Result


def spec(conf: Any, args: argparse.Namespace) -> Result:
    """Return the OpenAPI document of a microversion."""
    version = versions.negotiate(f"compute {args.microversion}", None)
    document = describe(RESOURCES, version, args.url)
    return Result(message=json.dumps(document, indent=2), document=document)


COMMANDS = (
    Command(
        category="api",
        name="spec",
        help="Print the OpenAPI 3.1 document of the Compute API.",
        run=spec,
        changes=never,
        arguments=(
            Argument("--microversion", default="latest", help="such as 2.90; latest if not given"),
            Argument("--url", default="/v2.1", help="address of the API, /v2.1 if not given"),
        ),
        needs_conductor=False,
    ),
)
