"""What users see when daemons are killed, the broker goes away, or messages are lost or doubled.

Needs RabbitMQ's programs; NOVA_TEST_MYSQL_URL may name a MariaDB, else the database is SQLite.
"""

import json
import os
import pathlib
import shutil
import tempfile
import time
import uuid

import amqp
import pytest
from standup.rabbitmq import SCRIPTS

from tests.fixtures.broker import Tap
from tests.fixtures.daemons import wait_for
from tests.fixtures.http_api import HttpApi, send_bytes
from tests.fixtures.process_cloud import DOWN_TIME_S, ENDED, HOSTS, running_cloud

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (SCRIPTS / "rabbitmq-server").exists(), reason="RabbitMQ is not installed"
    ),
]

EXCHANGE = "openstack"
SPAWNING = "spawning"


@pytest.fixture(scope="module")
def the_cloud():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nova-failures-", dir="/var/tmp"))
    try:
        with running_cloud(folder) as cloud:
            yield cloud
    finally:
        if "NOVA_TEST_KEEP" not in os.environ:
            shutil.rmtree(folder)


@pytest.fixture
def cloud(the_cloud):
    """Give the cloud whole and empty, and see that the test leaves it so."""
    yield the_cloud
    the_cloud.restore()
    for server in the_cloud.admin.get("/servers?all_tenants=1")["servers"]:
        the_cloud.admin.send("DELETE", f"/servers/{server['id']}")
    the_cloud.wait_until_clean()


def ended_with_reason(server, patience_s=60):
    """Wait for the end of a build; a failed one must say why."""
    status = server.wait_for_status(*ENDED, patience_s=patience_s)
    if status == "ERROR":
        assert len(server.fault) > 20
    return status


def build_on(cloud, host):
    """Ask for a server on a host of our choice."""
    return cloud.request(cloud.admin, availability_zone=f"nova:{host}")


# --- nova-conductor


