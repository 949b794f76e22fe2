"""Options of the database; only the conductor's process reads them."""

from oslo_config import cfg

DATABASE_GROUP = "database"

DATABASE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "connection",
        default="sqlite:////var/lib/nova/nova.sqlite",
        secret=True,
        help="Address of the database: sqlite:///FILE, mysql+pymysql://USER:PASSWORD@HOST/NAME or "
        "postgresql+psycopg2://USER:PASSWORD@HOST/NAME.",
    ),
    cfg.IntOpt(
        "max_pool_size",
        default=20,
        min=1,
        help="Connections that each worker keeps open; as many as it had in use at once.",
    ),
    cfg.IntOpt(
        "max_overflow",
        default=40,
        min=0,
        help="Connections that each worker may open beyond max_pool_size; closed after use.",
    ),
    cfg.IntOpt(
        "pool_timeout",
        default=30,
        min=1,
        help="Seconds to wait for a connection of the pool.",
    ),
    cfg.IntOpt(
        "connection_recycle_time",
        default=3600,
        min=-1,
        help="Age in seconds at which a pooled connection is replaced; -1 never. Keep it below "
        "the server's own limit for idle connections.",
    ),
    cfg.IntOpt(
        "max_retries",
        default=10,
        min=0,
        help="How often a transaction is repeated after a deadlock, a serialization failure or "
        "a lost connection.",
    ),
    cfg.FloatOpt(
        "retry_interval",
        default=0.05,
        min=0.0,
        help="Seconds before the first repeat of a transaction; doubled with each further one.",
    ),
    cfg.FloatOpt(
        "max_retry_interval",
        default=2.0,
        min=0.0,
        help="Upper limit in seconds of the wait between two repeats.",
    ),
    cfg.FloatOpt(
        "sqlite_busy_timeout",
        default=30.0,
        min=0.0,
        help="Seconds to wait for another writer of a SQLite file.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {DATABASE_GROUP: DATABASE_OPTS}
