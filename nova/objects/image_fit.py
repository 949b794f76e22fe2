"""Whether a hypervisor can run an image, judged by the image's properties.  Pure."""

import operator
import re
from collections.abc import Callable, Mapping

from nova.objects.service import ComputeNode

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
_VERSIONS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def why_not_here(
    node: ComputeNode, properties: Mapping[str, str], default_architecture: str | None = None
) -> str | None:
    """Return why a hypervisor does not suit an image, with numbers; None when it does.

    One supported triple must have all that is asked for, and the version must suit too.
    default_architecture: of images that name none; None suits every one.
    """
    wanted = _wanted(properties, default_architecture)
    supported = node.supported_instances
    if any(wanted) and not any(_covers(triple, wanted) for triple in supported):
        words = "/".join(word or "any" for word in wanted)
        return f"{words} wanted, not among {len(supported)} supported kinds"
    return _refuses_version(node, properties)


def compare_versions(have: str, symbol: str, wanted: str) -> bool:
    """Compare dotted version numbers; missing parts count as zero."""
    left, right = _parts(have), _parts(wanted)
    width = max(len(left), len(right))
    return _VERSIONS[symbol](_padded(left, width), _padded(right, width))


def _wanted(
    properties: Mapping[str, str], default_architecture: str | None
) -> tuple[str | None, str | None, str | None]:
    architecture = (
        properties.get("hw_architecture") or properties.get("architecture") or default_architecture
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


def _refuses_version(node: ComputeNode, properties: Mapping[str, str]) -> str | None:
    predicate = properties.get("img_hv_requested_version")
    if not predicate:
        return None
    version = _dotted(node.hypervisor_version)
    for symbol, number in _VERSION_WORD.findall(predicate):
        if not compare_versions(version, symbol or "==", number):
            return f"hypervisor version {predicate} wanted, the host has {version}"
    return None


def _dotted(version: int) -> str:
    return f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


def _padded(parts: tuple[int, ...], width: int) -> tuple[int, ...]:
    return parts + (0,) * (width - len(parts))
