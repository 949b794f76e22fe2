"""Options of the EC2 API."""

from oslo_config import cfg

EC2_OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "ec2_listen",
        default="0.0.0.0",
        help="Address on which nova-api serves the EC2 API.",
    ),
    cfg.PortOpt(
        "ec2_listen_port",
        default=8773,
        help="Port on which nova-api serves the EC2 API.",
    ),
    cfg.IntOpt(
        "ec2_workers",
        default=1,
        min=1,
        help="Number of worker processes for the EC2 API.",
    ),
    cfg.StrOpt(
        "ec2_scheme",
        default="http",
        choices=["http", "https"],
        help="Scheme of the address that DescribeRegions tells.",
    ),
    cfg.HostAddressOpt(
        "ec2_host",
        help="Host in the address that DescribeRegions tells. Unset: my_ip.",
    ),
    cfg.PortOpt(
        "ec2_port",
        default=8773,
        help="Port in the address that DescribeRegions tells.",
    ),
    cfg.StrOpt(
        "ec2_path",
        default="/",
        regex=r"^/",
        help="Path in the address that DescribeRegions tells.",
    ),
    cfg.ListOpt(
        "region_list",
        default=[],
        item_type=cfg.types.String(regex=r"^[A-Za-z0-9._-]+ *= *[A-Za-z0-9._:\[\]-]+$"),
        help="Regions that DescribeRegions tells, as name=host. Empty: one region nova, here.",
    ),
    cfg.IntOpt(
        "ec2_timestamp_expiry",
        default=300,
        min=1,
        max=900,
        help="Seconds that the time of a signed request may be off, in either direction.",
    ),
    cfg.BoolOpt(
        "ec2_private_dns_show_ip",
        default=False,
        help="Show the fixed address of an instance as its private DNS name.",
    ),
    cfg.BoolOpt(
        "ec2_strict_validation",
        default=True,
        help="Take only letters, digits, blanks, hyphens and underscores in names and "
        "descriptions of security groups that are made by EC2.",
    ),
    cfg.BoolOpt(
        "ec2_lockout",
        default=False,
        help="Lock an access key out at an address from which too many requests came that were "
        "not signed with its secret key. Each process of nova-api counts for itself.",
    ),
    cfg.IntOpt(
        "lockout_attempts",
        default=5,
        min=1,
        help="Number of wrong signatures that lock an access key out, if ec2_lockout is set.",
    ),
    cfg.IntOpt(
        "lockout_window",
        default=15,
        min=1,
        help="Minutes within which wrong signatures are counted.",
    ),
    cfg.IntOpt(
        "lockout_minutes",
        default=15,
        min=1,
        help="Minutes for which an access key is locked out.",
    ),
    cfg.URIOpt(
        "keystone_ec2_url",
        schemes=["http", "https"],
        help="Where Keystone validates signatures (…/v3/ec2tokens). Unset: below "
        "[keystone_authtoken] www_authenticate_uri. The credentials are those of "
        "[keystone_authtoken]; their user needs the role service.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": EC2_OPTS}
