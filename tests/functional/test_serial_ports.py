"""How many serial ports flavors and images may ask for."""

import uuid

import pytest

from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.context import get_admin_context
from nova.objects.flavor import NewFlavor
from nova.objects.image import Image


def request(cloud, of_flavor, of_image):
    """Ask for a server of a flavor and an image with these numbers of ports; return the answer."""
    flavors = cloud.bus.client(ConductorFlavors).anyone()
    new = NewFlavor(flavorid="ports", name="ports", memory_mb=512, vcpus=1, root_gb=1)
    flavors.create(get_admin_context(), new)
    if of_flavor is not None:
        specs = {"hw:serial_port_count": of_flavor}
        flavors.set_extra_specs(get_admin_context(), "ports", specs)
    properties = {} if of_image is None else {"hw_serial_port_count": of_image}
    image = Image(id=str(uuid.uuid4()), visibility="public", properties=properties)
    cloud.images.add(image, b"image")
    body = {"name": "web", "flavorRef": "ports", "imageRef": image.id, "networks": "none"}
    return cloud.rest.at("2.37").post("/servers", {"server": body})


@pytest.mark.parametrize(
    ("of_flavor", "of_image", "told"),
    [
        ("1", "2", "The image wants 2 serial ports, the flavor allows 1."),
        (None, "5", "A server can have at most 4 serial ports."),
        ("9", None, "A server can have at most 4 serial ports."),
        (None, "many", "hw_serial_port_count must be a whole number"),
        ("-1", None, "hw:serial_port_count must be a whole number"),
    ],
)
def test_bad_number_of_serial_ports_is_refused_at_once(new_cloud, of_flavor, of_image, told):
    cloud = new_cloud(hosts=1)
    answer = request(cloud, of_flavor, of_image)
    assert answer.status_int == 400
    assert told in answer.json["badRequest"]["message"]
    cloud.assert_nothing_left()


@pytest.mark.parametrize(("of_flavor", "of_image"), [("2", "2"), ("4", None), (None, "4")])
def test_good_number_of_serial_ports_is_accepted(new_cloud, of_flavor, of_image):
    assert request(new_cloud(hosts=1), of_flavor, of_image).status_int == 202
