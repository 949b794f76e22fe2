"""Bodies and queries of servers.

Source: compute-api-routes (Servers).
"""

from nova.api.core.boot import MAX_USER_DATA
from nova.api.openstack.schema import AnyOf, Json, Key, ListOf, Object, Param, Query
from nova.api.openstack.schema_types import (
    ANYTHING,
    BASE64,
    BOOL,
    DATE_TIME,
    DESCRIPTION,
    DISK_CONFIG,
    FQDN,
    HOSTNAME,
    IP,
    IPV4,
    IPV6,
    METADATA,
    NAME,
    NONNEGATIVE,
    PATTERN,
    POSITIVE,
    STRING,
    TAG,
    TEXT255,
    UUID,
    UUID_OR_NULL,
    array_of,
)

_MAX_HINTS = 64
_MAX_HINT_VALUES = 200
_MAX_NETWORKS = 64
_MAX_BLOCK_DEVICES = 64
_MAX_FILES = 1000

_UUIDS: Json = {"anyOf": [UUID, array_of(UUID, maximum=_MAX_HINT_VALUES)]}
_HINT_TEXT: Json = {"type": "string", "maxLength": 4096}
_TEXTS: Json = {"anyOf": [TEXT255, array_of(TEXT255, maximum=_MAX_HINT_VALUES)]}
HINTS: Json = {
    "type": "object",
    "properties": {
        "group": _UUIDS,
        "different_host": _UUIDS,
        "same_host": {"anyOf": [TEXT255, array_of(UUID, maximum=_MAX_HINT_VALUES)]},
        "query": {"anyOf": [_HINT_TEXT, {"type": "object"}]},
        "target_cell": NAME,
        "different_cell": _TEXTS,
        "build_near_host_ip": IP,
        "cidr": {"type": "string", "pattern": r"^/[0-9a-f.:]+\Z", "maxLength": 64},
    },
    "additionalProperties": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"], "maxLength": 255},
            array_of(
                {"type": ["string", "number", "boolean"], "maxLength": 255},
                maximum=_MAX_HINT_VALUES,
            ),
        ]
    },
    "propertyNames": {"maxLength": 255},
    "maxProperties": _MAX_HINTS,
}
IMAGE_REF: Json = {"type": "string", "anyOf": [UUID, {"maxLength": 0}]}
FLAVOR_REF: Json = {"type": ["string", "integer"], "minLength": 1, "maxLength": 2048}
USER_DATA: Json = {**BASE64, "maxLength": MAX_USER_DATA}
TRUSTED_CERTIFICATES: Json = {
    "anyOf": [
        {"type": "null"},
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 255},
            "minItems": 1,
            "maxItems": 50,
            "uniqueItems": True,
        },
    ]
}
_NAME_OR_NULL: Json = {"type": ["string", "null"], "minLength": 1, "maxLength": 255}
PERSONALITY: Json = array_of(
    {
        "type": "object",
        "properties": {"path": STRING, "contents": BASE64},
        "additionalProperties": False,
    },
    maximum=_MAX_FILES,
)
_VOLUME_SIZE: Json = POSITIVE
_DEVICE_NAME: Json = {**TEXT255, "minLength": 1, "pattern": r"^[a-zA-Z0-9._/-]*\Z"}
_BLOCK_DEVICE_V1 = (
    Key("virtual_name", TEXT255),
    Key("volume_id", UUID),
    Key("snapshot_id", UUID),
    Key("volume_size", _VOLUME_SIZE),
    Key("device_name", _DEVICE_NAME),
    Key("delete_on_termination", BOOL),
    Key("no_device", ANYTHING),
    Key("connection_info", {"type": "string", "maxLength": 16777215}),
)
_BLOCK_DEVICE_V2 = (
    *_BLOCK_DEVICE_V1,
    Key("source_type", {"enum": ["volume", "image", "snapshot", "blank"]}),
    Key("uuid", {**TEXT255, "minLength": 1, "pattern": r"^[a-zA-Z0-9._-]*\Z"}),
    Key("image_id", UUID),
    Key("destination_type", {"enum": ["local", "volume"]}),
    Key("guest_format", TEXT255),
    Key("device_type", TEXT255),
    Key("disk_bus", TEXT255),
    Key(
        "boot_index",
        {
            "type": ["integer", "string", "null"],
            "pattern": r"^-?[0-9]+\Z",
            "maxLength": 10,
            "minimum": -(2**31),
            "maximum": 2**31 - 1,
            "format": "int32",
        },
    ),
    Key("tag", TAG, since="2.32", until="2.32"),
    Key("tag", TAG, since="2.42"),
    Key("volume_type", {"type": ["string", "null"], "maxLength": 255}, since="2.67"),
)


def _network(uuid: Json) -> Object:
    return Object(
        Key("fixed_ip", IP),
        Key("port", UUID_OR_NULL),
        Key("uuid", uuid),
        Key("tag", TAG, since="2.32", until="2.36"),
        Key("tag", TAG, since="2.42"),
    )


