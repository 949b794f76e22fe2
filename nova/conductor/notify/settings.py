"""Which notifications are sent."""

import dataclasses

from oslo_config import cfg

UNVERSIONED = "unversioned"
VERSIONED = "versioned"
STATE_AND_TASK = "vm_and_task_state"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """forms: of unversioned and versioned.  state_changes: None, vm_state, vm_and_task_state."""

    forms: frozenset[str] = frozenset({UNVERSIONED})
    state_changes: str | None = None
    topic: str = "notifications"
    versioned_topic: str = "versioned_notifications"


def notification_settings(conf: cfg.ConfigOpts) -> NotificationSettings:
    """Return the settings that the options name."""
    group = conf.notifications
    named = group.notification_format
    return NotificationSettings(
        forms=frozenset({UNVERSIONED, VERSIONED} if named == "both" else {named}),
        state_changes=group.notify_on_state_change,
        versioned_topic=group.versioned_notifications_topics[0],
    )
