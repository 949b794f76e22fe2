"""Tells the world what became of servers, in the forms that are configured."""

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

from nova.conductor.notify import unversioned, versioned
from nova.conductor.notify.events import OPERATIONS
from nova.conductor.notify.settings import (
    STATE_AND_TASK,
    UNVERSIONED,
    VERSIONED,
    NotificationSettings,
)
from nova.context import RequestContext
from nova.db import archive, instances
from nova.db.engine import Database
from nova.exception import NovaException
from nova.objects.instance import Fault, Instance
from nova.objects.operation import ActionResult, Operation
from nova.rpc.bus import Bus
from nova.rpc.notification import Notification

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event in both forms; a form without payload is not sent."""

    publisher_id: str
    unversioned_type: str = ""
    unversioned: dict[str, Any] | None = None
    versioned_type: str = ""
    versioned: dict[str, Any] | None = None
    priority: str = "info"


class Notifier:
    """Sends events; a broker that is away costs a line in the log and nothing else."""

    def __init__(self, bus: Bus, db: Database, settings: NotificationSettings) -> None:
        self._bus = bus
        self._db = db
        self._settings = settings

    @property
    def active(self) -> bool:
        """Tell whether anything is told at all."""
        return self._bus.notifies

    def tell(self, context: RequestContext, event: Event) -> None:
        """Send one event in the configured forms."""
        settings = self._settings
        if UNVERSIONED in settings.forms and event.unversioned is not None:
            self._send(context, event, settings.topic, event.unversioned_type, event.unversioned)
        if VERSIONED in settings.forms and event.versioned is not None:
            topic = settings.versioned_topic
            self._send(context, event, topic, event.versioned_type, event.versioned)

    def tell_safely(self, context: RequestContext, event: Event) -> None:
        """Send one event, if anybody listens."""
        if self.active:
            self._guarded(lambda: self.tell(context, event))

    def began(self, context: RequestContext, action: str, instance: Instance) -> None:
        """Tell that an operation on a server begins."""
        if self.active:
            before = dataclasses.replace(instance, task_state=None)
            self._guarded(lambda: self._operation(context, action, instance, "start", None))
            self._guarded(lambda: self._states(context, before, instance))

    def ended(
        self,
        context: RequestContext,
        operation: Operation,
        result: ActionResult,
        before: Instance,
    ) -> None:
        """Tell how an operation ended; before is the server as it was until then."""
        if self.active:
            self._guarded(lambda: self._ended(context, operation, result, before))

    def happened(self, context: RequestContext, action: str, instance: Instance) -> None:
        """Tell of something that is done at once, such as a lock."""
        if self.active:
            self._guarded(lambda: self._operation(context, action, instance, "", None))

    def _ended(
        self,
        context: RequestContext,
        operation: Operation,
        result: ActionResult,
        before: Instance,
    ) -> None:
        with self._db.reading() as tx:
            uuid = operation.instance_uuid
            after = instances.find(tx, uuid) or archive.find(tx, uuid)
        if after is None:
            return
        phase = "end" if result.succeeded else "error"
        self._operation(context, operation.action, after, phase, result.fault)
        self._states(context, before, after)

    def _operation(
        self,
        context: RequestContext,
        action: str,
        instance: Instance,
        phase: str,
        fault: Fault | None,
    ) -> None:
        names = OPERATIONS[action]
        suffix = f".{phase}" if phase else ""
        priority = "error" if phase == "error" else "info"
        publisher = f"compute.{instance.host}" if instance.host else "conductor"
        old = self._unversioned_payload(action, instance, phase, fault)
        for name in names.unversioned:
            event = Event(
                publisher_id=publisher,
                unversioned_type=f"compute.instance.{name}{suffix}",
                unversioned=old,
                priority=priority,
            )
            self.tell(context, event)
        new = self._versioned_payload(context, action, instance, fault)
        for name in names.versioned:
            event = Event(
                publisher_id=publisher.replace("compute.", "nova-compute:", 1),
                versioned_type=f"instance.{name}{suffix}",
                versioned=new,
                priority=priority,
            )
            self.tell(context, event)

    def _unversioned_payload(
        self, action: str, instance: Instance, phase: str, fault: Fault | None
    ) -> dict[str, Any]:
        if fault is not None:
            return unversioned.failure(instance, fault.message, fault.code)
        payload = unversioned.instance_payload(instance)
        if action == "create":
            payload["image_name"] = instance.image_properties.get("image_name", "")
            payload["message"] = "Success" if phase == "end" else ""
        return payload

    def _versioned_payload(
        self, context: RequestContext, action: str, instance: Instance, fault: Fault | None
    ) -> dict[str, Any]:
        data = versioned.instance_data(
            instance, context.request_id, context.user_id, context.project_id
        )
        told = None if fault is None else versioned.fault_payload(fault.message, "NovaException")
        if action == "create":
            return versioned.create_payload(data, instance, told)
        return versioned.action_payload(data, told)

    def _states(self, context: RequestContext, before: Instance, now: Instance) -> None:
        """Tell of a change of states as notify_on_state_change asks for."""
        wanted = self._settings.state_changes
        changed = before.vm_state != now.vm_state
        if wanted == STATE_AND_TASK:
            changed = changed or before.task_state != now.task_state
        if wanted is None or not changed:
            return
        event = Event(
            publisher_id=f"compute.{now.host}" if now.host else "conductor",
            unversioned_type="compute.instance.update",
            unversioned=unversioned.state_change(now, before.vm_state, before.task_state),
            versioned_type="instance.update",
            versioned=versioned.action_payload(
                versioned.instance_data(
                    now, context.request_id, context.user_id, context.project_id
                ),
                None,
            ),
        )
        self.tell(context, event)

    def _send(
        self,
        context: RequestContext,
        event: Event,
        topic: str,
        event_type: str,
        payload: dict[str, Any],
    ) -> None:
        notification = Notification(
            topic=topic,
            publisher_id=event.publisher_id,
            event_type=event_type,
            payload=payload,
            priority=event.priority,
            context={
                "request_id": context.request_id,
                "user_id": context.user_id,
                "project_id": context.project_id,
            },
        )
        self._bus.notify(notification)

    def _guarded(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except NovaException as error:
            LOG.warning("A notification could not be sent: %s", error)
