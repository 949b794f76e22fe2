"""Options of the metadata service."""

from oslo_config import cfg

OPTS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": [
        cfg.HostAddressOpt(
            "metadata_listen",
            default="0.0.0.0",
            help="Address on which nova-api-metadata listens.",
        ),
        cfg.PortOpt(
            "metadata_listen_port",
            default=8775,
            help="Port on which nova-api-metadata listens.",
        ),
        cfg.IntOpt(
            "metadata_workers",
            default=1,
            min=1,
            help="Number of nova-api-metadata worker processes.",
        ),
    ],
    "api": [
        cfg.IntOpt(
            "metadata_cache_expiration",
            default=15,
            min=0,
            help="Seconds for which the metadata of a guest is remembered; 0 asks the "
            "conductor on every request.",
        ),
        cfg.BoolOpt(
            "use_forwarded_for",
            default=False,
            help="Take the guest's address from X-Forwarded-For when the request comes from one "
            "of metadata_trusted_proxies.",
        ),
        cfg.ListOpt(
            "metadata_trusted_proxies",
            default=[],
            help="Addresses of the proxies whose X-Forwarded-For is believed.",
        ),
        cfg.IntOpt(
            "metadata_rate_limit",
            default=50,
            min=0,
            help="Metadata requests per second that one guest may make, with bursts of four "
            "seconds' worth; 0 means no limit.",
        ),
        cfg.StrOpt(
            "vendordata_jsonfile_path",
            help="JSON file that guests see as vendor_data.json.",
        ),
        cfg.ListOpt(
            "vendordata_dynamic_targets",
            default=[],
            help="Services that are asked for vendor data, as name@url; their answers appear in "
            "vendor_data2.json under their name.",
        ),
        cfg.IntOpt(
            "vendordata_dynamic_connect_timeout",
            default=5,
            min=1,
            help="Seconds to wait for a connection to a vendor data service.",
        ),
        cfg.IntOpt(
            "vendordata_dynamic_read_timeout",
            default=5,
            min=1,
            help="Seconds within which the whole answer of a vendor data service must come.",
        ),
        cfg.BoolOpt(
            "vendordata_dynamic_failure_fatal",
            default=False,
            help="Answer a guest's metadata request with an error when a vendor data service "
            "fails, instead of leaving its part out.",
        ),
        cfg.StrOpt(
            "vendordata_dynamic_ssl_certfile",
            help="File with the certificates of the authorities that vendor data services are "
            "verified against; the system's authorities when unset.",
        ),
        cfg.ListOpt(
            "config_drive_skip_versions",
            default=[
                "1.0",
                "2007-01-19",
                "2007-03-01",
                "2007-08-29",
                "2007-10-10",
                "2007-12-15",
                "2008-02-01",
                "2008-09-01",
            ],
            help="EC2 metadata dates left out on config drives.",
        ),
    ],
    "neutron": [
        cfg.BoolOpt(
            "service_metadata_proxy",
            default=False,
            help="Believe signed requests of a metadata proxy that name the server in "
            "X-Instance-ID.",
        ),
        cfg.StrOpt(
            "metadata_proxy_shared_secret",
            default="",
            secret=True,
            help="Secret with which the metadata proxy signs server ids; must not be empty when "
            "service_metadata_proxy is on.",
        ),
    ],
}
