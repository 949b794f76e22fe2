"""Network interfaces that come and go while a server exists."""

import dataclasses
import logging
from collections.abc import Callable

from nova import clock, concurrency, exception
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.virt.libvirt import definition, vif
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.hardware import GuestFiles, HardwareSettings, guest_config
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.power import ON
from nova.virt.libvirt.xml import domain_xml

LOG = logging.getLogger(__name__)

# A guest that is starting misses the request to let a device go, so it is asked again.
DETACH_TIMEOUT_S = 60
ASK_AGAIN_S = 10
_POLL_S = 0.25


class GuestInterfaces:
    """Interfaces of the guests of one host.

    sleep does the waiting; plug makes the host's side ready.
    """

    def __init__(
        self,
        host: Host,
        firewall: Firewall,
        sleep: Callable[[float], object] = concurrency.sleep,
        plug: Callable[[tuple[Vif, ...]], None] = vif.plug,
    ) -> None:
        self._host = host
        self._firewall = firewall
        self._sleep = sleep
        self._plug = plug

    def attach(self, instance: Instance, new: Vif, settings: HardwareSettings) -> None:
        """Give a guest an interface, with its filter in place before the first packet.

        One that it has is left alone.  Raises: GuestNotFound, DriverError.
        """
        running = self._runs(instance.uuid)
        if running is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        self._plug((new,))
        self._firewall.prepare(instance)
        xml = self._xml(instance, new, settings)
        for live in (True, False) if running else (False,):
            if self._find(instance.uuid, new, live=live) is None:
                self._host.attach_device(instance.uuid, xml, live=live)
        vif.set_up_ports((new,))

    def detach(self, instance: Instance, old: Vif) -> None:
        """Take an interface away, from the running guest first; one it lacks is fine.

        Raises: DriverError when the guest does not let it go.
        """
        running = self._runs(instance.uuid)
        if running:
            self._detach_live(instance.uuid, old)
        if running is not None:
            xml = self._find(instance.uuid, old, live=False)
            if xml is not None:
                self._host.detach_device(instance.uuid, xml, live=False)
        self._firewall.forget(instance, old)

    def _detach_live(self, instance_uuid: str, old: Vif) -> None:
        """Ask the guest until the interface is gone."""
        deadline = clock.monotonic() + DETACH_TIMEOUT_S
        next_request = clock.monotonic()
        while self._runs(instance_uuid):
            xml = self._find(instance_uuid, old, live=True)
            if xml is None:
                return
            now = clock.monotonic()
            if now >= deadline:
                operation = f"detach interface {old.address}"
                reason = "the guest does not let it go."
                raise exception.DriverError(operation=operation, reason=reason)
            if now >= next_request:
                self._ask(instance_uuid, xml)
                next_request = now + ASK_AGAIN_S
            self._sleep(_POLL_S)

    def _ask(self, instance_uuid: str, xml: str) -> None:
        """Ask once; libvirt refuses while an earlier request is under way."""
        try:
            self._host.detach_device(instance_uuid, xml, live=True)
        except exception.DriverError:
            LOG.info("Guest %s can not be asked to let an interface go", instance_uuid)

    def _find(self, instance_uuid: str, wanted: Vif, *, live: bool) -> str | None:
        text = self._host.definition(instance_uuid, live=live)
        return definition.interface_xml(text, wanted.address)

    def _runs(self, instance_uuid: str) -> bool | None:
        """Tell whether the guest is on; None when there is none."""
        guest = self._host.find_guest(instance_uuid)
        return None if guest is None else guest.power_state in ON

    def _xml(self, instance: Instance, new: Vif, settings: HardwareSettings) -> str:
        """Return the interface as the whole definition would have it."""
        alone = dataclasses.replace(instance, vifs=(new,))
        config = guest_config(alone, GuestFiles(), settings, self._firewall.filter_of)
        return definition.interface_xml(domain_xml(config), new.address) or ""
