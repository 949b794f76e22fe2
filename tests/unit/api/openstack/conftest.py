import dataclasses

import pytest

from nova import exception
from nova.api.openstack.environment import WsgiApp
from nova.api.settings import ApiSettings
from nova.compute.rpcapi import ComputeAPI
from nova.context import RequestContext
from nova.image.memory import MemoryImageService
from nova.objects.console import ConsoleConnection, ConsoleType
from nova.objects.image import Image
from nova.objects.instance import Instance
from nova.objects.operation import Work
from nova.rpc.local import LocalBus
from tests.fixtures.conductor_stub import (
    StubFloatingIps,
    StubHosts,
    StubInstances,
    StubKeypairs,
    StubSecurityGroups,
)
from tests.fixtures.doubles import partly_served
from tests.fixtures.rest import PROJECT, Rest, make_rest_app
from tests.fixtures.rest_site import RestSite, make_rest_site
from tests.fixtures.time import FrozenClock, frozen_clock

__all__ = ["frozen_clock"]

IMAGE_ID = "11111111-2222-3333-4444-555555555555"


@partly_served
class StubCompute(ComputeAPI):
    """Answers console reads; takes note of nothing else."""

    def __init__(self) -> None:
        self.console: str | None = "one\ntwo\n"

    def run_operation(self, context: RequestContext, work: Work) -> None: ...

    def pull_operations(self, context: RequestContext) -> None: ...

    def get_console_output(
        self, context: RequestContext, instance: Instance, tail_lines: int | None = None
    ) -> str:
        if self.console is None:
            raise exception.ConsoleNotAvailable(instance_uuid=instance.uuid)
        lines = self.console.splitlines(keepends=True)
        return "".join(lines if tail_lines is None else lines[len(lines) - tail_lines :])

    def get_console(
        self, context: RequestContext, instance: Instance, console_type: ConsoleType
    ) -> ConsoleConnection:
        raise exception.GuestNotRunning(instance_uuid=instance.uuid)


@dataclasses.dataclass
class Api:
    """The application over a conductor stub."""

    rest: Rest
    app: WsgiApp
    bus: LocalBus
    instances: StubInstances
    keypairs: StubKeypairs
    hosts: StubHosts
    images: MemoryImageService
    compute: StubCompute

    def with_settings(self, **changes: object) -> Rest:
        """Return a client of the same cloud under other settings."""
        settings = dataclasses.replace(
            ApiSettings(auth_strategy="noauth2"),
            **changes,  # type: ignore[arg-type]
        )
        return dataclasses.replace(
            self.rest, app=make_rest_app(self.bus, self.images, settings=settings)
        )


@pytest.fixture
def api() -> Api:
    bus = LocalBus()
    instances, keypairs, hosts = StubInstances(), StubKeypairs(), StubHosts()
    networking = [StubSecurityGroups(instances), StubFloatingIps(instances)]
    bus.serve("conductor", "c1", [instances, keypairs, hosts, *networking]).start()
    compute = StubCompute()
    bus.serve("compute", "compute-7", [compute]).start()
    images = MemoryImageService()
    images.add(Image(id=IMAGE_ID, name="cirros", visibility="public", min_ram_mb=64), b"x")
    app = make_rest_app(bus, images)
    return Api(
        rest=Rest(app, project=PROJECT),
        app=app,
        bus=bus,
        instances=instances,
        keypairs=keypairs,
        hosts=hosts,
        images=images,
        compute=compute,
    )


@pytest.fixture
def cloud(frozen_clock: FrozenClock) -> RestSite:
    """Return the API over a real conductor."""
    return make_rest_site(frozen_clock)
