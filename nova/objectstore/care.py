"""The work that repeats: old uploads and leftovers of crashes go."""

import datetime

from oslo_config import cfg

from nova import clock
from nova.objectstore.store import Store
from nova.periodic import PeriodicTask

# A client that sends nothing is cut off long before.
LEFTOVER_AGE_S = 3600.0


def cleaning(conf: cfg.ConfigOpts, store: Store) -> PeriodicTask:
    """Return the task that keeps a store clean."""
    lifetime = datetime.timedelta(seconds=conf.s3_upload_lifetime)

    def clean() -> None:
        now = clock.utcnow()
        store.clean(
            leftovers_before=now.replace(tzinfo=datetime.UTC).timestamp() - LEFTOVER_AGE_S,
            uploads_before=now - lifetime,
        )

    return PeriodicTask(name="clean", interval_s=conf.s3_clean_interval, function=clean)
