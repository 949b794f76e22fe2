"""How each action of lifecycle.ACTIONS is carried out on a host: one entry per action."""

import dataclasses
from collections.abc import Callable

from nova.compute.admin_password import AdminPasswordActions
from nova.compute.build import Builder
from nova.compute.config_drive import ConfigDrives
from nova.compute.crash_dump import CrashDumpActions
from nova.compute.deferred_delete import DeferredDeleteActions
from nova.compute.firewall import HostFirewallKeeper
from nova.compute.interfaces import InterfaceActions
from nova.compute.network_info import NetworkInfoActions
from nova.compute.networks import Networks
from nova.compute.operations import Outcome, Plan, Running
from nova.compute.pause import PauseActions
from nova.compute.power import PowerActions
from nova.compute.rebuild import RebuildActions
from nova.compute.rescue import RescueActions
from nova.compute.resize import ResizeActions
from nova.compute.settings import ComputeSettings
from nova.compute.shelve import ShelveActions, UnshelveActions
from nova.compute.snapshot import SnapshotActions
from nova.compute.suspend import SuspendActions
from nova.compute.terminate import Terminator
from nova.image.api import ImageService
from nova.objects.lifecycle import STOPPED_IMAGE
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
    firewall: HostFirewallKeeper


# Actions after which a guest may have interfaces that it did not have before.
_PLUGGING = frozenset(
    ("create", "start", "soft_reboot", "hard_reboot", "restore", "resume", "rebuild", "rescue")
    + ("unrescue", "resize", "revertResize", "unshelve", "attach_interface")
    + ("inject_network_info", STOPPED_IMAGE)
)
# Actions after which a guest, or an interface, may be gone.
_UNPLUGGING = frozenset(
    ("delete", "detach_interface", "resize", "confirmResize", "revertResize", "shelveOffload")
)


def make_plans(tools: HostTools) -> Plans:
    """Return the plan of every action, by its name."""
    power = PowerActions(tools.driver, tools.settings.shutdown)
    terminator = Terminator(tools.driver, tools.networks, tools.images)
    pause = PauseActions(tools.driver)
    suspend = SuspendActions(tools.driver, tools.networks)
    deferred = DeferredDeleteActions(tools.driver, tools.networks, power, tools.images)
    password = AdminPasswordActions(tools.driver)
    crash_dump = CrashDumpActions(tools.driver)
    network_info = NetworkInfoActions(tools.driver, tools.networks)
    interfaces = InterfaceActions(tools.driver, tools.networks)
    snapshots = SnapshotActions(tools.driver, tools.images, tools.networks, power)
    shelve = ShelveActions(tools.driver, tools.networks, power, tools.images)
    unshelve = UnshelveActions(tools.driver, tools.networks, tools.builder, tools.images)
    settings = tools.settings
    drives = ConfigDrives(documents=settings.documents, forced=settings.force_config_drive)
    rebuild = RebuildActions(tools.driver, tools.networks, drives)
    rescue = RescueActions(tools.driver, tools.networks, drives)
    resize = ResizeActions(tools.driver, settings.shutdown)
    plans: Plans = {
        "create": lambda operation: tools.builder.plan(),
        "delete": lambda operation: terminator.plan(),
        "start": lambda operation: power.start_plan(),
        "stop": lambda operation: power.stop_plan(),
        "soft_reboot": lambda operation: power.reboot_plan(soft=True),
        "hard_reboot": lambda operation: power.reboot_plan(soft=False),
        "soft_delete": lambda operation: deferred.soft_delete_plan(),
        "restore": lambda operation: deferred.restore_plan(),
        "pause": lambda operation: pause.pause_plan(),
        "unpause": lambda operation: pause.unpause_plan(),
        "suspend": lambda operation: suspend.suspend_plan(),
        "resume": lambda operation: suspend.resume_plan(),
        "rebuild": lambda operation: rebuild.plan(),
        "rescue": lambda operation: rescue.rescue_plan(),
        "unrescue": lambda operation: rescue.unrescue_plan(),
        "resize": lambda operation: resize.resize_plan(),
        "confirmResize": lambda operation: resize.confirm_plan(),
        "revertResize": lambda operation: resize.revert_plan(),
        "changePassword": lambda operation: password.plan(),
        "trigger_crash_dump": lambda operation: crash_dump.plan(),
        "inject_network_info": lambda operation: network_info.plan(),
        "add_fixed_ip": lambda operation: network_info.plan("compute_add_fixed_ip_to_instance"),
        "remove_fixed_ip": lambda operation: network_info.plan(
            "compute_remove_fixed_ip_from_instance"
        ),
        "attach_interface": lambda operation: interfaces.attach_plan(),
        "detach_interface": lambda operation: interfaces.detach_plan(),
        "createImage": lambda operation: snapshots.image_plan(),
        STOPPED_IMAGE: lambda operation: snapshots.stopped_image_plan(),
        "createBackup": lambda operation: snapshots.backup_plan(),
        "shelve": lambda operation: shelve.shelve_plan(),
        "shelveOffload": lambda operation: shelve.offload_plan(),
        "unshelve": lambda operation: unshelve.plan(),
    }
    return {action: _filtered(action, make, tools.firewall) for action, make in plans.items()}


def _filtered(
    action: str, make: Callable[[Operation], Plan], firewall: HostFirewallKeeper
) -> Callable[[Operation], Plan]:
    """Have the rules of the host in place before interfaces come, and soon after they went.

    When the rules can not be put in place the work is not begun, and fails as if it had.
    """

    def filtered(operation: Operation) -> Plan:
        plan = make(operation)

        def work(running: Running) -> Outcome:
            if action in _PLUGGING:
                firewall.ensure(running.context)
            return plan.work(running)

        def settle(running: Running) -> None:
            if plan.settle is not None:
                plan.settle(running)
            if action in _UNPLUGGING:
                firewall.request()

        return dataclasses.replace(plan, work=work, settle=settle)

    return filtered
