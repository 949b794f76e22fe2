"""The record of usage audits: which hosts were counted in a period."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time from beginning up to, but without, ending."""

    beginning: datetime.datetime
    ending: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What the audit of one host found; state is RUNNING or DONE."""

    host: str
    state: str
    instances: int
    errors: int
    message: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UsageAudit:
    """The audit of one period: all compute hosts, and what is known of each."""

    period: Period
    hosts: tuple[str, ...] = ()
    entries: tuple[AuditEntry, ...] = ()
