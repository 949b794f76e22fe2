"""Options for images that are registered from bundles in the object store."""

from oslo_config import cfg

BUNDLE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "image_decryption_dir",
        default="/tmp",
        help="Folder in which bundles are joined, decrypted and taken apart. It needs up to "
        "twice the size of the largest image for each bundle that is worked on.",
    ),
    cfg.StrOpt("s3_host", default="$my_ip", help="Address of the object store, for nova-api."),
    cfg.PortOpt("s3_port", default=3333, help="Port of the object store, for nova-api."),
    cfg.BoolOpt("s3_use_ssl", default=False, help="Whether the object store is asked over TLS."),
    cfg.StrOpt(
        "s3_ca_file",
        help="File with the authorities that the object store's certificate must come from. "
        "Unset: those that the system trusts.",
    ),
    cfg.StrOpt(
        "s3_access_key",
        default="notchecked",
        help="Access key with which nova-api reads bundles: EC2 credentials of a user with the "
        "role service.",
    ),
    cfg.StrOpt("s3_secret_key", default="notchecked", secret=True, help="Its secret key."),
    cfg.BoolOpt(
        "s3_affix_tenant",
        default=False,
        help="Whether the project is also written behind the access key, after a colon.",
    ),
    cfg.IntOpt(
        "bundle_max_image_gb",
        default=64,
        min=1,
        max=100,
        help="Largest image in GiB that may be registered from a bundle. A manifest has no room "
        "for the parts of more than 100.",
    ),
    cfg.IntOpt(
        "bundle_timeout",
        default=7200,
        min=60,
        help="Seconds after which a step of a registration that told nothing has failed. Must "
        "be more than the largest image takes to be uploaded.",
    ),
    cfg.IntOpt(
        "bundle_workers",
        default=2,
        min=1,
        help="Number of bundles that a nova-api process works on at once.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": BUNDLE_OPTS}
