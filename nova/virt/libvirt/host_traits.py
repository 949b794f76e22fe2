"""What libvirt's domain capabilities and the configuration say of a host's abilities.  Pure."""

import dataclasses

from defusedxml import ElementTree

from nova import exception
from nova.objects import traits
from nova.objects.flavor_wishes import cpu_set
from nova.objects.numa import HostNuma
from nova.virt.libvirt.processors import HostProcessors


def traits_of(text: str) -> tuple[str, ...]:
    """Return the traits in a domain capabilities document.

    Source: libvirt domain capabilities XML format.
    """
    root = ElementTree.fromstring(text)

    def offers(path: str, value: str) -> bool:
        return any(each.text == value for each in root.iterfind(f"{path}/value"))

    found = []
    if offers("os/enum[@name='firmware']", "efi"):
        found.append(traits.UEFI)
        if offers("os/loader/enum[@name='secure']", "yes"):
            found.append(traits.SECURE_BOOT)
    tpm = "devices/tpm/enum[@name='{}']"
    if offers(tpm.format("backendModel"), "emulator"):
        for version, name in traits.TPM.items():
            if offers(tpm.format("backendVersion"), version):
                found.append(name)
    return tuple(found)


def host_processors(
    cells: HostNuma, dedicated_set: str | None, shared_set: str | None
) -> HostProcessors:
    """Divide the processors of a host as [compute] cpu_dedicated_set and cpu_shared_set say.

    Raises: ConfigurationError.
    """
    present = frozenset(cpu for cell in cells.cells for cpu in cell.cpus)
    dedicated = _listed("cpu_dedicated_set", dedicated_set, present) or frozenset()
    shared = _listed("cpu_shared_set", shared_set, present)
    if shared is None:
        shared = present - dedicated
    if shared & dedicated:
        reason = "[compute] cpu_dedicated_set and cpu_shared_set have CPUs in common."
        raise exception.ConfigurationError(reason=reason)
    return HostProcessors(
        cells=HostNuma(
            cells=tuple(
                dataclasses.replace(
                    cell,
                    cpus=tuple(cpu for cpu in cell.cpus if cpu in shared),
                    dedicated=tuple(cpu for cpu in cell.cpus if cpu in dedicated),
                )
                for cell in cells.cells
            )
        ),
        limited=shared != present,
    )


def _listed(name: str, text: str | None, present: frozenset[int]) -> frozenset[int] | None:
    if not text:
        return None
    try:
        found = cpu_set(name, text)
    except exception.Invalid as error:
        raise exception.ConfigurationError(reason=f"[compute] {error}") from None
    missing = found - present
    if missing:
        reason = f"[compute] {name} names CPUs that the host has not: {sorted(missing)}."
        raise exception.ConfigurationError(reason=reason)
    return found
