import pytest

from tests.fixtures.rest import PROJECT


def boot(cloud, **server):
    body = {"name": "x", "flavorRef": "2", "imageRef": cloud.image_id, "networks": "auto"}
    return cloud.rest.at("2.37").post("/servers", {"server": body | server})


def test_in_09_fixed_addresses_end_at_the_quota(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 2})
    assert boot(cloud).status_int == 202
    answer = boot(cloud, min_count=2, max_count=2)
    assert answer.status_int == 403
    assert "fixed IP" in answer.json["forbidden"]["message"]
    assert cloud.usage()["instances"] == 1
    assert boot(cloud).status_int == 202
    assert boot(cloud).status_int == 403
    assert boot(cloud, networks="none").status_int == 202
    cloud.run_until_idle()
    servers = cloud.rest.get("/servers/detail").json["servers"]
    assert sorted(len(server["addresses"]) for server in servers) == [0, 1, 1]


def test_in_09_an_interface_beyond_the_quota_is_refused(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 1})
    server = cloud.boot()
    path = f"/servers/{server.uuid}/os-interface"
    assert cloud.rest.post(path, {"interfaceAttachment": {}}).status_int == 403
    assert len(server.instance().vifs) == 1


@pytest.mark.parametrize("freed", ["delete", "shelve"])
def test_addresses_count_as_long_as_a_server_holds_them(new_cloud, freed):
    cloud = new_cloud(quotas={"fixed_ips": 1})
    server = cloud.boot()
    if freed == "delete":
        server.delete()
    else:
        server.act({"shelve": None})
    assert boot(cloud).status_int == (202 if freed == "delete" else 403)


def test_in_09_servers_in_several_networks_wait_for_a_host_with_all_their_addresses(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 4})
    (known,) = cloud.rest.get("/os-networks").json["networks"]
    network = {"uuid": known["id"]}
    assert boot(cloud, networks=[network] * 3).status_int == 202
    assert boot(cloud, networks=[network] * 2).status_int == 403
    assert boot(cloud, networks=[network]).status_int == 202
    assert boot(cloud).status_int == 403
    cloud.run_until_idle()
    servers = cloud.rest.get("/servers/detail").json["servers"]
    addresses = [sum(map(len, server["addresses"].values())) for server in servers]
    assert sorted(addresses) == [1, 3]


def test_in_09_servers_that_wait_without_networks_count_no_address(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 1})
    assert boot(cloud, networks="none").status_int == 202
    assert boot(cloud).status_int == 202


def test_addresses_in_use_are_shown(new_cloud):
    cloud = new_cloud(quotas={"fixed_ips": 7})
    cloud.boot()
    path = f"/os-quota-sets/{PROJECT}/detail"
    shown = cloud.rest.as_admin().get(path).json["quota_set"]["fixed_ips"]
    assert shown == {"limit": 7, "in_use": 1, "reserved": 0}


def test_quota_is_not_set_below_the_addresses_in_use(new_cloud):
    cloud = new_cloud()
    cloud.boot()
    admin, path = cloud.rest.as_admin(), f"/os-quota-sets/{PROJECT}"
    assert admin.put(path, {"quota_set": {"fixed_ips": 0}}).status_int == 400
    assert admin.put(path, {"quota_set": {"fixed_ips": 0, "force": True}}).status_int == 200
