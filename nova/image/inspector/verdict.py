"""What an image really is, and whether it may be used.

Neither function opens anything but the bytes it is given, and no other tool is asked.
"""

from collections.abc import Callable
from typing import BinaryIO

from nova import exception
from nova.image.inspector import open_layout, qcow2, refused, vdi, vhd, vhdx, vmdk
from nova.image.inspector.reader import BadImage, BytesReader, FileReader, Reader
from nova.objects.image import ImageFacts

_CONTAINERS: dict[str, tuple[Callable[[Reader], bool], Callable[[Reader], int]]] = {
    "qcow2": (qcow2.matches, qcow2.virtual_size),
    "vmdk": (vmdk.matches, vmdk.virtual_size),
    "vdi": (vdi.matches, vdi.virtual_size),
    "vhd": (vhd.matches, vhd.virtual_size),
    "vhdx": (vhdx.matches, vhdx.virtual_size),
    "luks": (open_layout.is_luks, lambda reader: reader.size),
    "iso": (open_layout.is_iso, lambda reader: reader.size),
}

_CONTENT_OF_DECLARED = {
    "raw": "raw",
    "ami": "raw",
    "aki": "raw",
    "ari": "raw",
    "qcow2": "qcow2",
    "vmdk": "vmdk",
    "vdi": "vdi",
    "vhd": "vhd",
    "vhdx": "vhdx",
    "iso": "iso",
}
BOOTABLE_FORMATS = frozenset(_CONTENT_OF_DECLARED)


def inspect(content: Reader | BinaryIO | bytes, image_id: str = "given") -> ImageFacts:
    """Decide format and virtual size from the bytes alone.

    Raises: ImageUnacceptable for anything malformed, ambiguous or with references.
    """
    reader = _reader(content)
    try:
        return _inspect(reader)
    except BadImage as fault:
        raise exception.ImageUnacceptable(image_id=image_id, reason=f"{fault}.") from None


def check(facts: ImageFacts, declared_format: str | None, image_id: str = "given") -> None:
    """Accept only content of the declared disk format, and only formats that can be booted.

    Raises: ImageUnacceptable.
    """
    wanted = _CONTENT_OF_DECLARED.get(declared_format or "")
    if wanted is None:
        reason = f"the disk format {declared_format} can not be booted."
    elif facts.format != wanted:
        reason = f"it was declared as {declared_format}, but its content is {facts.format}."
    elif not facts.virtual_size_bytes:
        reason = "its disk has no size."
    else:
        return
    raise exception.ImageUnacceptable(image_id=image_id, reason=reason)


def _reader(content: Reader | BinaryIO | bytes) -> Reader:
    if isinstance(content, bytes):
        return BytesReader(content)
    return content if isinstance(content, Reader) else FileReader(content)


def _inspect(reader: Reader) -> ImageFacts:
    if not reader.size:
        raise BadImage("it is empty")
    formats = [name for name, (matches, _) in _CONTAINERS.items() if matches(reader)]
    unusable = refused.find(reader)
    if len(formats) + len(unusable) > 1:
        raise BadImage(
            f"its content can be read as several formats: {', '.join(formats + unusable)}"
        )
    if unusable:
        raise BadImage(f"the format {unusable[0]} is not supported")
    partitions = open_layout.partition_table(reader)
    if not formats:
        return _facts(reader, "raw", reader.size, partitions)
    name = formats[0]
    if partitions and not _may_be_partitioned(reader, name):
        raise BadImage(f"its content can be read as several formats: {name}, {partitions}")
    return _facts(reader, name, _CONTAINERS[name][1](reader), partitions)


def _may_be_partitioned(reader: Reader, name: str) -> bool:
    """Tell whether the disk's own sectors come first: hybrid ISO images, fixed-size VHD."""
    return name == "iso" or (name == "vhd" and not vhd.matches_start(reader))


def _facts(reader: Reader, name: str, size: int, partitions: str | None) -> ImageFacts:
    return ImageFacts(
        format=name,
        virtual_size_bytes=size,
        file_size_bytes=reader.size,
        partition_table=partitions,
    )
