"""What browsers see of consoles: the viewers' page, refusals, and the headers of both.

Pure: text from values.  The tokens are nobody's business here, and no page carries one.
"""

import dataclasses
import enum
import functools
import html
import importlib.resources
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence

from nova.exception import ConfigurationError

HTML = "text/html; charset=utf-8"
WEB = importlib.resources.files("nova.console") / "web"
_CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")
_FRAMING_HOST = re.compile(
    r"(https?://)?[A-Za-z0-9.-]+(:[0-9]+)?|https?://\[[0-9A-Fa-f:]+\](:[0-9]+)?"
)


class PageKind(enum.StrEnum):
    """Consoles that have a page, by the name of their script."""

    VNC = "vnc"
    SPICE = "spice"
    SERIAL = "serial"


# Source: consoles, section 3.2; the second name of noVNC's page is in the links of older clouds.
PATHS: Mapping[PageKind, Sequence[str]] = {
    PageKind.VNC: ("/vnc_auto.html", "/vnc_lite.html"),
    PageKind.SPICE: ("/spice_auto.html",),
    PageKind.SERIAL: ("/",),
}
_NAMES = {PageKind.VNC: "VNC", PageKind.SPICE: "SPICE", PageKind.SERIAL: "Serial"}
_KEYBOARDS = {
    PageKind.VNC: ", a US one",
    PageKind.SPICE: ", a US one",
    PageKind.SERIAL: "",
}
# The other viewers draw on a canvas and have no style of their own.
_STYLES = {PageKind.SERIAL: '<link rel="stylesheet" href="viewer/xterm.css">'}


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is refused, in words for the person at the browser."""

    status: int
    title: str
    text: str
    hint: str


_ASK = "Ask for a new link, for example with: openstack console url show SERVER"
TOKEN_REFUSED = Refusal(
    403,
    "This console link is not valid",
    "The link is wrong or has expired, or the server was stopped, moved or rebuilt since.",
    _ASK,
)
ORIGIN_REFUSED = Refusal(
    403,
    "This page may not open consoles",
    "The request came from a page of another site.",
    "Open the console by its own link.",
)
BAD_REQUEST = Refusal(
    400, "Bad request", "The address of the request is not well-formed.", "Check the link."
)
METHOD_REFUSED = Refusal(
    405, "Method not allowed", "Pages of consoles can only be read.", "Check the link."
)
NOT_FOUND = Refusal(404, "There is no such page", "Nothing is to be found at this address.", _ASK)
TOO_MANY = Refusal(
    429,
    "Too many connections",
    "This console has as many connections as it may have.",
    "Close other windows of it and try again.",
)
UNAVAILABLE = Refusal(
    503,
    "The console can not be reached",
    "The console or the service that checks its links does not answer.",
    "Try again in a minute.",
)


def viewer(kind: PageKind, server_name: str) -> bytes:
    """Return the page that shows a console."""
    return _fill(
        "viewer.html",
        name=shown(server_name),
        kind=kind.value,
        kind_name=_NAMES[kind],
        keyboard=_KEYBOARDS[kind],
        style=_STYLES.get(kind, ""),
    )


@functools.cache
def refusal(reason: Refusal) -> bytes:
    """Return the page that says why there is no console."""
    return _fill("refusal.html", title=reason.title, text=reason.text, hint=reason.hint)


def shown(name: str) -> str:
    """Return a server's name as markup that shows it and can do nothing else."""
    visible = "".join("\N{REPLACEMENT CHARACTER}" if _is_control(one) else one for one in name)
    return html.escape(visible.strip() or "unnamed server")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROL


def _fill(template: str, **values: str) -> bytes:
    text = (WEB / template).read_text(encoding="utf-8")
    return string.Template(text).substitute(values).encode()


def headers(framed_by: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of pages and of all files that they use.

    framed_by: hosts or origins whose pages may show ours in a frame, as dashboards do.
    Raises: ConfigurationError if one of them is neither.
    """
    ancestors = " ".join(_framing(one) for one in framed_by) or "'none'"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        # The SPICE viewer places videos by the attribute.
        "style-src-attr": "'unsafe-inline'",
        # Pictures in the stream of a screen, and pointers.
        "img-src": "'self' data:",
        "media-src": "blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": ancestors,
    }
    found = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if not framed_by:
        found["X-Frame-Options"] = "DENY"
    return found


def _framing(host: str) -> str:
    if not _FRAMING_HOST.fullmatch(host):
        raise ConfigurationError(
            reason=f"[console] allowed_origins: {host!r} is neither a host nor an origin"
        )
    return host


def page_headers(framed_by: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of pages, which belong to one token and are kept nowhere."""
    return {"Content-Type": HTML, "Cache-Control": "no-store", **headers(framed_by)}
