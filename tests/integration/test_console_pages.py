"""Consoles in a real browser: Chromium, our proxies with their tokens, and a real guest.

Pictures of the pages are kept in build/artefacts of the checkout.
"""

import http.client
import pathlib
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Sequence

import pytest

from nova.console.pages import PageKind
from nova.objects.console import ConsoleType
from tests.fixtures.browser import DRIVER, Browser, running_browser
from tests.fixtures.console_guest import READY, ConsoleGuest, running_guest
from tests.fixtures.console_site import SECURE, ConsoleSite, running_site
from tests.fixtures.daemons import ROOT, wait_for

PICTURES = ROOT / "build" / "artefacts"
SCREENS = {ConsoleType.NOVNC: PageKind.VNC, ConsoleType.SPICE_HTML5: PageKind.SPICE}
NAMES = {
    ConsoleType.NOVNC: "VNC",
    ConsoleType.SPICE_HTML5: "SPICE",
    ConsoleType.SERIAL: "Serial",
}
SERVER = 'web <b>"&1'
ALL_KEYS = '~!@#$%^&*()_+{}|:"<>?`-=[]\\;,./ The quick brown fox 0123456789'
REFUSED = "This console link is not valid"


@pytest.fixture(scope="module")
def folder():
    """Give a folder for what the parts of the test write."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix="nova-pages-", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def guest(guest_images, folder):
    """Give a guest that has a VNC server, a SPICE server and a serial line."""
    with running_guest(guest_images, folder) as guest:
        yield guest


@pytest.fixture(scope="module")
def site(guest, folder):
    """Give the proxies."""
    with running_site(SERVER, folder) as site:
        yield site


@pytest.fixture(scope="module")
def browser(folder):
    """Give a browser."""
    if not pathlib.Path(DRIVER).exists():
        pytest.skip("needs chromium and chromium-driver")
    with running_browser(folder / "profile") as browser:
        yield browser


@pytest.fixture
def ready(site: ConsoleSite, browser: Browser, guest: ConsoleGuest) -> Browser:
    """Give the browser when the guest can be logged in to."""
    guest.wait_until_said(READY)
    browser.requests()
    browser.complaints()
    return browser


def keep(browser: Browser, name: str) -> None:
    """Keep a picture of the page."""
    browser.save_picture(PICTURES / f"console-{name}.png")


def shows_text(browser: Browser) -> bool:
    """Tell whether a screen shows text: little that is bright on much that is dark."""
    screen = browser.screen()
    return bool(screen and screen["width"] >= 640 and screen["colours"] > 1) and (
        0.002 < screen["drawn"] < 0.3
    )


def log_in(browser: Browser, lines: Sequence[str], seen: Callable[[], bool]) -> None:
    """Log in and type lines, whose effect is then to be seen.

    What is typed before a prompt is lost, so slower attempts follow, from the beginning.
    """
    for pause_s in (2, 6, 18):
        for line in ("root", "tinypass", *lines):
            browser.type(f"{line}\n")
            time.sleep(pause_s)
        if seen():
            return
        browser.type_control("c")
        time.sleep(pause_s)
    keep(browser, "no-login")
    raise AssertionError(f"nobody could log in: {browser.text}")


@pytest.mark.parametrize("console", SCREENS, ids=SCREENS.values())
def test_a_screen_is_shown_and_used(ready, site, guest, console):
    kind = SCREENS[console].value
    url = site.url(console)
    assert url.startswith("https://" if console is SECURE else "http://")
    ready.open(url)
    ready.wait_for_state("connected")
    assert ready.title == f"{SERVER} \N{EN DASH} {NAMES[console]} console"
    assert SERVER in ready.text
    wait_for(lambda: shows_text(ready), "the screen shows no text", 60)
    keep(ready, f"{kind}-login")

    # The driver of the browser presses no Shift: all that it types on screens goes without.
    word = f"typed-by-{kind}"
    log_in(ready, ["tee /dev/ttyS0", word], lambda: word in guest.said)
    ready.type_control("d")
    ready.paste(f"echo '{kind} {ALL_KEYS}' >/dev/ttyS0\n")
    guest.wait_until_said(f"{kind} {ALL_KEYS}")
    keep(ready, f"{kind}-shell")

    # The kernel tells a process of the keys: not init, which would reboot, but one that says so.
    told = f"ctrl-alt-del-by-{kind}"
    tell = f"trap 'echo {told} >/dev/ttyS0; exit' INT; echo \\$\\$ >/proc/sys/kernel/cad_pid"
    wait = f"echo {kind} waits >/dev/ttyS0; while :; do sleep 1; done"
    ready.paste(f'sh -c "{tell}; {wait}"\n')
    guest.wait_until_said(f"{kind} waits")
    ready.press("ctrlAltDel")
    guest.wait_until_said(told)
    ready.type("exit\n")
    assert ready.complaints() == []


def test_full_screen_shows_the_console_alone(ready, site):
    ready.open(site.url(ConsoleType.NOVNC))
    ready.wait_for_state("connected")
    ready.press("fullScreen")
    shown = "return document.fullscreenElement?.tagName"
    wait_for(lambda: ready.run(shown) == "MAIN", "the screen is not full")
    assert ready.run("return document.activeElement.tagName") == "CANVAS"
    keep(ready, "full-screen")
    ready.leave_screen()
    wait_for(lambda: ready.run(shown) is None, "the screen is still full")
    focused = "return document.activeElement.dataset.action"
    wait_for(lambda: ready.run(focused) == "paste", "the focus is not on the buttons")


def test_the_serial_page_shows_what_is_typed(ready, site, guest):
    ready.open(site.url(ConsoleType.SERIAL))
    ready.wait_for_state("connected")
    assert ready.title == f"{SERVER} \N{EN DASH} Serial console"
    ready.type("\n")
    ready.wait_for_text("tiny login:")
    log_in(ready, ["echo typed-$((6*7))"], lambda: "typed-42" in ready.text)
    keep(ready, "serial")
    assert "typed-42" in guest.said
    ready.type("exit\n")
    assert ready.complaints() == []


@pytest.mark.parametrize("console", NAMES)
def test_con_06_pages_give_the_token_to_nobody(ready, site, console):
    url = site.url(console)
    ready.open(url)
    ready.wait_for_state("connected")
    requests = [one for one in ready.requests() if one["url"].startswith("http")]
    assert len(requests) > 3
    own = urllib.parse.urlsplit(url).netloc
    assert {urllib.parse.urlsplit(one["url"]).netloc for one in requests} == {own}
    assert not [one for one in requests if one["headers"].get("Referer")]


@pytest.mark.parametrize("console", NAMES)
def test_con_02_wrong_and_expired_links_get_a_page_that_says_so(browser, site, console):
    browser.open(site.wrong_url(console))
    assert browser.title == REFUSED
    keep(browser, "refused")
    browser.open(site.expired_url(console))
    assert browser.title == REFUSED
    assert "Ask for a new link" in browser.text


def test_con_01_links_of_a_stopped_server_are_refused_even_in_an_open_page(ready, site):
    url = site.url(ConsoleType.SERIAL)
    ready.open(url)
    ready.wait_for_state("connected")
    site.restart_server()
    ready.press("reconnect")
    ready.wait_for_state("refused")
    assert "This link is not valid any more" in ready.text
    keep(ready, "stopped")
    ready.open(url)
    assert ready.title == REFUSED


def test_a_text_to_paste_is_kept_when_the_connection_is_gone(ready, site):
    ready.open(site.url(ConsoleType.SERIAL))
    ready.wait_for_state("connected")
    ready.press("paste")
    ready.driver.find_element("id", "paste-text").send_keys("uptime")
    site.restart_server()
    ready.run("document.querySelector('#actions [data-action=reconnect]').click()")
    ready.wait_for_state("refused")
    ready.driver.find_element("id", "paste-send").click()
    ready.wait_for_text("There is no connection")
    assert ready.run("return document.getElementById('paste-text').value") == "uptime"
    assert ready.run("return document.getElementById('paste-send').disabled") is False
    assert ready.complaints() == []


def test_con_03_pages_of_other_sites_open_no_console(browser, site):
    url = urllib.parse.urlsplit(site.url(ConsoleType.SERIAL))
    browser.open("data:text/html,elsewhere")
    ended = browser.driver.execute_async_script(
        """const [url, done] = arguments;
        const socket = new WebSocket(url, "binary");
        socket.onopen = () => done("opened");
        socket.onerror = () => done("refused");""",
        f"ws://{url.netloc}/?{url.query}",
    )
    assert ended == "refused"

    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "binary",
        "Origin": "http://elsewhere.example.org",
    }
    connection.request("GET", f"/?{url.query}", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 403
    assert "This page may not open consoles" in answer.read().decode()
    connection.close()
