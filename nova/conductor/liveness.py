"""Judges from its last report whether a service is up, and in which zone it is."""

import dataclasses
import datetime
from collections.abc import Mapping

from nova.conductor.settings import ConductorSettings
from nova.objects.service import Service

COMPUTE_BINARY = "nova-compute"
NO_ZONES: Mapping[str, str] = {}


def silent_before(settings: ConductorSettings, now: datetime.datetime) -> datetime.datetime:
    """Return the time before which the last report of a service that is down lies."""
    return now - datetime.timedelta(seconds=settings.service_down_time_s)


def judged(
    settings: ConductorSettings,
    service: Service,
    now: datetime.datetime,
    zones: Mapping[str, str] = NO_ZONES,
) -> Service:
    """Return a service with is_up and its zone filled in.

    zones: the zones of hosts that aggregates put into one.
    """
    seen = service.last_seen_up
    is_up = not service.forced_down and seen is not None and seen >= silent_before(settings, now)
    if service.binary == COMPUTE_BINARY:
        zone = zones.get(service.host, settings.default_availability_zone)
    else:
        zone = settings.internal_availability_zone
    return dataclasses.replace(service, is_up=is_up, availability_zone=zone)
