"""os-availability-zone: zones with their hosts."""

from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object, Type
from nova.api.openstack.schema_types import NULL, STRING, STRING_OR_NULL, TRUE_OR_FALSE
from nova.clock import isoformat
from nova.objects.service import AvailabilityZone, Service
from nova.policy import ADMIN, ANY

availability_zones = Resource("os-availability-zone", rules={"list": ANY, "detail": ADMIN})


_SERVICE: Json = {
    "type": "object",
    "properties": {
        "available": TRUE_OR_FALSE,
        "active": TRUE_OR_FALSE,
        "updated_at": STRING_OR_NULL,
    },
    "required": ["available", "active", "updated_at"],
    "additionalProperties": False,
}
_SERVICES: Json = {"type": "object", "additionalProperties": _SERVICE}
_HOSTS: Json = {"type": "object", "additionalProperties": _SERVICES}


def _zones(hosts: Type) -> Object:
    """Return the document of the zones, with what it says of their hosts."""
    zone = Object(
        Key("zoneName", STRING, required=True),
        Key("zoneState", named("available", TRUE_OR_FALSE), required=True),
        Key("hosts", hosts, required=True),
    )
    return items("availabilityZoneInfo", zone)


@availability_zones.route("GET /os-availability-zone", policy="list", answer=_zones(NULL))
def index(call: Call) -> dict[str, object]:
    """List the zones in which servers can be."""
    zones = call.conductor.hosts.list_zones(call.context)
    shown = [_document(zone, None) for zone in zones if zone.name != call.settings.internal_zone]
    return {"availabilityZoneInfo": shown}


@availability_zones.route(
    "GET /os-availability-zone/detail", policy="detail", answer=_zones(AnyOf(_HOSTS, NULL))
)
def detail(call: Call) -> dict[str, object]:
    """List all zones with their hosts and services."""
    zones = call.conductor.hosts.list_zones(call.context)
    return {
        "availabilityZoneInfo": [
            _document(zone, _hosts(zone) if zone.available else None) for zone in zones
        ]
    }


def _document(zone: AvailabilityZone, hosts: Json | None) -> Json:
    return {"zoneName": zone.name, "zoneState": {"available": zone.available}, "hosts": hosts}


def _hosts(zone: AvailabilityZone) -> Json:
    return {
        host: {service.binary: _service(service) for service in services}
        for host, services in zone.hosts.items()
    }


def _service(service: Service) -> Json:
    return {
        "available": service.is_up,
        "active": not service.disabled,
        "updated_at": isoformat(service.last_seen_up) if service.last_seen_up else None,
    }
