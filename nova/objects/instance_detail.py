"""A server with everything that its host needs to carry an operation out."""

import dataclasses

from nova.objects.block_device import BlockDevice
from nova.objects.instance import InjectedFile, Instance
from nova.objects.migration import Migration


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceDetail:
    """A server with everything its host needs to build it.

    admin_password and injected_files exist only while it is built or rebuilt.
    migration: the unfinished move or resize, for the actions that concern it.
    """

    instance: Instance
    block_devices: tuple[BlockDevice, ...] = ()
    injected_files: tuple[InjectedFile, ...] = ()
    admin_password: str | None = None
    migration: Migration | None = None
