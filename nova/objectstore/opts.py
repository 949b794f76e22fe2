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
    cfg.IntOpt(
        "s3_quota_bytes",
        default=-1,
        min=-1,
        help="Bytes that a project may store, parts of uploads among them; -1 is without limit. "
        "All nova-objectstore that share a folder need the same quotas.",
    ),
    cfg.IntOpt(
        "s3_quota_objects",
        default=-1,
        min=-1,
        help="Objects that a project may store; -1 is without limit.",
    ),
    cfg.IntOpt(
        "s3_upload_lifetime",
        default=604800,
        min=3600,
        help="Seconds until an upload in parts that has not come to its end is dropped.",
    ),
    cfg.IntOpt(
        "s3_clean_interval",
        default=3600,
        min=0,
        help="Seconds between two searches for old uploads and for what crashes left; 0 is never.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": OBJECTSTORE_OPTS}