def test_conductor_killed_during_spawn_changes_nothing(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    conductor = cloud.daemons["conductor"]
    conductor.kill()
    conductor.start()
    conductor.ready()
    assert ended_with_reason(server) == "ACTIVE"


@pytest.mark.parametrize("moment_s", [0.0, 0.03, 0.1])
def test_conductor_killed_soon_after_the_request(cloud, moment_s):
    server = cloud.request()
    time.sleep(moment_s)
    conductor = cloud.daemons["conductor"]
    conductor.kill()
    conductor.start()
    conductor.ready()
    ended_with_reason(server, 90)


def test_conductor_away_for_longer_than_the_build(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    conductor = cloud.daemons["conductor"]
    conductor.kill()
    time.sleep(3)
    conductor.start()
    conductor.ready()
    assert ended_with_reason(server, 90) == "ACTIVE"


# --- RabbitMQ


def test_connections_cut_during_a_build(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    cloud.relay.cut()
    assert ended_with_reason(server, 90) == "ACTIVE"


def test_broker_out_of_reach_during_a_build(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    cloud.relay.down()
    time.sleep(3)
    cloud.relay.up()
    assert ended_with_reason(server, 120) == "ACTIVE"


def test_broker_killed_and_started_anew_during_a_build(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    cloud.broker.kill()
    cloud.broker.open()
    ended_with_reason(server, 120)
    cloud.wait_for_hosts(*HOSTS)
    assert ended_with_reason(cloud.request(), 60) == "ACTIVE"


# --- nova-compute


def test_compute_killed_during_spawn_and_back(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    compute = cloud.daemons[server.host]
    compute.kill()
    compute.start()
    compute.ready()
    ended_with_reason(server)


def test_compute_killed_during_spawn_and_never_back_is_replaced(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    dead = server.host
    cloud.daemons[dead].kill()
    assert ended_with_reason(server, DOWN_TIME_S + 60) == "ACTIVE"
    assert server.host != dead


def test_compute_that_alone_would_do_is_never_back(cloud):
    server = build_on(cloud, "nf1")
    server.wait_for_step(SPAWNING)
    cloud.daemons["nf1"].kill()
    assert ended_with_reason(server, DOWN_TIME_S + 60) == "ERROR"
    assert "host" in server.fault


def test_sigterm_lets_a_build_end(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    compute = cloud.daemons[server.host]
    compute.terminate()
    assert compute.ended() == 0
    assert server.wait_for_status("ACTIVE", patience_s=5)
    assert "Stopping" in compute.said()


# --- Deletion


@pytest.mark.parametrize("moment_s", [0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.1])
def test_img_14_delete_at_some_moment_of_a_build_leaves_nothing(cloud, moment_s):
    server = cloud.request()
    time.sleep(moment_s)
    server.delete()
    wait_for(server.is_gone, "the server is still there")
    cloud.wait_until_clean()


def test_delete_while_the_host_is_away_is_done_when_it_is_back(cloud):
    server = cloud.request()
    server.wait_for_step(SPAWNING)
    compute = cloud.daemons[server.host]
    compute.kill()
    server.delete()
    compute.start()
    wait_for(server.is_gone, "the server is still there")
    cloud.wait_until_clean()


# --- Lost and doubled messages


def test_bus_04_build_message_that_comes_three_times_builds_one_server(cloud):
    with cloud.broker.channel() as channel:
        tap = Tap(channel, EXCHANGE, "compute.nf1")
        server = build_on(cloud, "nf1")
        message = tap.take(lambda get: wait_for(get, "no build message came"))
        publish_again(channel, "compute.nf1", message)
        server.wait_for_status("ACTIVE")
        publish_again(channel, "compute.nf1", message)
        first = cloud.daemons["nf1"].said()
        wait_for(lambda: cloud.daemons["nf1"].said() != first, "the host took no further message")
    assert server.status == "ACTIVE"
    assert cloud.leftovers()["addresses"] == 1
    assert cloud.leftovers()["disks"] == 1
    (action,) = server.api.get(f"/servers/{server.uuid}/os-instance-actions")["instanceActions"]
    found = server.api.get(f"/servers/{server.uuid}/os-instance-actions/{action['request_id']}")
    events = [one["event"] for one in found["instanceAction"]["events"]]
    assert events.count("compute__do_build_and_run_instance") == 1


def publish_again(channel, key, message):
    """Send a captured message once more, as one that the broker has never seen."""
    body = json.loads(message.body)
    inner = json.loads(body["oslo.message"])
    inner["_unique_id"] = uuid.uuid4().hex
    body["oslo.message"] = json.dumps(inner)
    again = amqp.Message(
        json.dumps(body), content_type="application/json", content_encoding="utf-8"
    )
    channel.basic_publish(again, exchange=EXCHANGE, routing_key=key)


def test_build_message_that_is_lost_is_fetched(cloud):
    with cloud.broker.channel() as channel:
        tap = Tap(channel, EXCHANGE, "compute.nf1")
        channel.queue_unbind("compute.nf1", EXCHANGE, "compute.nf1")
        try:
            server = build_on(cloud, "nf1")
            tap.take(lambda get: wait_for(get, "no build message came"))
            assert server.wait_for_status("ACTIVE", patience_s=30)
        finally:
            channel.queue_bind("compute.nf1", EXCHANGE, "compute.nf1")


def test_build_message_purged_while_the_host_is_away_is_fetched(cloud):
    cloud.daemons["nf1"].kill()
    server = build_on(cloud, "nf1")
    with cloud.broker.channel() as channel:
        wait_for(lambda: channel.queue_purge("compute.nf1"), "no build message came")
    cloud.daemons["nf1"].start()
    assert server.wait_for_status("ACTIVE", patience_s=30)


# --- Refused


def test_no_valid_host_says_why(cloud):
    flavor = {"id": "huge", "name": "huge", "ram": 999999, "vcpus": 1, "disk": 1}
    cloud.admin.do("POST", "/flavors", {"flavor": flavor})
    limits = {"ram": -1}
    cloud.admin.do("PUT", "/os-quota-sets/demo", {"quota_set": limits})
    server = cloud.request(flavorRef="huge")
    assert server.wait_for_status(*ENDED) == "ERROR"
    assert "No valid host was found." in server.fault
    assert "2 hosts" in server.fault and "memory" in server.fault
    assert not any(host in server.fault for host in HOSTS)


def test_50_parallel_creates_never_exceed_the_quota(cloud):
    limit = 7
    cloud.admin.do("PUT", "/os-quota-sets/edge", {"quota_set": {"instances": limit}})
    api = HttpApi(cloud.api_port, "user", "edge")
    body = {
        "name": "edge",
        "flavorRef": "nf",
        "imageRef": cloud.image_id,
        "networks": "auto",
    }
    answers = cloud.at_once(50, lambda _: api.send("POST", "/servers", {"server": body}))
    statuses = [answer.status for answer in answers]
    assert sorted(set(statuses)) == [202, 403]
    assert statuses.count(202) == limit
    refused = next(answer for answer in answers if answer.status == 403)
    assert "quota" in refused.complaint.lower() and "instances" in refused.complaint
    assert api.get("/limits")["limits"]["absolute"]["totalInstancesUsed"] == limit


WRONG_BODIES = {
    "no JSON": (b'{"server": ', "JSON"),
    "no object": (b"[1, 2]", "object"),
    "nothing": (b"", "body"),
    "unknown field": (
        b'{"server": {"name": "a", "flavorRef": "nf", "networks": "none", "colour": 1}}',
        "colour",
    ),
    "wrong type": (b'{"server": {"name": 5, "flavorRef": "nf", "networks": "none"}}', "name"),
    "over-long name": (
        b'{"server": {"name": "%s", "flavorRef": "nf", "networks": "none"}}' % (b"n" * 256),
        "name",
    ),
    "missing field": (b'{"server": {"name": "a", "networks": "none"}}', "flavorRef"),
    "bad utf-8": (b'{"server": {"name": "\xff\xfe"}}', "UTF-8"),
    "deep": (b"[" * 100000, "nested"),
}


@pytest.mark.parametrize("kind", WRONG_BODIES)
def test_wrong_body_is_400_with_a_sentence_that_helps(cloud, kind):
    body, word = WRONG_BODIES[kind]
    head = (
        "POST /v2.1/servers HTTP/1.1\r\nHost: cloud\r\nX-Auth-Token: user:demo\r\n"
        "OpenStack-API-Version: compute 2.96\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    answer = send_bytes(cloud.api_port, head.encode() + body)
    first, _, rest = answer.partition(b"\r\n")
    assert b" 400 " in first, answer[:500]
    sentence = json.loads(rest.partition(b"\r\n\r\n")[2])["badRequest"]["message"]
    assert word.lower() in sentence.lower() and len(sentence) < 1000


def test_server_of_another_tenant_is_404(cloud):
    server = cloud.request()
    stranger = HttpApi(cloud.api_port, "user", "another")
    path = f"/servers/{server.uuid}"
    for method, address, body in [
        ("GET", path, None),
        ("DELETE", path, None),
        ("PUT", path, {"server": {"name": "mine"}}),
        ("POST", f"{path}/action", {"os-stop": None}),
        ("POST", f"{path}/action", {"os-getConsoleOutput": {}}),
        ("GET", f"{path}/metadata", None),
        ("GET", f"{path}/os-instance-actions", None),
    ]:
        answer = stranger.send(method, address, body)
        assert answer.status == 404, (method, address, answer)
    assert stranger.get("/servers")["servers"] == []
    assert server.wait_for_status("ACTIVE")


# --- Garbage on the bus


def garbage():
    """Give bodies that are no message of ours."""
    yield from (os.urandom(size) for size in (1, 100, 5000))
    yield from (b"", b"null", b"[]", b"{}", b'"text"', b"[" * 50000, b"\x80\x04K\x01.")
    yield b"x" * (20 * 1024 * 1024)
    context = {"user_id": "u", "project_id": "p", "is_admin": True}
    for inner in (
        None,
        5,
        {"method": 5},
        {"method": "report", "args": {"report": 7}},
        {"method": "run_operation", "args": {"work": {"operation": "x"}}},
        {"method": "run_operation", "args": {"work": "y" * (12 * 1024 * 1024)}},
        {"method": "__class__", "args": {}},
        {"method": "run_operation", "args": {}, "version": "99.0"},
        {"method": "reconcile", "args": {"now": {"a": [1]}}, "namespace": "conductor.nothing"},
    ):
        text = json.dumps({**inner, **context} if isinstance(inner, dict) else inner)
        yield json.dumps({"oslo.version": "2.0", "oslo.message": text}).encode()


def test_bus_03_garbage_on_the_queues_stops_nobody(cloud):
    with cloud.broker.channel() as channel:
        for body in garbage():
            for queue in ("conductor", "compute.nf1", "scheduler", "network"):
                for kind in ("application/json", "application/x-python-serialize", "text/plain"):
                    message = amqp.Message(body, content_type=kind, content_encoding="utf-8")
                    channel.basic_publish(message, exchange="", routing_key=queue)
        for name in ("conductor", "scheduler", "network", "nf1"):
            assert cloud.daemons[name].lives(), name
        server = build_on(cloud, "nf1")
        assert server.wait_for_status("ACTIVE", patience_s=90)
        wait_for(lambda: not waiting(channel, "conductor"), "messages stay in the queue")


def waiting(channel, queue):
    """Return how many messages nobody has taken."""
    return channel.queue_declare(queue, passive=True).message_count


# --- Configuration


def test_hst_06_only_the_conductor_has_a_database(cloud):
    for name, daemon in cloud.daemons.items():
        assert daemon.lives()
        assert (cloud.database.url in " ".join(read_by(daemon))) == (name == "conductor"), name


def read_by(daemon):
    """Return the text of the configuration files of a daemon."""
    return [path.read_text() for path in daemon.files]


def test_hst_06_daemons_refuse_to_start_with_a_database(cloud):
    files = [cloud.folder / "nova.conf", cloud.folder / "database.conf"]
    refused = [
        cloud.daemon(f"refused-{name}", name, *files)
        for name in ("api", "api_metadata", "compute", "network", "scheduler")
    ]
    for daemon in refused:
        daemon.start()
    for daemon in refused:
        assert daemon.ended() == 2, daemon.said()
        assert "[database]" in daemon.said()
