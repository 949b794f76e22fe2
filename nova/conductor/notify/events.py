"""Which events tell of which operation.

Source: daemons-and-config, section 6.
"""

import dataclasses

from nova.objects.lifecycle import STOPPED_IMAGE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Event names of an operation, without phase.

    unversioned: after "compute.instance."; versioned: after "instance.".  Empty: none.
    """

    unversioned: tuple[str, ...] = ()
    versioned: tuple[str, ...] = ()


def _same(name: str) -> Names:
    return Names(unversioned=(name,), versioned=(name,))


OPERATIONS: dict[str, Names] = {
    "create": _same("create"),
    "delete": _same("delete"),
    "soft_delete": _same("soft_delete"),
    "restore": _same("restore"),
    "start": _same("power_on"),
    "stop": _same("power_off"),
    "soft_reboot": _same("reboot"),
    "hard_reboot": _same("reboot"),
    "pause": _same("pause"),
    "unpause": _same("unpause"),
    "suspend": _same("suspend"),
    "resume": _same("resume"),
    "rescue": _same("rescue"),
    "unrescue": _same("unrescue"),
    "rebuild": _same("rebuild"),
    "resize": Names(
        unversioned=("resize.prep", "resize", "finish_resize"),
        versioned=("resize_prep", "resize", "resize_finish"),
    ),
    "confirmResize": Names(unversioned=("resize.confirm",), versioned=("resize_confirm",)),
    "revertResize": Names(unversioned=("resize.revert",), versioned=("resize_revert",)),
    "createImage": _same("snapshot"),
    STOPPED_IMAGE: _same("snapshot"),
    "createBackup": _same("snapshot"),
    "shelve": _same("shelve"),
    "shelveOffload": _same("shelve_offload"),
    "unshelve": _same("unshelve"),
    "trigger_crash_dump": Names(versioned=("trigger_crash_dump",)),
    "attach_interface": Names(versioned=("interface_attach",)),
    "detach_interface": Names(versioned=("interface_detach",)),
    "lock": Names(versioned=("lock",)),
    "unlock": Names(versioned=("unlock",)),
    "changePassword": Names(),
    "inject_network_info": Names(),
    "add_fixed_ip": Names(unversioned=("create_ip",)),
    "remove_fixed_ip": Names(unversioned=("delete_ip",)),
}
