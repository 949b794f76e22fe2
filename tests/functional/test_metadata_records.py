"""What the metadata service learns about servers, and when it is told to forget."""

import base64
import logging

from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context

ADMIN = get_admin_context()


def address_of(server):
    return server.instance().vifs[0].fixed_ip


def metadata(cloud):
    return cloud.bus.client(ConductorMetadata).anyone()


def test_images_get_numbers_on_first_sight_and_keep_them(cloud):
    first, second = cloud.boot(), cloud.boot()
    guests = [metadata(cloud).find_by_address(ADMIN, address_of(s)) for s in (first, second)]
    assert guests[0].image_number == guests[1].image_number == 1
    assert metadata(cloud).find_by_instance(ADMIN, first.uuid).image_number == 1


def test_an_address_without_server_is_unknown(cloud):
    assert metadata(cloud).find_by_address(ADMIN, "10.0.0.250") is None


def test_md_08_a_password_is_stored_once(cloud):
    server = cloud.boot()
    assert metadata(cloud).set_password(ADMIN, server.uuid, "opaque") is True
    assert metadata(cloud).set_password(ADMIN, server.uuid, "other") is False
    assert metadata(cloud).find_by_instance(ADMIN, server.uuid).password == "opaque"


def forgotten(cloud):
    return [record.kind for record in cloud.bus.calls if record.method == "forget"]


def test_md_04_a_deleted_server_is_forgotten_by_the_metadata_services(cloud):
    server = cloud.boot()
    assert forgotten(cloud) == []
    server.delete()
    assert forgotten(cloud) == ["fanout"]


def test_md_04_so_is_one_whose_host_is_down(cloud):
    server = cloud.boot()
    cloud.crash_compute(server.instance().host)
    cloud.advance(300)
    server.delete()
    assert forgotten(cloud) == ["fanout"]


def test_net_11_a_late_release_of_the_former_owner_does_not_end_the_lease(cloud):
    server = cloud.boot()
    networks = cloud.bus.client(ConductorNetworks).anyone()
    host, vif = server.instance().host, server.instance().vifs[0]
    address, mac = vif.fixed_ip, vif.address
    networks.record_lease(ADMIN, host, address, mac, True)
    networks.record_lease(ADMIN, host, address, "fa:16:3e:99:99:99", False)
    network_id = vif.network.id
    assert [b.address for b in networks.leases(ADMIN, network_id, host)] == [address]
    networks.record_lease(ADMIN, host, address, mac, False)
    assert networks.leases(ADMIN, network_id, host) == ()


def test_md_09_user_data_is_in_no_list_and_no_log(cloud, caplog):
    caplog.set_level(logging.DEBUG)
    secret = base64.b64encode(b"#!/bin/sh\n# canary-4711").decode()
    server = cloud.boot(user_data=secret)
    assert metadata(cloud).find_by_instance(ADMIN, server.uuid).instance.user_data == secret
    for path in ("/servers", "/servers/detail", f"/servers/{server.uuid}"):
        assert secret not in cloud.rest.at("2.96").get(path).text
    server.delete()
    assert secret not in caplog.text
    assert "canary-4711" not in caplog.text
