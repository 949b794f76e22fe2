"""What a flavor allows a guest of processor time, disk and network, and of small devices.  Pure.

Source: virt-driver, sections 2 and 3.
"""

import dataclasses
import re
from collections.abc import Mapping

from nova.objects.flavor import Flavor
from nova.objects.flavor_wishes import number, refuse, truth

MAX_SERIAL_PORTS = 4

_PERIOD_US = (1000, 1_000_000)
_LEAST_QUOTA_US = 1000
_LARGEST = 2**63 - 1
_SHARES = (2, 262144)
_WAYS = ("read", "write")
_DIRECTIONS = ("inbound", "outbound")
_DISK_LIMITS = tuple(f"{way}_{what}_sec" for what in ("bytes", "iops") for way in ("total", *_WAYS))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CpuLimits:
    """Shares and limits of processor time; periods and quotas in microseconds."""

    shares: int | None = None
    period: int | None = None
    quota: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Limits of one direction: average and peak in KB/s, burst in KB."""

    average: int
    peak: int | None = None
    burst: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RandomRate:
    """So many bytes of randomness per period in milliseconds."""

    bytes: int
    period_ms: int | None = None


def cpu_limits(flavor: Flavor) -> CpuLimits:
    """Return the limits quota:cpu_*.  Raises: Invalid."""
    found = CpuLimits(
        shares=_quota(flavor, "cpu_shares"),
        period=_quota(flavor, "cpu_period"),
        quota=_quota(flavor, "cpu_quota"),
    )
    if found.shares is not None and not _SHARES[0] <= found.shares <= _SHARES[1]:
        refuse(f"quota:cpu_shares must be from {_SHARES[0]} to {_SHARES[1]}.")
    if found.period is not None and not _PERIOD_US[0] <= found.period <= _PERIOD_US[1]:
        refuse(f"quota:cpu_period must be from {_PERIOD_US[0]} to {_PERIOD_US[1]}.")
    if found.quota is not None and 0 <= found.quota < _LEAST_QUOTA_US:
        refuse(f"quota:cpu_quota must be at least {_LEAST_QUOTA_US}, or -1 for no limit.")
    return found


def disk_limits(flavor: Flavor) -> dict[str, int]:
    """Return the limits quota:disk_*, by names such as read_iops_sec.  Raises: Invalid."""
    given = {name: _quota(flavor, f"disk_{name}") for name in _DISK_LIMITS}
    found = {name: value for name, value in given.items() if value}
    for what in ("bytes", "iops"):
        if f"total_{what}_sec" in found and found.keys() & {f"{w}_{what}_sec" for w in _WAYS}:
            refuse(f"quota:disk_total_{what}_sec excludes limits of reading and writing.")
    return found


def bandwidths(flavor: Flavor) -> dict[str, Bandwidth]:
    """Return the limits quota:vif_* by direction: inbound, outbound.  Raises: Invalid."""
    found = {}
    for direction in _DIRECTIONS:
        average, peak, burst = (
            _quota(flavor, f"vif_{direction}_{name}") for name in ("average", "peak", "burst")
        )
        if average:
            found[direction] = Bandwidth(average=average, peak=peak or None, burst=burst or None)
        elif peak or burst:
            refuse(f"quota:vif_{direction}_average must be given with peak and burst.")
    return found


def random_rate(flavor: Flavor) -> RandomRate | None:
    """Return the limit hw_rng:rate_*, None for no limit.  Raises: Invalid."""
    size = number("hw_rng:rate_bytes", flavor.extra_specs.get("hw_rng:rate_bytes"), 0)
    period = number("hw_rng:rate_period", flavor.extra_specs.get("hw_rng:rate_period"), 0)
    return RandomRate(bytes=size, period_ms=period or None) if size else None


def random_allowed(flavor: Flavor) -> bool:
    """Tell whether the guest may have a random number device.  Raises: Invalid."""
    return truth("hw_rng:allowed", flavor.extra_specs.get("hw_rng:allowed", "true"))


def serial_ports(flavor: Flavor, image_properties: Mapping[str, str]) -> int:
    """Return the number of serial ports: the image's wish within the flavor's limit.

    Raises: Invalid.
    """
    limit = number("hw:serial_port_count", flavor.extra_specs.get("hw:serial_port_count"), 0)
    wish = number("hw_serial_port_count", image_properties.get("hw_serial_port_count"), 0)
    if limit is not None and wish is not None and wish > limit:
        refuse(f"The image wants {wish} serial ports, the flavor allows {limit}.")
    count = next((value for value in (wish, limit) if value is not None), 1)
    if count > MAX_SERIAL_PORTS:
        refuse(f"A server can have at most {MAX_SERIAL_PORTS} serial ports.")
    return count


def video_ram_mb(flavor: Flavor, image_properties: Mapping[str, str]) -> int | None:
    """Return the memory of the video card, None for the default.

    Raises: Invalid when the image wants more than the flavor allows.
    """
    most = number("hw_video:ram_max_mb", flavor.extra_specs.get("hw_video:ram_max_mb"), 0) or 0
    wish = number("hw_video_ram", image_properties.get("hw_video_ram"), 0) or 0
    if wish > most:
        refuse(f"The image wants {wish} MB of video memory, the flavor allows {most} MB.")
    return wish or None


def _quota(flavor: Flavor, name: str) -> int | None:
    """Return a number of the flavor's; unlike other numbers it may be large or negative."""
    text = flavor.extra_specs.get(f"quota:{name}")
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", text.strip()) or abs(int(text)) > _LARGEST:
        refuse(f"The flavor's extra spec quota:{name} must be a whole number.")
    if int(text) < 0 and name != "cpu_quota":
        refuse(f"The flavor's extra spec quota:{name} must not be negative.")
    return int(text)