CREATE = Object(
    Key(
        "server",
        Object(
            Key("name", NAME, required=True),
            Key("imageRef", IMAGE_REF),
            Key("flavorRef", FLAVOR_REF, required=True),
            Key("adminPass", STRING),
            Key("metadata", METADATA),
            Key("networks", ListOf(_network(STRING), maximum=_MAX_NETWORKS), until="2.36"),
            Key(
                "networks",
                AnyOf(
                    ListOf(_network(UUID), maximum=_MAX_NETWORKS),
                    {"type": "string", "enum": ["none", "auto"]},
                ),
                required=True,
                since="2.37",
            ),
            Key("OS-DCF:diskConfig", DISK_CONFIG),
            Key("accessIPv4", IPV4),
            Key("accessIPv6", IPV6),
            Key("personality", PERSONALITY, until="2.56"),
            Key("availability_zone", NAME),
            Key(
                "block_device_mapping",
                ListOf(Object(*_BLOCK_DEVICE_V1), maximum=_MAX_BLOCK_DEVICES),
            ),
            Key(
                "block_device_mapping_v2",
                ListOf(Object(*_BLOCK_DEVICE_V2), maximum=_MAX_BLOCK_DEVICES),
            ),
            Key("config_drive", BOOL),
            Key("key_name", NAME),
            Key("min_count", POSITIVE),
            Key("max_count", POSITIVE),
            Key("return_reservation_id", BOOL),
            Key("security_groups", ListOf(Object(Key("name", NAME)), maximum=64)),
            Key("user_data", {**USER_DATA, "type": ["string", "null"]}, until="2.0"),
            Key("user_data", USER_DATA, since="2.1"),
            Key("description", DESCRIPTION, since="2.19"),
            Key("tags", array_of(TAG, maximum=50), since="2.52"),
            Key("trusted_image_certificates", TRUSTED_CERTIFICATES, since="2.63"),
            Key("host", FQDN, since="2.74"),
            Key("hypervisor_hostname", FQDN, since="2.74"),
            Key("hostname", HOSTNAME, since="2.90", until="2.93"),
            Key("hostname", FQDN, since="2.94"),
        ),
        required=True,
    ),
    Key("os:scheduler_hints", HINTS),
    Key("OS-SCH-HNT:scheduler_hints", HINTS),
)

UPDATE = Object(
    Key(
        "server",
        Object(
            Key("name", NAME),
            Key("OS-DCF:diskConfig", DISK_CONFIG),
            Key("accessIPv4", {"type": "string", "anyOf": [IPV4, {"maxLength": 0}]}),
            Key("accessIPv6", {"type": "string", "anyOf": [IPV6, {"maxLength": 0}]}),
            Key("description", DESCRIPTION, since="2.19"),
            Key("hostname", HOSTNAME, since="2.90", until="2.93"),
            Key("hostname", FQDN, since="2.94"),
            Key("pinned_availability_zone", _NAME_OR_NULL, since="2.104"),
        ),
        required=True,
    )
)

SORT_KEYS = (
    "access_ip_v4",
    "access_ip_v6",
    "auto_disk_config",
    "availability_zone",
    "config_drive",
    "created_at",
    "display_description",
    "display_name",
    "host",
    "hostname",
    "image_ref",
    "instance_type_id",
    "kernel_id",
    "key_name",
    "launch_index",
    "launched_at",
    "locked_by",
    "node",
    "power_state",
    "progress",
    "project_id",
    "ramdisk_id",
    "root_device_name",
    "task_state",
    "terminated_at",
    "updated_at",
    "user_id",
    "uuid",
    "vm_state",
)
# Accepted without effect by old versions, because clients of that time send them.
IGNORED_SORT_KEYS = (
    "architecture",
    "cell_name",
    "cleaned",
    "default_ephemeral_device",
    "default_swap_device",
    "deleted",
    "deleted_at",
    "disable_terminate",
    "ephemeral_gb",
    "ephemeral_key_uuid",
    "id",
    "key_data",
    "launched_on",
    "locked",
    "memory_mb",
    "os_type",
    "reservation_id",
    "root_gb",
    "shutdown_terminate",
    "user_data",
    "vcpus",
    "vm_mode",
)

_PLAIN_FILTERS = (
    "user_id",
    "project_id",
    "tenant_id",
    "launch_index",
    "image_ref",
    "image",
    "vm_state",
    "task_state",
    "host",
    "flavor",
    "uuid",
    "sort_dir",
    "all_tenants",
    "soft_deleted",
    "deleted",
    "status",
    "block_device_mapping",
    "services",
    "metadata",
    "system_metadata",
    "info_cache",
    "security_groups",
    "pci_devices",
)
_PATTERN_FILTERS = (
    "kernel_id",
    "ramdisk_id",
    "hostname",
    "key_name",
    "power_state",
    "node",
    "reservation_id",
    "launched_at",
    "terminated_at",
    "availability_zone",
    "name",
    "display_name",
    "description",
    "display_description",
    "locked_by",
    "root_device_name",
    "config_drive",
    "access_ip_v4",
    "access_ip_v6",
    "auto_disk_config",
    "progress",
    "ip",
    "ip6",
    "created_at",
)
_TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")

LIST = Query(
    *(Param(name, TEXT255, repeat=True) for name in _PLAIN_FILTERS),
    *(Param(name, PATTERN, repeat=True) for name in _PATTERN_FILTERS),
    Param("sort_key", {"enum": [*SORT_KEYS, *IGNORED_SORT_KEYS]}, repeat=True, until="2.74"),
    Param("sort_key", {"enum": [*SORT_KEYS, "locked"]}, repeat=True, since="2.75"),
    Param("changes-since", DATE_TIME, repeat=True),
    Param("changes-before", DATE_TIME, repeat=True, since="2.66"),
    Param("locked", TEXT255, repeat=True, since="2.73"),
    *(
        Param(name, {"type": "string", "maxLength": 4096}, repeat=True, since="2.26")
        for name in _TAG_FILTERS
    ),
    Param("limit", NONNEGATIVE, repeat=True),
    Param("marker", TEXT255, repeat=True),
    strict_since="2.75",
    refused="_",
)
