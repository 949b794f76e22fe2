import pytest

from nova.console.origin import is_allowed

URL = "https://cloud.test:6080/vnc_auto.html"


def allowed(origin, url=URL, allowed=(), **headers):
    return is_allowed({"origin": origin, **headers}, url, allowed)


@pytest.mark.parametrize(
    "origin",
    ["https://cloud.test:6080", "HTTPS://CLOUD.TEST:6080"],
)
def test_con_03_own_origin_is_allowed(origin):
    assert allowed(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "https://evil.test:6080",
        "HTTPS://EVIL.TEST:6080",
        "null",
        "",
        "https://cloud.test.:6080",
        "https://cloud.test",
        "https://cloud.test:443",
        "https://cloud.test:6081",
        "http://cloud.test:6080",
        "ftp://cloud.test:6080",
        "https://a.cloud.test:6080",
        "https://cloud.test.evil.test:6080",
        "https://evilcloud.test:6080",
        "https://cloud.test:6080@evil.test",
        "https://evil.test@cloud.test:6080",
        "https://evil.test, https://cloud.test:6080",
        "https://cloud.test:port",
        "cloud.test:6080",
        "//cloud.test:6080",
        "https://[::1",
    ],
)
def test_con_03_foreign_origin_is_refused(origin):
    assert not allowed(origin)


def test_con_03_programs_send_no_origin():
    assert is_allowed({}, URL, ())


def test_con_03_host_of_the_request_does_not_count():
    assert not allowed("https://evil.test:6080", host="evil.test:6080")


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("https://panel.test", True),
        ("https://panel.test:8443", True),
        ("https://other.test:9000", True),
        ("https://other.test", False),
        ("http://panel.test", False),
    ],
)
def test_con_03_allowed_origins(origin, fits):
    assert allowed(origin, allowed=("panel.test", "other.test:9000")) is fits


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("https://panel.test", True),
        ("https://panel.test:443", True),
        ("https://[::1]:9000", True),
        ("https://[::1]", False),
        ("http://panel.test", False),
        ("https://panel.test:80", False),
        ("https://plain.test", False),
    ],
)
def test_con_03_allowed_origins_may_be_whole_ones(origin, fits):
    whole = ("https://panel.test", "https://[::1]:9000", "http://plain.test")
    assert allowed(origin, allowed=whole) is fits


@pytest.mark.parametrize(
    ("origin", "url", "fits"),
    [
        ("http://h:6083", "ws://h:6083/", True),
        ("https://h:6083", "wss://h:6083/", True),
        ("https://h", "wss://h/", True),
        ("https://h:443", "wss://h/", True),
        ("http://h:6083", "wss://h:6083/", False),
    ],
)
def test_con_03_addresses_of_sockets(origin, url, fits):
    assert allowed(origin, url) is fits


def test_con_03_scheme_told_by_a_proxy_in_front():
    assert allowed("http://cloud.test:6080", **{"x-forwarded-proto": "https"})
    assert not allowed("https://cloud.test:6080", **{"x-forwarded-proto": "http"})
