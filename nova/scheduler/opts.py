"""Options of the scheduler."""

from oslo_config import cfg

SCHEDULER_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "workers",
        min=1,
        help="Number of nova-scheduler worker processes. When unset, one.",
    ),
]

FILTER_SCHEDULER_OPTS: list[cfg.Opt] = [
    cfg.MultiStrOpt(
        "available_filters",
        default=["nova.scheduler.filters.all_filters"],
        help="Filters that enabled_filters may name. nova.scheduler.filters.all_filters stands "
        "for those of Nova; any other value is the dotted path of a class.",
    ),
    cfg.ListOpt(
        "enabled_filters",
        default=[
            "AvailabilityZoneFilter",
            "ComputeFilter",
            "ComputeCapabilitiesFilter",
            "ImagePropertiesFilter",
            "ServerGroupAntiAffinityFilter",
            "ServerGroupAffinityFilter",
            "RamFilter",
            "DiskFilter",
            "CoreFilter",
            "ComputeTraitsFilter",
            "NUMATopologyFilter",
            "DifferentHostFilter",
            "SameHostFilter",
        ],
        help="Class names of the filters that every host must pass, in this order. Put those "
        "that refuse most first.",
    ),
    cfg.ListOpt(
        "weight_classes",
        default=["nova.scheduler.weights.all_weighers"],
        help="Weighers in use. nova.scheduler.weights.all_weighers stands for those of Nova; "
        "any other value is the dotted path of a class.",
    ),
    cfg.IntOpt(
        "host_subset_size",
        default=1,
        min=1,
        help="The host is picked at random among this many best hosts. A value above 1 makes "
        "several schedulers less likely to choose the same host.",
    ),
    cfg.BoolOpt(
        "shuffle_best_same_weighed_hosts",
        default=False,
        help="Pick at random among the best hosts of equal weight. Otherwise the one with the "
        "fewest servers is taken.",
    ),
    cfg.IntOpt(
        "max_io_ops_per_host",
        default=8,
        min=0,
        help="IoOpsFilter refuses hosts that build this many servers or more.",
    ),
    cfg.IntOpt(
        "max_instances_per_host",
        default=50,
        min=1,
        help="NumInstancesFilter refuses hosts that have this many servers or more.",
    ),
    cfg.StrOpt(
        "image_properties_default_architecture",
        help="Architecture that ImagePropertiesFilter assumes for images that name none. When "
        "unset, such images suit every architecture.",
    ),
    cfg.StrOpt(
        "aggregate_image_properties_isolation_namespace",
        help="AggregateImagePropertiesIsolation looks only at metadata whose keys begin with this "
        "name and the separator. When unset, at all.",
    ),
    cfg.StrOpt(
        "aggregate_image_properties_isolation_separator",
        default=".",
        help="Stands between the namespace and the rest of a key.",
    ),
    cfg.ListOpt(
        "isolated_hosts",
        default=[],
        help="Hosts that IsolatedHostsFilter keeps for isolated_images.",
    ),
    cfg.ListOpt(
        "isolated_images",
        default=[],
        help="Ids of images whose servers IsolatedHostsFilter sends to isolated_hosts only.",
    ),
    cfg.BoolOpt(
        "restrict_isolated_hosts_to_isolated_images",
        default=True,
        help="Whether IsolatedHostsFilter refuses isolated_hosts to other images.",
    ),
    cfg.FloatOpt(
        "soft_affinity_weight_multiplier",
        default=1.0,
        min=0,
        help="Weight of other members of a server group of the policy soft-affinity. The group "
        "counts for more than free memory, VCPUs and disk together from a value of 10 on.",
    ),
    cfg.FloatOpt(
        "soft_anti_affinity_weight_multiplier",
        default=1.0,
        min=0,
        help="Weight of other members of a server group of the policy soft-anti-affinity.",
    ),
    cfg.FloatOpt(
        "ram_weight_multiplier",
        default=1.0,
        help="Weight of free memory. Positive spreads servers, negative packs them.",
    ),
    cfg.FloatOpt(
        "cpu_weight_multiplier",
        default=1.0,
        help="Weight of free VCPUs. Positive spreads servers, negative packs them.",
    ),
    cfg.FloatOpt(
        "disk_weight_multiplier",
        default=1.0,
        help="Weight of free disk. Positive spreads servers, negative packs them.",
    ),
    cfg.FloatOpt(
        "io_ops_weight_multiplier",
        default=-1.0,
        help="Weight of the number of servers being built. Negative avoids busy hosts.",
    ),
    cfg.FloatOpt(
        "build_failure_weight_multiplier",
        default=1000000.0,
        help="Weight of failed builds, which count negatively. 0 ignores them.",
    ),
    cfg.FloatOpt(
        "num_instances_weight_multiplier",
        default=0.0,
        help="Weight of the number of servers. Positive packs servers, negative spreads them.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    "scheduler": SCHEDULER_OPTS,
    "filter_scheduler": FILTER_SCHEDULER_OPTS,
}
