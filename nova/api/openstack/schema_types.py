"""Types that the schemas of several resources share.

Source: compute-api-routes (Notation), api-conventions section 7.
"""

from nova.api.openstack.schema import Json

ANYTHING: Json = {}
NULL: Json = {"type": "null"}
STRING: Json = {"type": "string"}
STRING_OR_NULL: Json = {"type": ["string", "null"]}
INTEGER: Json = {"type": "integer"}
INTEGER_OR_NULL: Json = {"type": ["integer", "null"]}
NUMBER: Json = {"type": "number"}
# Of answers; BOOL is what clients may say.
TRUE_OR_FALSE: Json = {"type": "boolean"}
# Of kinds of objects of which there are none in this release.
NO_ITEMS: Json = {"type": "array", "maxItems": 0}
STRINGS: Json = {"type": "array", "items": STRING}
STRING_VALUES: Json = {"type": "object", "additionalProperties": STRING}
TEXT255: Json = {"type": "string", "maxLength": 255}
TEXT255_OR_NULL: Json = {"type": ["string", "null"], "maxLength": 255}
BOOL: Json = {
    "enum": [
        True, False, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes",
        "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no",
    ]
}  # fmt: skip
NAME: Json = {"type": "string", "minLength": 1, "maxLength": 255, "format": "name"}
ZONE: Json = {**NAME, "pattern": r"^[^:]*\Z"}
DESCRIPTION: Json = {"type": ["string", "null"], "maxLength": 255, "format": "printable"}
DIGITS: Json = {"type": "string", "pattern": r"^[0-9]+\Z", "maxLength": 10}
POSITIVE: Json = {
    "type": ["integer", "string"],
    "pattern": r"^[0-9]*[1-9][0-9]*\Z",
    "minimum": 1,
    "maximum": 2**31 - 1,
    "maxLength": 10,
    "format": "int32",
}
NONNEGATIVE: Json = {**POSITIVE, "pattern": r"^[0-9]+\Z", "minimum": 0}
HOSTNAME: Json = {
    "type": "string",
    "minLength": 2,
    "maxLength": 63,
    "pattern": r"^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+\Z",
}
FQDN: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[a-zA-Z0-9-._]*\Z",
}
PROJECT_ID: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[a-zA-Z0-9-]*\Z",
}
UUID: Json = {"type": "string", "format": "uuid"}
UUID_OR_NULL: Json = {"type": ["string", "null"], "format": "uuid"}
IPV4: Json = {"type": "string", "format": "ipv4"}
IPV6: Json = {"type": "string", "format": "ipv6"}
IP: Json = {"type": "string", "format": "ip"}
TAG: Json = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": r"^[^,/]*\Z"}
DISK_CONFIG: Json = {"type": "string", "enum": ["AUTO", "MANUAL"]}
BASE64: Json = {"type": "string", "format": "base64"}
DATE_TIME: Json = {"type": "string", "format": "date-time"}
PATTERN: Json = {"type": "string", "maxLength": 255}

METADATA_KEY = r"^[a-zA-Z0-9-_:. ]{1,255}\Z"
METADATA: Json = {
    "type": "object",
    "patternProperties": {METADATA_KEY: TEXT255},
    "additionalProperties": False,
}
ONE_METADATA: Json = {**METADATA, "minProperties": 1, "maxProperties": 1}


def array_of(item: Json, *, minimum: int = 0, maximum: int = 1000) -> Json:
    """Return the type of a list whose items are the same in every version."""
    return {"type": "array", "items": item, "minItems": minimum, "maxItems": maximum}
