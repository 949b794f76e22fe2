"""What libvirt says about the host, parsed into values.  Pure."""

import dataclasses
import json
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from nova.objects.flavor_wishes import cpu_set
from nova.objects.numa import HostCell, HostNuma

_CELLS = "host/topology/cells/cell"
_MODES = {"linux": "xen"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostCpu:
    """The host's processor."""

    architecture: str
    model: str | None = None
    vendor: str | None = None
    features: tuple[str, ...] = ()
    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None

    def as_json(self) -> str:
        """Return the text that hypervisor records carry as cpu_info."""
        topology = {"sockets": self.sockets, "cores": self.cores, "threads": self.threads}
        return json.dumps(
            {
                "arch": self.architecture,
                "model": self.model,
                "vendor": self.vendor,
                "features": list(self.features),
                "topology": {name: value for name, value in topology.items() if value},
            }
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostCapabilities:
    """guests: (architecture, domain type, mode) of every kind of guest libvirt can run.

    cells: all processors of the host, as if all were shared.
    """

    cpu: HostCpu
    guests: tuple[tuple[str, str, str], ...] = ()
    cells: HostNuma = dataclasses.field(default_factory=HostNuma)

    def offers(self, virt_type: str) -> bool:
        """Tell whether guests of the host's own architecture can have this domain type."""
        return any(
            architecture == self.cpu.architecture and kind == virt_type
            for architecture, kind, _mode in self.guests
        )


def parse(text: str) -> HostCapabilities:
    """Return what a capabilities document says.

    Source: libvirt driver capabilities XML format.
    """
    root = ElementTree.fromstring(text)
    guests = []
    for guest in root.iterfind("guest"):
        mode = guest.findtext("os_type") or "hvm"
        for arch in guest.iterfind("arch"):
            for domain in arch.iterfind("domain"):
                triple = (arch.get("name", ""), domain.get("type", ""), _MODES.get(mode, mode))
                guests.append(triple)
    cpu = root.find("host/cpu")
    topology = root.find("host/cpu/topology")

    def count(name: str) -> int | None:
        value = topology.get(name) if topology is not None else None
        return int(value) if value else None

    return HostCapabilities(
        cpu=HostCpu(
            architecture=root.findtext("host/cpu/arch") or "",
            model=root.findtext("host/cpu/model"),
            vendor=root.findtext("host/cpu/vendor"),
            features=tuple(
                feature.get("name", "")
                for feature in (cpu if cpu is not None else ())
                if feature.tag == "feature"
            ),
            sockets=count("sockets"),
            cores=count("cores"),
            threads=count("threads"),
        ),
        guests=tuple(guests),
        cells=HostNuma(cells=tuple(_cell(each) for each in root.iterfind(_CELLS))),
    )


def _cell(element: Element) -> HostCell:
    cpus = list(element.iterfind("cpus/cpu"))
    groups = {cpu_set("siblings", cpu.get("siblings", "") or cpu.get("id", "")) for cpu in cpus}
    return HostCell(
        id=int(element.get("id", "0")),
        cpus=tuple(sorted(int(cpu.get("id", "0")) for cpu in cpus)),
        memory_mb=int(element.findtext("memory") or 0) // 1024,
        siblings=tuple(sorted(tuple(sorted(group)) for group in groups if len(group) > 1)),
        pages_total={
            int(page.get("size", "0")): int(page.text or 0)
            for page in element.iterfind("pages")
            if int(page.text or 0)
        },
    )
