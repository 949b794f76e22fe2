import collections

from nova.objects.lifecycle import PowerState


def test_server_boots_gets_an_address_and_is_removed(cloud):
    server = cloud.boot()
    found = server.show()
    assert found["status"] == "ACTIVE"
    assert found["OS-EXT-STS:vm_state"] == "active"
    assert found["OS-EXT-STS:task_state"] is None
    assert found["OS-EXT-STS:power_state"] == PowerState.RUNNING
    assert [entry["addr"] for entry in found["addresses"]["private"]]
    instance = server.instance()
    assert cloud.driver(instance.host).list_guests() == {server.uuid: PowerState.RUNNING}
    assert len(cloud.dhcp_lines()) == 1
    assert cloud.usage() == {"instances": 1, "cores": 1, "ram": 512}
    assert cloud.claims()[instance.host] == (1, 512, 2, 1)
    server.delete()
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.assert_nothing_left()


def test_boot_takes_at_most_fourteen_messages_and_one_conductor_call_from_the_api(cloud):
    cloud.boot()
    cloud.bus.calls.clear()
    (server,) = cloud.request_boot()
    from_api = list(cloud.bus.calls)
    cloud.run_until_idle()
    calls = list(cloud.bus.calls)
    assert server.status == "ACTIVE"
    assert [(record.topic, record.method) for record in from_api] == [
        ("conductor", "create_servers")
    ]
    answers = sum(1 for record in calls if record.kind == "call")
    # With a network; two are the host's look at what it must let through.
    assert len(calls) + answers <= 14, [record.method for record in calls]


def test_boot_takes_at_most_twenty_six_sql_statements(cloud):
    cloud.boot()
    cloud.statements.take()
    cloud.request_boot()
    cloud.run_until_idle()
    statements = cloud.statements.take()
    # Four of them tell the host what it must let through.
    assert len(statements) <= 26, statements


def test_number_of_statements_of_one_request_hardly_grows_with_its_servers(new_cloud):
    cloud = new_cloud(hosts=4)
    counts = []
    for count in (2, 20):
        cloud.statements.take()
        cloud.request_boot(count=count)
        in_api = len(cloud.statements.take())
        cloud.run_until_idle()
        counts.append((in_api, len(cloud.statements.take()) / count))
    (few_in_api, few_each), (many_in_api, many_each) = counts
    assert many_in_api <= few_in_api
    assert many_each <= few_each


def test_number_of_statements_of_a_list_does_not_depend_on_its_length(cloud):
    counts = []
    for _ in range(2):
        cloud.request_boot(count=5)
        cloud.run_until_idle()
        cloud.statements.take()
        cloud.rest.get("/servers/detail")
        counts.append(len(cloud.statements.take()))
    assert counts[0] == counts[1]


def test_api_requests_take_one_conductor_call(cloud):
    server = cloud.boot()
    path = f"/servers/{server.uuid}"
    for send in (
        lambda: cloud.rest.get("/servers"),
        lambda: cloud.rest.get("/servers/detail"),
        lambda: cloud.rest.get(path),
        lambda: cloud.rest.post(f"{path}/action", {"os-stop": None}),
        lambda: cloud.rest.delete(path),
    ):
        cloud.bus.calls.clear()
        answer = send()
        assert answer.status_int < 300
        calls = [record for record in cloud.bus.calls if record.topic == "conductor"]
        assert len(calls) == 1, [record.method for record in calls]
        cloud.run_until_idle()


def test_twenty_servers_of_one_request_spread_over_the_hosts(new_cloud):
    cloud = new_cloud(hosts=4)
    servers = cloud.request_boot(count=20)
    cloud.run_until_idle()
    hosts = collections.Counter(server.instance().host for server in servers)
    assert hosts == {f"host{number}": 5 for number in range(1, 5)}
    addresses = {vif.fixed_ip for server in servers for vif in server.instance().vifs}
    assert len(addresses) == 20


def test_storm_of_200_spreads_over_40_hosts(new_cloud):
    cloud = new_cloud(hosts=40, cidr="10.0.0.0/22")
    servers = [cloud.request_boot("tiny")[0] for _ in range(200)]
    cloud.run_until_idle()
    instances = [server.instance() for server in servers]
    assert {instance.vm_state.value for instance in instances} == {"active"}
    hosts = collections.Counter(instance.host for instance in instances)
    assert set(hosts.values()) == {5}
    assert len(hosts) == 40


def test_stop_start_and_reboot(cloud):
    server = cloud.boot()
    driver = cloud.driver(server.instance().host)
    server.act({"os-stop": None})
    assert server.status == "SHUTOFF"
    assert driver.list_guests() == {server.uuid: PowerState.SHUTDOWN}
    server.act({"os-start": None})
    assert server.status == "ACTIVE"
    server.act({"reboot": {"type": "SOFT"}})
    server.act({"reboot": {"type": "HARD"}})
    assert server.status == "ACTIVE"
    assert driver.list_guests() == {server.uuid: PowerState.RUNNING}
    names = [record.action for record in server.actions()]
    assert names == ["reboot", "reboot", "start", "stop", "create"]
    assert all(event.result == "Success" for a in server.actions() for event in a.events)


def test_console_log_is_read_from_the_host(cloud):
    server = cloud.boot()
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", {"os-getConsoleOutput": {}})
    assert "boots with 512 MB" in answer.json["output"]


def test_guest_that_powers_itself_off_is_shown_as_shut_off(cloud):
    server = cloud.boot()
    cloud.driver(server.instance().host).emit(server.uuid, PowerState.SHUTDOWN)
    cloud.run_until_idle()
    assert server.status == "SHUTOFF"
