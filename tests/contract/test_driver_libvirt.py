"""The conformance suite on the libvirt driver and libvirt's own test hypervisor."""

import threading

import pytest

from nova.objects.lifecycle import PowerState
from tests.fixtures.driver_suite import DriverCase, DriverSuite
from tests.fixtures.libvirt_driver import (
    GuestPrograms,
    LibvirtCase,
    libvirt_events,  # noqa: F401
)
from tests.fixtures.time import frozen_clock  # noqa: F401


class Events(list):
    """A list of events; that a guest went off can be waited for."""

    def __init__(self):
        self.off = threading.Event()

    def append(self, event):
        super().append(event)
        if event.power_state is PowerState.SHUTDOWN:
            self.off.set()


class TestLibvirtDriver(DriverSuite):
    """The suite; only disk programs and the passing of time are stand-ins."""

    @pytest.fixture
    def events(self):
        return Events()

    @pytest.fixture
    def case(self, tmp_path, monkeypatch, frozen_clock, events, libvirt_events):  # noqa: F811
        monkeypatch.setattr("subprocess.run", GuestPrograms())
        libvirt = LibvirtCase(str(tmp_path), frozen_clock.advance)

        def shut_down_inside(detail):
            events.off.clear()
            libvirt.anchor.ask_shutdown(detail.instance.uuid)
            assert events.off.wait(10)

        yield DriverCase(
            driver=libvirt.driver, detail=libvirt.detail, shut_down_inside=shut_down_inside
        )
        libvirt.close()
