"""Pages of consoles: names that try to be markup, headers, no inline scripts."""

import html.parser

import pytest

from nova.console import pages
from nova.console.pages import PageKind
from nova.exception import ConfigurationError

REFUSALS = [
    pages.TOKEN_REFUSED,
    pages.ORIGIN_REFUSED,
    pages.BAD_REQUEST,
    pages.NOT_FOUND,
    pages.TOO_MANY,
    pages.UNAVAILABLE,
]
HOSTILE = (
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "<!--",
    "]]><svg/onload=alert(1)>",
    "&lt;script&gt;",
    "$name ${kind} $$",
    "javascript:alert(1)",
    "a\x00b\x1b[31m\r\nSet-Cookie: x",
    "\u202egnp.exe",
    "\ud800",
    "ünïcödé \U0001f600",
    "x" * 300,
)


class Markup(html.parser.HTMLParser):
    """Collect the elements of a page, their attributes, and the texts of some."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data):
        self.texts[self._open] = self.texts.get(self._open, "") + data


def _skeleton(page: bytes) -> list[tuple[str, dict[str, str | None]]]:
    return Markup(page).elements


@pytest.mark.parametrize("kind", PageKind)
@pytest.mark.parametrize("name", HOSTILE)
def test_con_11_names_of_servers_add_no_markup(kind, name):
    assert _skeleton(pages.viewer(kind, name)) == _skeleton(pages.viewer(kind, "web"))


@pytest.mark.parametrize("name", HOSTILE[:8])
def test_names_are_shown_as_they_are(name):
    found = Markup(pages.viewer(PageKind.VNC, name)).texts
    assert found["bdi"].rstrip() == name
    assert found["title"].startswith(f"{name} \N{EN DASH} VNC console")


def test_con_11_characters_that_turn_or_hide_text_are_not_shown():
    assert pages.shown("\u202egnp\x00.e\u200bxe\x1b[1m") == "\ufffdgnp\ufffd.e\ufffdxe\ufffd[1m"


def test_a_server_without_a_visible_name_is_called_something():
    assert pages.shown("  ") == "unnamed server"


def _all_pages() -> list[bytes]:
    return [pages.viewer(kind, "web") for kind in PageKind] + [
        pages.refusal(one) for one in REFUSALS
    ]


@pytest.mark.parametrize("page", _all_pages())
def test_con_11_pages_have_no_code_or_style_of_their_own(page):
    for tag, attributes in _skeleton(page):
        assert tag != "style"
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        assert tag != "script" or (attributes["src"] or "").startswith("page/")


@pytest.mark.parametrize("page", _all_pages())
def test_con_06_pages_load_from_their_own_host_only(page):
    for _tag, attributes in _skeleton(page):
        for name in ("src", "href"):
            value = attributes.get(name) or ""
            assert "//" not in value and not value.startswith("/")
    assert '<meta name="referrer" content="no-referrer">' in page.decode()


def _policy(framed_by=()) -> dict[str, str]:
    text = pages.headers(framed_by)["Content-Security-Policy"]
    return dict(one.split(" ", 1) for one in text.split("; "))


def test_con_11_every_page_and_file_has_the_headers():
    found = pages.headers()
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Referrer-Policy"] == "no-referrer"
    assert found["X-Frame-Options"] == "DENY"
    assert found.items() <= pages.page_headers().items()


def test_con_11_policy_allows_only_scripts_of_the_host_and_no_frames():
    policy = _policy()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"


def test_a_dashboard_may_frame_pages_when_it_is_named():
    framed = ["https://cloud.example.org", "dash.example.org:8443", "http://[::1]:80"]
    assert _policy(framed)["frame-ancestors"] == " ".join(framed)
    assert "X-Frame-Options" not in pages.headers(framed)


@pytest.mark.parametrize("host", ["", "a b", "a; script-src *", "*", "a\r\nX: y", "'self'", "a,b"])
def test_con_11_no_name_of_a_host_changes_the_policy(host):
    with pytest.raises(ConfigurationError, match=r"allowed_origins.*neither a host nor an origin"):
        pages.headers([host])


def test_con_06_pages_are_not_kept():
    assert pages.page_headers()["Cache-Control"] == "no-store"


@pytest.mark.parametrize("one", REFUSALS)
def test_refusals_say_what_and_what_to_do(one):
    text = pages.refusal(one).decode()
    assert one.status >= 400
    assert all(part in text for part in (one.title, one.text, one.hint))
