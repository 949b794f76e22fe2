"""Agrees on security with a VNC server on the browser's behalf, by TLS if so configured.

The browser, which the token has admitted, needs no password; towards the server the proxy shows
a certificate of its own.
Source: consoles, section 4.1; RFC 6143 section 7.1; the VeNCrypt specification.
"""

import dataclasses
import ssl
import struct
from collections.abc import Mapping, Sequence

from nova.console.ends import BrowserEnd, StreamEnd
from nova.exception import ConfigurationError, NovaException

VERSION = b"RFB 003.008\n"
NONE, VENCRYPT = 1, 19
TYPES: Mapping[str, int] = {"none": NONE, "vencrypt": VENCRYPT}
_VENCRYPT_VERSION = bytes([0, 2])
_X509_NONE = 260
_FAILED = 1
_MAX_REASON_BYTES = 4096
_TOLD = "Unable to negotiate security with server"


class SecurityFailed(NovaException):
    message = "{reason}"


@dataclasses.dataclass(frozen=True, slots=True)
class RfbSecurity:
    """Agrees on security; schemes: names of TYPES, the best first; tls: for vencrypt."""

    schemes: Sequence[str]
    tls: ssl.SSLContext | None = None

    def agree(self, browser: BrowserEnd, server: StreamEnd) -> None:
        """Bring both sides to the result of security, which the server tells next.

        Raises: SecurityFailed, TimeoutError, OSError; the browser was told then.
        """
        _agree_on_version(browser, server)
        offered = _offered_types(browser, server)
        browser.send_all(bytes([1, NONE]))
        choice = browser.read_exactly(1)[0]
        if choice != NONE:
            _tell_failure(browser, f"Security type {choice} was not offered")
            raise SecurityFailed(reason=f"the browser wants security type {choice}")
        try:
            self._secure(server, offered)
        except (SecurityFailed, OSError):
            _tell_failure(browser, _TOLD)
            raise

    def _secure(self, server: StreamEnd, offered: bytes) -> None:
        found = [TYPES[name] for name in self.schemes if TYPES[name] in offered]
        if not found:
            raise SecurityFailed(
                reason=f"the server offers security {list(offered)}, auth_schemes allow "
                f"{', '.join(self.schemes)}"
            )
        server.send_all(bytes([found[0]]))
        if found[0] == VENCRYPT:
            self._vencrypt(server)

    def _vencrypt(self, server: StreamEnd) -> None:
        assert self.tls is not None, "vencrypt is configured with its certificates"
        if server.read_exactly(2) != _VENCRYPT_VERSION:
            raise SecurityFailed(reason="the server's version of VeNCrypt is not 0.2")
        server.send_all(_VENCRYPT_VERSION)
        if server.read_exactly(1) != b"\x00":
            raise SecurityFailed(reason="the server refuses version 0.2 of VeNCrypt")
        count = server.read_exactly(1)[0]
        kinds = struct.unpack(f">{count}I", server.read_exactly(4 * count))
        if _X509_NONE not in kinds:
            raise SecurityFailed(reason=f"the server offers no X509None of VeNCrypt, but {kinds}")
        server.send_all(struct.pack(">I", _X509_NONE))
        if server.read_exactly(1) != b"\x01":
            raise SecurityFailed(reason="the server refuses X509None of VeNCrypt")
        server.secure(self.tls)


def _agree_on_version(browser: BrowserEnd, server: StreamEnd) -> None:
    version = server.read_exactly(len(VERSION))
    if version != VERSION:
        raise SecurityFailed(reason=f"the server speaks {version!r}, not RFB 3.8")
    browser.send_all(version)
    answer = browser.read_exactly(len(VERSION))
    if answer != VERSION:
        raise SecurityFailed(reason=f"the browser speaks {answer!r}, not RFB 3.8")
    server.send_all(answer)


def _offered_types(browser: BrowserEnd, server: StreamEnd) -> bytes:
    count = server.read_exactly(1)[0]
    if count:
        return server.read_exactly(count)
    size = struct.unpack(">I", server.read_exactly(4))[0]
    reason = server.read_exactly(min(size, _MAX_REASON_BYTES))
    browser.send_all(bytes([0]) + struct.pack(">I", len(reason)) + reason)
    raise SecurityFailed(reason=f"the server refuses: {reason.decode(errors='replace')}")


def _tell_failure(browser: BrowserEnd, reason: str) -> None:
    text = reason.encode()
    browser.send_all(struct.pack(">II", _FAILED, len(text)) + text)


def client_tls(ca_file: str, cert_file: str | None, key_file: str | None) -> ssl.SSLContext:
    """Return TLS towards hypervisors, whose certificate must be of ca_file.

    The name in it is not compared: tokens carry addresses, and all hosts of that CA are ours.
    Raises: ConfigurationError.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
        context.check_hostname = False
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
    except OSError as error:
        raise ConfigurationError(
            reason=f"the certificates for vencrypt ({ca_file}, {cert_file}, {key_file}) can not "
            f"be used: {error.strerror or error}"
        ) from error
    return context
