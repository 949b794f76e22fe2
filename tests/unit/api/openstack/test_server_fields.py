"""What newer versions show of a server: certificates, image properties, hints, the pin."""

import dataclasses

from nova.api.openstack.app import default_rules
from nova.objects.image import Image
from nova.policy import Policy
from tests.fixtures.rest import empty_conf, make_rest_app
from tests.fixtures.rest_site import RestSite

GROUP = "22222222-2222-4333-8444-555555555555"
OTHER = "33333333-2222-4333-8444-555555555555"


def test_certificates_are_refused_as_long_as_nothing_validates_them(cloud: RestSite) -> None:
    rest = cloud.rest.at("2.63")
    body = {"name": "x", "flavorRef": "1", "networks": "none", "imageRef": _image(cloud)}
    body["trusted_image_certificates"] = ["a"]
    answer = rest.post("/servers", {"server": body})
    assert answer.status_int == 400
    assert "trusted_image_certificates" in answer.json["badRequest"]["message"]
    plain = rest.get(f"/servers/{cloud.boot()}").json["server"]
    assert plain["trusted_image_certificates"] is None


def test_az_06_certificates_have_a_rule_of_their_own(cloud: RestSite) -> None:
    rules = {**default_rules(), "os_compute_api:servers:create:trusted_certs": "!"}
    app = make_rest_app(cloud.bus, cloud.images, policy=Policy(empty_conf(), rules))
    rest = dataclasses.replace(cloud.rest.at("2.63"), app=app)
    body = {"name": "x", "flavorRef": "1", "networks": "none", "imageRef": _image(cloud)}
    assert rest.post("/servers", {"server": body}).status_int == 202
    body["trusted_image_certificates"] = ["a"]
    assert rest.post("/servers", {"server": body}).status_int == 403


def _image(cloud: RestSite, **properties: str) -> str:
    image = Image(id=OTHER, name="i", visibility="public", properties=properties)
    cloud.images.add(image, b"x")
    return OTHER


def test_only_known_properties_of_the_image_are_shown(cloud: RestSite) -> None:
    image = _image(cloud, hw_disk_bus="scsi", secret="s", **{"hw_numa_cpus.0": "0"})
    server = cloud.boot(imageRef=image)
    shown = cloud.rest.at("2.98").get(f"/servers/{server}").json["server"]["image"]
    assert shown["properties"] == {"hw_disk_bus": "scsi", "hw_numa_cpus.0": "0"}
    detail = cloud.rest.at("2.98").get("/servers/detail").json["servers"][0]["image"]
    assert detail == shown


def test_hints_are_shown_as_they_were_given(cloud: RestSite) -> None:
    hints = {"group_of": GROUP, "different_host": [GROUP, OTHER], "odd": 5}
    image = _image(cloud)
    body = {"name": "x", "flavorRef": "1", "imageRef": image}
    answer = cloud.rest.post("/servers", {"server": body, "os:scheduler_hints": hints})
    assert answer.status_int == 202, answer.text
    server = answer.json["server"]["id"]
    shown = cloud.rest.at("2.100").get(f"/servers/{server}").json["server"]["scheduler_hints"]
    assert shown == {"group_of": GROUP, "different_host": [GROUP, OTHER], "odd": "5"}
    plain = cloud.rest.at("2.100").get(f"/servers/{cloud.boot()}").json["server"]
    assert plain["scheduler_hints"] == {}


def test_a_pin_is_taken_away_and_set_again(cloud: RestSite) -> None:
    server = cloud.boot(availability_zone="nova")
    path, rest = f"/servers/{server}", cloud.rest.at("2.104")
    assert rest.get(path).json["server"]["pinned_availability_zone"] == "nova"
    for pin in (None, "nova"):
        answer = rest.put(path, {"server": {"pinned_availability_zone": pin}})
        assert answer.json["server"]["pinned_availability_zone"] == pin
        assert rest.get(path).json["server"]["pinned_availability_zone"] == pin
    refused = rest.put(path, {"server": {"name": "new", "pinned_availability_zone": "other"}})
    assert (refused.status_int, list(refused.json)) == (409, ["conflictingRequest"])
    assert rest.get(path).json["server"]["name"] == "web"
    for wrong in ("", 5, "x" * 256):
        answer = rest.put(path, {"server": {"pinned_availability_zone": wrong}})
        assert answer.status_int == 400


def test_flavors_are_found_by_a_part_of_their_name(cloud: RestSite) -> None:
    rest = cloud.rest.at("2.102")
    for pattern, names in (("^sma", ["small"]), ("all$", ["small"]), ("%", []), ("nothing", [])):
        found = rest.get(f"/flavors/detail?name={pattern.replace('%', '%25')}").json["flavors"]
        assert [flavor["name"] for flavor in found] == names
