"""Which quota resources a version shows."""

from collections.abc import Mapping

from nova.api.openstack.schema import Json, Key, Object, Type
from nova.api.openstack.schema_types import INTEGER
from nova.api.openstack.versions import Range, Version

_LIMIT: Json = {
    "type": ["integer", "string"],
    "pattern": r"^-?[0-9]+\Z",
    "minimum": -1,
    "maximum": 2**31 - 1,
    "maxLength": 11,
    "format": "int32",
}

_ALWAYS = ("instances", "cores", "ram", "metadata_items", "key_pairs")
_FILES = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
_NETWORK = ("floating_ips", "fixed_ips", "security_groups", "security_group_rules")
_GROUPS = ("server_groups", "server_group_members")

Ranges = dict[str, Range]


def _ranges(network_until: str, groups_since: str | None) -> Ranges:
    return {
        **dict.fromkeys(_ALWAYS, Range()),
        **dict.fromkeys(_FILES, Range(until="2.56")),
        **dict.fromkeys(_NETWORK, Range(until=network_until)),
        **dict.fromkeys(_GROUPS, Range(since=groups_since)),
    }


QUOTA_SETS: Ranges = _ranges(network_until="2.35", groups_since=None)
QUOTA_CLASS_SETS: Ranges = _ranges(network_until="2.49", groups_since="2.50")


def visible(ranges: Ranges, version: Version) -> tuple[str, ...]:
    """Return the resources that a version shows."""
    return tuple(name for name, versions in ranges.items() if version in versions)


def shown_schema(ranges: Ranges, *more: Key, shown: Type = INTEGER) -> Object:
    """Return the schema of what a version shows of resources, with further keys."""
    keys = [
        Key(
            name,
            shown,
            required=True,
            since=str(versions.since),
            until=str(versions.until) if versions.until else None,
        )
        for name, versions in ranges.items()
    ]
    return Object(*keys, *more)


def limits_schema(ranges: Ranges, *more: Key) -> Object:
    """Return the schema of new limits, with further keys.

    Every version may set the server group limits, also those that do not show them.
    """
    keys = [
        Key(name, _LIMIT, until=str(versions.until) if versions.until else None)
        for name, versions in ranges.items()
    ]
    return Object(*keys, *more)


def numbers(limits: Mapping[str, str | float]) -> dict[str, int]:
    """Return limits as whole numbers; JSON knows 5.0 as one, too."""
    return {name: int(value) for name, value in limits.items()}
