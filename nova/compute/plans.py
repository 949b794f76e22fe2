"""How each action of lifecycle.ACTIONS is carried out on a host: one entry per action."""

import dataclasses
from collections.abc import Callable

from nova.compute.build import Builder
from nova.compute.networks import Networks
from nova.compute.operations import Plan
from nova.compute.power import PowerActions
from nova.compute.settings import ComputeSettings
from nova.compute.terminate import Terminator
from nova.image.api import ImageService
from nova.objects.operation import Operation
from nova.virt.driver import ComputeDriver

Plans = dict[str, Callable[[Operation], Plan]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostTools:
    """What plans work with.  images: for the bytes of snapshots."""

    driver: ComputeDriver
    networks: Networks
    builder: Builder
    settings: ComputeSettings
    images: ImageService


def make_plans(tools: HostTools) -> Plans:
    """Return the plan of every action, by its name."""
    power = PowerActions(tools.driver, tools.settings.shutdown)
    terminator = Terminator(tools.driver, tools.networks)
    return {
        "create": lambda operation: tools.builder.plan(),
        "delete": lambda operation: terminator.plan(),
        "start": lambda operation: power.start_plan(),
        "stop": lambda operation: power.stop_plan(),
        "soft_reboot": lambda operation: power.reboot_plan(soft=True),
        "hard_reboot": lambda operation: power.reboot_plan(soft=False),
    }
