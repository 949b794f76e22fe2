"""Availability zones over the real conductor."""

from tests.fixtures.conductor import seed_network_host
from tests.fixtures.rest_site import RestSite

PATH = "/os-availability-zone"


def _disable(cloud: RestSite, *hosts: str) -> None:
    for host in hosts:
        body = {"host": host, "binary": "nova-compute"}
        assert cloud.admin.put("/os-services/disable", body).status_int == 200


def test_everybody_sees_zones_without_hosts(cloud: RestSite) -> None:
    seed_network_host(cloud.conductor)
    nova = {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
    for rest in (cloud.rest, cloud.admin, cloud.rest.at("2.96")):
        assert rest.get(PATH).json == {"availabilityZoneInfo": [nova]}


def test_the_internal_zone_is_hidden_by_its_name(cloud: RestSite) -> None:
    seed_network_host(cloud.conductor)
    rest = cloud.with_settings(internal_zone="other").rest
    names = [zone["zoneName"] for zone in rest.get(PATH).json["availabilityZoneInfo"]]
    assert names == ["internal", "nova"]


def test_administrators_see_hosts_and_services(cloud: RestSite) -> None:
    seed_network_host(cloud.conductor, "host2")
    _disable(cloud, "host2")
    now = cloud.clock.now.isoformat(timespec="microseconds")
    on = {"available": True, "active": True, "updated_at": now}
    off = {**on, "active": False}
    assert cloud.admin.get(f"{PATH}/detail").json == {
        "availabilityZoneInfo": [
            {
                "zoneName": "internal",
                "zoneState": {"available": True},
                "hosts": {"host2": {"nova-network": on}},
            },
            {
                "zoneName": "nova",
                "zoneState": {"available": True},
                "hosts": {"host1": {"nova-compute": on}, "host2": {"nova-compute": off}},
            },
        ]
    }


def test_a_zone_without_enabled_hosts_is_not_available(cloud: RestSite) -> None:
    _disable(cloud, "host1", "host2")
    nova = {"zoneName": "nova", "zoneState": {"available": False}, "hosts": None}
    assert cloud.rest.get(PATH).json == {"availabilityZoneInfo": [nova]}
    assert cloud.admin.get(f"{PATH}/detail").json == {"availabilityZoneInfo": [nova]}


def test_silent_services_are_not_available(cloud: RestSite) -> None:
    cloud.clock.advance(100)
    (zone,) = cloud.admin.get(f"{PATH}/detail").json["availabilityZoneInfo"]
    assert zone["hosts"]["host1"]["nova-compute"]["available"] is False


def test_az_07_details_are_for_administrators(cloud: RestSite) -> None:
    assert cloud.rest.get(f"{PATH}/detail").status_int == 403
