"""Consoles of real guests, as proxies meet them; test_libvirt.py runs this in a host of its own."""

import contextlib
import socket
import struct
import time

import pytest

from nova import exception
from nova.objects.console import ConsoleType
from tests.fixtures.real_guests import (
    Console,
    make_config_drive,
    make_detail,
    make_driver,
    output_of,
)
from tests.integration.libvirt_guest_cases import (  # noqa: F401
    instances_path,
    own_filters,
    start,
    stop,
)

pytestmark = pytest.mark.integration

# An address of the loopback that nobody has by chance.
LISTEN = "127.0.0.77"
PORTS = range(12000, 12002)
OPTIONS = {
    "vnc__server_listen": LISTEN,
    "vnc__server_proxyclient_address": LISTEN,
    "spice__enabled": True,
    "spice__server_listen": LISTEN,
    "spice__server_proxyclient_address": LISTEN,
    "spice__image_compression": "off",
    "serial_console__enabled": True,
    "serial_console__proxyclient_address": LISTEN,
    "serial_console__port_range": f"{PORTS.start}:{PORTS.stop}",
}
PATIENCE_S = 60


@pytest.fixture
def drivers(instances_path):  # noqa: F811
    """Give a function that starts one nova-compute after the other on the same guests."""
    made = []

    def again():
        if made:
            made[-1].cleanup_host()
        made.append(start(make_driver(instances_path, **OPTIONS)))
        return made[-1]

    yield again
    stop(made[-1])


def connect(driver, instance, console_type):
    found = driver.get_console(instance, console_type)
    return socket.create_connection((found.host, found.port), PATIENCE_S)


def read_until(sock, mark):
    """Return what came until a mark."""
    sock.settimeout(PATIENCE_S)
    text = b""
    while mark not in text:
        piece = sock.recv(4096)
        assert piece, f"the connection ended: {text!r}"
        text += piece
    return text


def screens_answer(driver, instance):
    """See that both screens talk, each in its own protocol."""
    with connect(driver, instance, ConsoleType.NOVNC) as vnc:
        assert read_until(vnc, b"\n") == b"RFB 003.008\n"
    with connect(driver, instance, ConsoleType.SPICE_HTML5) as spice:
        main_channel = struct.pack("<IBBIII", 0, 1, 0, 0, 0, 18)
        spice.sendall(struct.pack("<4sIII", b"REDQ", 2, 2, len(main_channel)) + main_channel)
        assert read_until(spice, b"REDQ").startswith(b"REDQ")


@contextlib.contextmanager
def terminal(driver, instance):
    """Give the serial port of a guest that is ready, with its prompt shown."""
    with connect(driver, instance, ConsoleType.SERIAL) as serial:
        end = time.monotonic() + PATIENCE_S
        serial.settimeout(2)
        text = b""
        while b"login:" not in text:
            assert time.monotonic() < end, text
            serial.sendall(b"\n")
            with contextlib.suppress(TimeoutError):
                text += serial.recv(4096)
        yield serial


def listeners():
    """Return the addresses with ports on which guests listen."""
    lines = output_of("ss", "-Hltnp").splitlines()
    return [line.split()[3] for line in lines if "qemu" in line]


def test_con_08_consoles_live_with_their_guest_on_the_configured_address(drivers):
    driver = drivers()
    detail = make_detail()
    instance = detail.instance
    log = Console(driver=driver, instance=instance)
    driver.spawn(detail, make_config_drive(instance))
    log.wait_until_ready()
    screens_answer(driver, instance)
    with terminal(driver, instance) as serial:
        serial.sendall(b"nobody-of-that-name\n")
        read_until(serial, b"assword:")
    assert "nobody-of-that-name" in log.wait_for("assword:")
    assert len(listeners()) == 3
    assert all(place.startswith(f"{LISTEN}:") for place in listeners()), listeners()

    driver.suspend(instance)
    with pytest.raises(exception.GuestNotRunning):
        driver.get_console(instance, ConsoleType.SERIAL)
    assert listeners() == []
    driver.resume(instance)
    screens_answer(driver, instance)
    with terminal(driver, instance):
        pass

    driver.reboot_hard(instance)
    screens_answer(driver, instance)
    driver.power_off(instance, 0, 1)
    with pytest.raises(exception.GuestNotRunning):
        driver.get_console(instance, ConsoleType.NOVNC)
    before = log.text().count("TINY: kernel uptime=")
    driver.power_on(instance)
    screens_answer(driver, instance)
    with connect(driver, instance, ConsoleType.SERIAL) as serial:
        assert read_until(serial, b"TINY: ")
        text = log.wait_for("TINY: kernel uptime=", before + 1)
    assert "nobody-of-that-name" in text
    driver.destroy(instance)
    assert listeners() == []


def test_ports_of_serial_consoles_outlive_nova_compute(drivers):
    driver = drivers()
    first, second, third = (make_detail() for _ in range(3))
    driver.spawn(first, None)
    driver = drivers()
    driver.spawn(second, None)
    found = [driver.get_console(one.instance, ConsoleType.SERIAL).port for one in (first, second)]
    assert found == list(PORTS)
    with pytest.raises(exception.SocketPortRangeExhausted):
        driver.spawn(third, None)
    driver.power_off(first.instance, 0, 1)
    driver.spawn(third, None)
    assert driver.get_console(third.instance, ConsoleType.SERIAL).port == PORTS[0]
    driver.destroy(second.instance)
    driver.power_on(first.instance)
    assert driver.get_console(first.instance, ConsoleType.SERIAL).port == PORTS[1]
