"""Notifications: what happened, for whoever listens; nobody has to."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One event.

    topic: notifications (old form) or versioned_notifications.  priority: info or error.
    context: request id, user and project; never a token.
    """

    topic: str
    publisher_id: str
    event_type: str
    payload: dict[str, Any]
    priority: str = "info"
    context: dict[str, Any] = dataclasses.field(default_factory=dict)
