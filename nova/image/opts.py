"""Options for the image service and for the image cache of the hosts."""

from keystoneauth1 import loading
from oslo_config import cfg

GLANCE_GROUP = "glance"
SERVICE_USER_GROUP = "service_user"

GLANCE_OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "api_servers",
        default=[],
        help="Addresses of Glance API servers, as URLs. Tried in turn. When empty, "
        "endpoint_override or the service catalogue tells the address.",
    ),
    cfg.IntOpt(
        "num_retries",
        default=3,
        min=0,
        help="How often a request to Glance or a broken download is repeated.",
    ),
]

IMAGE_CACHE_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "manager_interval",
        default=2400,
        min=-1,
        help="Seconds between two passes that remove unused base images. "
        "0 means every periodic run, -1 never.",
    ),
    cfg.StrOpt(
        "subdirectory_name",
        default="_base",
        regex=r"^[A-Za-z0-9_.-]+$",
        help="Folder below instances_path that holds base images.",
    ),
    cfg.BoolOpt(
        "remove_unused_base_images",
        default=True,
        help="Remove base images that no server on this host uses.",
    ),
    cfg.IntOpt(
        "remove_unused_original_minimum_age_seconds",
        default=86400,
        min=0,
        help="Seconds that a base image must have been unused before it is removed.",
    ),
    cfg.IntOpt(
        "remove_unused_resized_minimum_age_seconds",
        default=3600,
        min=0,
        help="Seconds that an empty ephemeral or swap base must have been unused before it "
        "is removed.",
    ),
]

IMAGE_TOOL_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "images_cpu_time_limit",
        default=30,
        min=1,
        help="Seconds of CPU time that a program may use to look at one image.",
    ),
    cfg.IntOpt(
        "images_convert_time_limit",
        default=1800,
        min=1,
        help="Seconds that the conversion of one image to a disk may take, of CPU time and "
        "altogether.",
    ),
    cfg.IntOpt(
        "images_address_space_limit",
        default=2048,
        min=256,
        help="Address space in MiB that a program may use to look at or convert one image.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    GLANCE_GROUP: [
        *GLANCE_OPTS,
        *loading.get_session_conf_options(),
        *loading.get_adapter_conf_options(),
        *loading.get_auth_common_conf_options(),
    ],
    SERVICE_USER_GROUP: [
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
    ],
    "image_cache": IMAGE_CACHE_OPTS,
    "libvirt": IMAGE_TOOL_OPTS,
}
