"""Subjects of certificates: a template of the operator, filled with names of anybody's choice.

The template is taken apart before it is filled, so that no name can add to it.
"""

import re
from collections.abc import Iterator, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from nova.exception import ConfigurationError

_KINDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
_PLACE = re.compile(r"%(?:\.(\d+))?s")
# Of X.520, for all kinds in use.
_MAX_BYTES = 64


def build(template: str, values: Sequence[str]) -> x509.Name:
    """Return a subject: /KIND=text/..., where %s and %.Ns stand for the values in turn.

    Raises: ConfigurationError.
    """
    rest = iter(values)
    parts = [
        (_kind(part), _printable(_filled(part.partition("=")[2], rest)))
        for part in template.strip("/").split("/")
    ]
    if next(rest, None) is not None:
        raise ConfigurationError(reason=f"the subject {template} has too few places for names")
    try:
        return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])
    except ValueError as error:
        raise ConfigurationError(reason=f"the subject {template}: {error}") from error


def _kind(part: str) -> x509.ObjectIdentifier:
    kind = part.partition("=")[0]
    if kind not in _KINDS:
        raise ConfigurationError(reason=f"{kind} can not be part of a certificate's subject")
    return _KINDS[kind]


def _filled(text: str, values: Iterator[str]) -> str:
    def fill(place: re.Match[str]) -> str:
        value = next(values, None)
        if value is None:
            raise ConfigurationError(reason=f"the subject's part {text} has too many places")
        return value[: int(place[1])] if place[1] else value

    return _PLACE.sub(fill, text)


def _printable(text: str) -> str:
    """Return text of one line that fits; what can not be shown becomes a question mark."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown.encode("utf-8", "replace")[:_MAX_BYTES].decode("utf-8", "ignore") or "?"
