"""Read definitions of guests as libvirt gives them back.  Pure."""

import dataclasses
from xml.etree.ElementTree import Element, tostring

from defusedxml import ElementTree


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FoundDisk:
    """A disk in a file.

    target: the guest's name of it, such as vda.  backing_path, backing_format: of the file
    that it is laid over, None for none.  copy_path: where it is being copied to; copied:
    that copy is complete and follows every write.
    """

    path: str
    target: str
    backing_path: str | None = None
    backing_format: str | None = None
    copy_path: str | None = None
    copied: bool = False


def find_disk(definition: str, path: str) -> FoundDisk | None:
    """Return the disk whose contents are in this file, None if there is none."""
    for element in ElementTree.fromstring(definition).iterfind("devices/disk"):
        if _file(element) == path:
            return _found_disk(element, path)
    return None


def interface_devices(definition: str) -> dict[str, str | None]:
    """Return the host's devices of a guest's interfaces by MAC address."""
    root = ElementTree.fromstring(definition)
    return {mac: _attribute(each, "target", "dev") for mac, each in _interfaces(root).items()}


def interface_xml(definition: str, mac: str) -> str | None:
    """Return the definition of the interface with this MAC address, None if there is none."""
    found = _interfaces(ElementTree.fromstring(definition)).get(mac.lower())
    return None if found is None else tostring(found, encoding="unicode")


def _interfaces(root: Element) -> dict[str, Element]:
    found = {}
    for element in root.iterfind("devices/interface"):
        mac = _attribute(element, "mac", "address")
        if mac:
            found[mac.lower()] = element
    return found


def _found_disk(element: Element, path: str) -> FoundDisk:
    backing, mirror = element.find("backingStore"), element.find("mirror")
    return FoundDisk(
        path=path,
        target=_attribute(element, "target", "dev") or "",
        backing_path=_file(backing),
        backing_format=None if backing is None else _attribute(backing, "format", "type"),
        copy_path=_file(mirror),
        copied=mirror is not None and mirror.get("ready") == "yes",
    )


def _file(element: Element | None) -> str | None:
    return None if element is None else _attribute(element, "source", "file")


def _attribute(element: Element, tag: str, name: str) -> str | None:
    child = element.find(tag)
    return None if child is None else child.get(name)
