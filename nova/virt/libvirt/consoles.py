"""Where the consoles of a running guest listen, read from its definition.

Source: consoles, sections 3.1, 6 and 8; libvirt domain XML format (graphics, serial ports).
"""

import dataclasses
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from nova.objects.console import ConsoleConnection, ConsoleType

# What a definition calls the graphics that lie behind a type of console.
_GRAPHICS: Mapping[ConsoleType, str] = {
    ConsoleType.NOVNC: "vnc",
    ConsoleType.XVPVNC: "vnc",
    ConsoleType.SPICE_HTML5: "spice",
    ConsoleType.SPICE_DIRECT: "spice",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReachedAt:
    """The addresses at which proxies reach the consoles of this host."""

    vnc: str = "127.0.0.1"
    spice: str = "127.0.0.1"
    serial: str = "127.0.0.1"


def connection_of(
    definition: str, console_type: ConsoleType, reached_at: ReachedAt
) -> ConsoleConnection | None:
    """Return where a running guest's console of a type listens, None if it has none.

    One that takes nothing but TLS is for clients that connect directly: our proxy of SPICE
    speaks none.
    """
    devices = ElementTree.fromstring(definition).find("devices")
    if devices is None:
        return None
    if console_type is ConsoleType.SERIAL:
        port = _serial_port(devices)
        return None if port is None else ConsoleConnection(host=reached_at.serial, port=port)
    kind = _GRAPHICS.get(console_type)
    graphics = None if kind is None else devices.find(f"graphics[@type='{kind}']")
    if graphics is None:
        return None
    port, tls_port = _number(graphics, "port"), _number(graphics, "tlsPort")
    if console_type is ConsoleType.SPICE_DIRECT:
        port = port or tls_port
    if port is None:
        return None
    host = reached_at.vnc if kind == "vnc" else reached_at.spice
    return ConsoleConnection(host=host, port=port, tls_port=tls_port)


def serial_port_of(definition: str) -> int | None:
    """Return the port of a guest's first serial port that proxies reach, None for none."""
    devices = ElementTree.fromstring(definition).find("devices")
    return None if devices is None else _serial_port(devices)


def _serial_port(devices: Element) -> int | None:
    source = devices.find("serial[@type='tcp']/source[@mode='bind']")
    return None if source is None else int(source.get("service", "0")) or None


def _number(element: Element, name: str) -> int | None:
    """Return a port; libvirt writes -1 where there is none."""
    value = int(element.get(name, "-1"))
    return value if value > 0 else None
