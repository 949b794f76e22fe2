"""Where consoles listen, by what libvirt says of a guest; and the ports of serial consoles."""

import contextlib
import random
import socket

import pytest

from nova import exception
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.virt.libvirt.consoles import ReachedAt, connection_of, serial_port_of
from nova.virt.libvirt.serial_ports import DEFAULT_RANGE, SerialPorts, port_range

REACHED_AT = ReachedAt(vnc="192.0.2.1", spice="192.0.2.2", serial="192.0.2.3")
DEFINITION = """
<domain><devices>
  <serial type='pty'><target port='1'/></serial>
  <serial type='tcp'><source mode='bind' host='192.0.2.9' service='10004'/></serial>
  <graphics type='vnc' port='5901' autoport='yes'/>
  <graphics type='spice' port='-1' tlsPort='5903' autoport='yes'/>
</devices></domain>
"""
BARE = "<domain><devices><serial type='pty'/></devices></domain>"
OFF = "<domain><devices><graphics type='vnc' port='-1' autoport='yes'/></devices></domain>"


@pytest.mark.parametrize(
    ("console_type", "expected"),
    [
        (ConsoleType.NOVNC, ConsoleConnection(host="192.0.2.1", port=5901)),
        (ConsoleType.XVPVNC, ConsoleConnection(host="192.0.2.1", port=5901)),
        (
            ConsoleType.SPICE_DIRECT,
            ConsoleConnection(host="192.0.2.2", port=5903, tls_port=5903),
        ),
        (ConsoleType.SPICE_HTML5, None),
        (ConsoleType.SERIAL, ConsoleConnection(host="192.0.2.3", port=10004)),
        (ConsoleType.RDP_HTML5, None),
        (ConsoleType.WEBMKS, None),
    ],
)
def test_consoles_of_a_running_guest(console_type, expected):
    assert connection_of(DEFINITION, console_type, REACHED_AT) == expected


def test_spice_with_and_without_tls_is_for_both_kinds_of_clients():
    text = DEFINITION.replace("port='-1' tlsPort", "port='5902' tlsPort")
    expected = ConsoleConnection(host="192.0.2.2", port=5902, tls_port=5903)
    for console_type in (ConsoleType.SPICE_DIRECT, ConsoleType.SPICE_HTML5):
        assert connection_of(text, console_type, REACHED_AT) == expected


@pytest.mark.parametrize("definition", [BARE, OFF, "<domain/>"])
@pytest.mark.parametrize("console_type", list(ConsoleType))
def test_guests_without_consoles(definition, console_type):
    assert connection_of(definition, console_type, REACHED_AT) is None


def test_the_port_of_the_serial_console_stands_in_the_definition():
    assert serial_port_of(DEFINITION) == 10004
    assert serial_port_of(BARE) is None and serial_port_of("<domain/>") is None


@pytest.mark.parametrize("text", ["", "10000", "20000:10000", "a:b", "1:2000", "60000:70000", "5:"])
def test_an_unusable_range_is_replaced_by_the_default(text):
    assert port_range(text) == DEFAULT_RANGE


def test_a_range_ends_before_its_second_number():
    assert list(port_range("2000:2003")) == [2000, 2001, 2002]


@pytest.fixture
def three_ports():
    """Give three neighbouring ports that nobody listens on, nor gets for a connection."""
    while True:
        first = random.randrange(61000, 65000)
        ports = range(first, first + 3)
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in ports:
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return ports


@pytest.mark.loopback
def test_guests_get_the_first_ports_that_no_other_has(three_ports):
    first, second, third = three_ports
    running = {second}
    ports = SerialPorts("127.0.0.1", three_ports, lambda: set(running))
    with ports.reserved() as one, ports.reserved() as other:
        assert (one, other) == (first, third)
        exhausted = pytest.raises(exception.SocketPortRangeExhausted, match="port_range")
        with exhausted, ports.reserved():
            pass
    running |= {first, third}
    running.remove(second)
    with ports.reserved() as freed:
        assert freed == second


@pytest.mark.loopback
def test_port_of_a_guest_that_did_not_start_is_free_again(three_ports):
    ports = SerialPorts("127.0.0.1", three_ports[:1], set)
    with pytest.raises(exception.GuestNotFound), ports.reserved():
        raise exception.GuestNotFound(instance_uuid="a")
    with ports.reserved() as port:
        assert port == three_ports[0]


@pytest.mark.loopback
def test_port_that_another_program_listens_on_is_passed_over(three_ports):
    ports = SerialPorts("127.0.0.1", three_ports, set)
    with socket.socket() as other:
        other.bind(("127.0.0.1", three_ports[0]))
        other.listen()
        with ports.reserved() as port:
            assert port == three_ports[1]


@pytest.mark.loopback
def test_address_that_is_not_the_hosts_is_no_matter_of_ports(three_ports):
    ports = SerialPorts("192.0.2.77", three_ports, set)
    with pytest.raises(exception.DriverError, match=r"192\.0\.2\.77"), ports.reserved():
        pass
