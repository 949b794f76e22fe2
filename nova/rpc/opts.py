"""Options of messaging; those of RabbitMQ itself are declared by oslo.messaging."""

from oslo_config import cfg

RPC_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "rpc_max_message_bytes",
        default=16 * 1024 * 1024,
        min=64 * 1024,
        help="Size in bytes above which a message is neither sent nor read.",
    ),
]

UPGRADE_LEVELS_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        topic,
        regex=r"^\d+\.\d+$",
        help=f"Highest version of the {topic} interface that this service speaks. Set it "
        "while services of an older release still run; unset for no limit.",
    )
    for topic in ("cert", "compute", "conductor", "consoleauth", "network", "scheduler")
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": RPC_OPTS, "upgrade_levels": UPGRADE_LEVELS_OPTS}
