"""What an image asks of the hypervisor."""

import re

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.filters.operators import compare_versions
from nova.scheduler.host_state import HostState

# Other spellings of the same architecture.
_ARCHITECTURES = {
    "amd64": "x86_64",
    "x64": "x86_64",
    "i386": "i686",
    "x86": "i686",
    "arm64": "aarch64",
}
# Hypervisor types as images name them, to what hosts report.
_HYPERVISORS = {"xapi": "xen", "baremetal": "ironic"}
_VM_MODES = {"pv": "xen", "hv": "hvm", "baremetal": "hvm"}
_VERSION_WORD = re.compile(r"(<=|>=|==|!=|<|>)?\s*([0-9.]+)")


class ImagePropertiesFilter(HostFilter):
    """Accepts hosts that run the image's architecture, hypervisor type and vm mode."""

    lacks = "architecture or hypervisor not as the image needs"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look for one supported triple that has all three, then at the version."""
        wanted = self._wanted(spec.image_properties)
        supported = host.node.supported_instances
        if any(wanted) and not any(_covers(triple, wanted) for triple in supported):
            words = "/".join(word or "any" for word in wanted)
            return f"{words} wanted, not among {len(supported)} supported kinds"
        return _refuses_version(host, spec.image_properties)

    def _wanted(self, properties: dict[str, str]) -> tuple[str | None, str | None, str | None]:
        architecture = (
            properties.get("hw_architecture")
            or properties.get("architecture")
            or self.settings.image_properties_default_architecture
        )
        hypervisor = properties.get("img_hv_type") or properties.get("hypervisor_type")
        vm_mode = properties.get("hw_vm_mode") or properties.get("vm_mode")
        return (
            _canonical(architecture, _ARCHITECTURES),
            _canonical(hypervisor, _HYPERVISORS),
            _canonical(vm_mode, _VM_MODES),
        )


def _canonical(word: str | None, names: dict[str, str]) -> str | None:
    if not word:
        return None
    lowered = word.lower()
    return names.get(lowered, lowered)


def _covers(
    triple: tuple[str, str, str], wanted: tuple[str | None, str | None, str | None]
) -> bool:
    return all(want is None or have == want for have, want in zip(triple, wanted, strict=True))


def _refuses_version(host: HostState, properties: dict[str, str]) -> str | None:
    predicate = properties.get("img_hv_requested_version")
    if not predicate:
        return None
    version = _dotted(host.node.hypervisor_version)
    for operator, number in _VERSION_WORD.findall(predicate):
        if not compare_versions(version, operator or "==", number):
            return f"hypervisor version {predicate} wanted, the host has {version}"
    return None


def _dotted(version: int) -> str:
    return f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}"
