"""Turns the scheduler's options into rules."""

from oslo_config import cfg

from nova.objects.image_isolation import ImageIsolation
from nova.scheduler import loading
from nova.scheduler.choose import Rules
from nova.scheduler.filters.base import FilterSettings


def rules_from(conf: cfg.ConfigOpts) -> Rules:
    """Return filters, weighers and habits as configured.  Raises: ConfigurationError."""
    group = conf.filter_scheduler
    settings = FilterSettings(
        max_io_ops_per_host=group.max_io_ops_per_host,
        max_instances_per_host=group.max_instances_per_host,
        image_properties_default_architecture=group.image_properties_default_architecture,
        image_isolation=ImageIsolation(
            hosts=tuple(group.isolated_hosts),
            images=tuple(group.isolated_images),
            restrict=group.restrict_isolated_hosts_to_isolated_images,
            namespace=group.aggregate_image_properties_isolation_namespace,
            separator=group.aggregate_image_properties_isolation_separator,
        ),
    )
    multipliers = {
        name: value for name, value in dict(group).items() if name.endswith("_weight_multiplier")
    }
    return Rules(
        filters=loading.load_filters(group.available_filters, group.enabled_filters, settings),
        weighers=loading.load_weighers(group.weight_classes, multipliers),
        host_subset_size=group.host_subset_size,
        shuffle=group.shuffle_best_same_weighed_hosts,
    )
