"""Consoles of guests that proxies connect to."""

from collections.abc import Set

from nova.exception import (
    ActionNotSupported,
    ConsoleTypeUnavailable,
    GuestNotFound,
    GuestNotRunning,
)
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.instance import Instance
from nova.virt.driver import RemoteConsole

# The group of options whose "enabled" is about a type.
GROUPS: dict[ConsoleType, str] = {
    ConsoleType.NOVNC: "vnc",
    ConsoleType.XVPVNC: "vnc",
    ConsoleType.SPICE_HTML5: "spice",
    ConsoleType.SPICE_DIRECT: "spice",
    ConsoleType.RDP_HTML5: "rdp",
    ConsoleType.SERIAL: "serial_console",
    ConsoleType.WEBMKS: "mks",
}


class RemoteConsoles:
    """Asks the driver for the types that are enabled on this host."""

    def __init__(self, driver: object, enabled: Set[ConsoleType]) -> None:
        self._driver = driver
        self._enabled = enabled

    def connection(self, instance: Instance, console_type: ConsoleType) -> ConsoleConnection:
        """Return where a console listens.

        Raises: ConsoleTypeUnavailable, GuestNotFound, GuestNotRunning, ActionNotSupported.
        """
        if console_type not in self._enabled:
            raise ConsoleTypeUnavailable(console_type=console_type.value)
        if not isinstance(self._driver, RemoteConsole):
            raise ActionNotSupported(what="give access to consoles")
        return self._driver.get_console(instance, console_type)

    def is_port_of(self, instance: Instance, port: int, console_type: ConsoleType) -> bool:
        """Tell whether a console listens on a port now.  Raises: ActionNotSupported."""
        try:
            return self.connection(instance, console_type).port == port
        except (ConsoleTypeUnavailable, GuestNotFound, GuestNotRunning):
            return False
