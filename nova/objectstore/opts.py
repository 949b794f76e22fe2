"""Options of the object store."""

from oslo_config import cfg

OBJECTSTORE_OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "s3_listen",
        default="0.0.0.0",
        help="Address on which nova-objectstore listens.",
    ),
    cfg.PortOpt(
        "s3_listen_port",
        default=3333,
        help="Port on which nova-objectstore listens.",
    ),
    cfg.IntOpt(
        "s3_workers",
        default=1,
        min=1,
        help="Number of nova-objectstore worker processes.",
    ),
    cfg.StrOpt(
        "buckets_path",
        default="$state_path/buckets",
        help="Folder of the buckets. Several nova-objectstore may share it.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": OBJECTSTORE_OPTS}
