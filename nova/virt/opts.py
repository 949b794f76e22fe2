"""Options of the fake driver."""

from oslo_config import cfg

FAKE_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "host_count",
        default=1,
        min=1,
        max=1000,
        help="Number of compute hosts that one nova-compute process plays. Above 1 they are "
        "called <host>-1, <host>-2 and so on. For benchmarks only.",
    ),
    cfg.IntOpt(
        "vcpus",
        default=1000,
        min=1,
        help="CPUs that a fake host reports.",
    ),
    cfg.IntOpt(
        "memory_mb",
        default=800000,
        min=1,
        help="Memory in MiB that a fake host reports.",
    ),
    cfg.IntOpt(
        "local_gb",
        default=600000,
        min=1,
        help="Disk in GiB that a fake host reports.",
    ),
    cfg.FloatOpt(
        "spawn_delay",
        default=0.0,
        min=0.0,
        help="Seconds that a fake host takes to start a guest.",
    ),
]


def _enabled(default: bool, what: str) -> cfg.BoolOpt:
    return cfg.BoolOpt(
        "enabled",
        default=default,
        help=f"Whether the guests of this host have {what}; without it, requests for its URL "
        "are refused.",
    )


OPTS: dict[str, list[cfg.Opt]] = {
    "fake": FAKE_OPTS,
    "vnc": [_enabled(True, "a VNC console")],
    "spice": [_enabled(False, "a SPICE console")],
    "rdp": [_enabled(False, "an RDP console")],
    "serial_console": [_enabled(False, "a serial console that proxies reach")],
    "mks": [_enabled(False, "an MKS console")],
}
