"""Consoles: their addresses over REST, and what becomes of a token (CON-01, CON-02)."""

import string
from urllib.parse import parse_qs, urlsplit

import pytest

from nova.conductor.consoles import ConsolesEndpoint
from nova.consoleauth.rpcapi import ConsoleAPI, ConsoleAuthAPI
from nova.context import get_admin_context
from nova.db import tables
from nova.exception import Unavailable
from nova.objects.console import ConsoleType
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.console_tokens import token_of
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

TTL_S = 600
ALL_TYPES = {"console_types": frozenset(ConsoleType)}
CONSOLES = {
    "novnc": ("vnc", "http://127.0.0.1:6080/vnc_auto.html", 5900),
    "xvpvnc": ("vnc", "http://127.0.0.1:6081/console", 5900),
    "spice-html5": ("spice", "http://127.0.0.1:6082/spice_auto.html", 6900),
    "spice-direct": ("spice", "http://127.0.0.1:13002/nova", 6900),
    "rdp-html5": ("rdp", "http://127.0.0.1:6083/", 3389),
    "serial": ("serial", "ws://127.0.0.1:6083/", 10000),
    "webmks": ("mks", "http://127.0.0.1:6090/", 9020),
}
ACTIONS = {
    "novnc": "os-getVNCConsole",
    "xvpvnc": "os-getVNCConsole",
    "spice-html5": "os-getSPICEConsole",
    "rdp-html5": "os-getRDPConsole",
    "serial": "os-getSerialConsole",
}


@pytest.fixture
def open_cloud(new_cloud):
    """Return a cloud whose hosts have every type of console."""
    return new_cloud(compute_settings=ALL_TYPES)


def _ask(rest, uuid, console_type="novnc"):
    body = {"protocol": CONSOLES[console_type][0], "type": console_type}
    return rest.at("2.99").post(f"/servers/{uuid}/remote-consoles", {"remote_console": body})


def _token(cloud, server, console_type="novnc", rest=None):
    answer = _ask(rest or cloud.rest, server.uuid, console_type)
    assert answer.status_int == 200, answer.text
    return token_of(answer.json["remote_console"]["url"])


def _check(cloud, token):
    return cloud.bus.client(ConsoleAuthAPI).anyone().check_token(get_admin_context(), token)


# --- Addresses


@pytest.mark.parametrize("console_type", CONSOLES)
def test_remote_console_of_each_type_leads_to_the_guest(open_cloud, console_type):
    protocol, base, port = CONSOLES[console_type]
    server = open_cloud.boot(name="<b>web</b>")
    shown = _ask(open_cloud.rest, server.uuid, console_type).json["remote_console"]
    assert (shown["protocol"], shown["type"]) == (protocol, console_type)
    assert shown["url"].startswith(f"{base}?")
    target = _check(open_cloud, token_of(shown["url"]))
    assert target.instance_uuid == server.uuid
    assert target.instance_name == "<b>web</b>"
    assert target.project_id == PROJECT
    assert target.console_type == console_type
    assert (target.connection.host, target.connection.port) == ("127.0.0.1", port)
    assert target.access_url == base


@pytest.mark.parametrize("console_type", ACTIONS)
def test_old_action_gives_the_same_address(open_cloud, console_type):
    server = open_cloud.boot()
    body = {ACTIONS[console_type]: {"type": console_type}}
    answer = open_cloud.rest.at("2.5").post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 200
    shown = answer.json["console"]
    assert shown["type"] == console_type
    assert _check(open_cloud, token_of(shown["url"])).instance_uuid == server.uuid
    assert open_cloud.rest.at("2.6").post(f"/servers/{server.uuid}/action", body).status_int == 404


def test_token_of_novnc_is_in_the_path_of_the_socket(cloud):
    url = _ask(cloud.rest, cloud.boot().uuid).json["remote_console"]["url"]
    (path,) = parse_qs(urlsplit(url).query)["path"]
    assert path.startswith("?token=")


@pytest.mark.parametrize(
    ("version", "protocol", "console_type", "status"),
    [
        ("2.5", "vnc", "novnc", 404),
        ("2.6", "vnc", "novnc", 200),
        ("2.6", "vnc", "serial", 400),
        ("2.6", "spice", "novnc", 400),
        ("2.7", "mks", "webmks", 400),
        ("2.8", "mks", "webmks", 200),
        ("2.98", "spice", "spice-direct", 400),
        ("2.99", "spice", "spice-direct", 200),
        ("2.99", "vnc", "nonesuch", 400),
    ],
)
def test_types_come_with_their_versions(open_cloud, version, protocol, console_type, status):
    server = open_cloud.boot()
    body = {"remote_console": {"protocol": protocol, "type": console_type}}
    answer = open_cloud.rest.at(version).post(f"/servers/{server.uuid}/remote-consoles", body)
    assert answer.status_int == status


@pytest.mark.parametrize("console_type", ["spice-html5", "rdp-html5", "serial", "webmks"])
def test_a_type_that_the_host_has_not_enabled_is_refused(cloud, console_type):
    answer = _ask(cloud.rest, cloud.boot().uuid, console_type)
    assert answer.status_int == 400
    assert console_type in answer.json["badRequest"]["message"]


def test_a_server_that_is_being_built_has_no_console_yet(cloud):
    (server,) = cloud.request_boot()
    assert _ask(cloud.rest, server.uuid).status_int == 409


@pytest.mark.parametrize(
    "body", [{"os-stop": None}, {"suspend": None}, {"shelve": None}], ids=lambda body: str(*body)
)
def test_a_server_whose_guest_is_off_has_no_console(cloud, body):
    server = cloud.boot()
    server.act(body)
    assert _ask(cloud.rest, server.uuid).status_int == 409


def test_a_guest_that_went_off_unnoticed_has_no_console(cloud):
    server = cloud.boot()
    driver = cloud.driver(server.instance().host)
    driver.power_off(server.instance(), 0, 0)
    assert _ask(cloud.rest, server.uuid).status_int == 409


def test_consoles_of_others_are_not_found(cloud):
    server = cloud.boot()
    assert _ask(cloud.api("eve", OTHER_PROJECT), server.uuid).status_int == 404
    assert _ask(cloud.rest.as_admin(), server.uuid).status_int == 200


# --- What a token leads to, for proxies of others


def test_a_token_is_shown_to_administrators_only(open_cloud):
    server = open_cloud.boot()
    path = f"/os-console-auth-tokens/{_token(open_cloud, server, 'spice-direct')}"
    assert open_cloud.rest.at("2.99").get(path).status_int == 403
    admin = open_cloud.rest.as_admin()
    place = {
        "instance_uuid": server.uuid,
        "host": "127.0.0.1",
        "port": 6900,
        "internal_access_path": None,
    }
    assert admin.at("2.31").get(path).json == {"console": place}
    assert admin.at("2.99").get(path).json == {"console": place | {"tls_port": 7900}}
    assert admin.at("2.98").get(f"{path}?x=1").status_int == 200
    assert admin.at("2.99").get(f"{path}?x=1").status_int == 400


def test_old_versions_show_tokens_of_rdp_only(open_cloud):
    server, admin = open_cloud.boot(), open_cloud.rest.as_admin().at("2.30")
    token = _token(open_cloud, server)
    assert admin.get(f"/os-console-auth-tokens/{token}").status_int == 401
    token = _token(open_cloud, server, "rdp-html5")
    shown = admin.get(f"/os-console-auth-tokens/{token}").json["console"]
    assert shown["internal_access_path"] == server.uuid


def test_an_unknown_token_is_not_found_and_not_repeated(cloud):
    answer = cloud.rest.as_admin().at("2.31").get("/os-console-auth-tokens/nonesuch")
    assert answer.status_int == 404
    assert "nonesuch" not in answer.text


# --- CON-01: tied to a server, not to a port


RESIZE = {"resize": {"flavorRef": "2"}}
ENDS = {
    "stop": [{"os-stop": None}],
    "hard reboot": [{"reboot": {"type": "HARD"}}],
    "rebuild": [{"rebuild": {"imageRef": IMAGE_ID}}],
    "resize": [RESIZE],
    "shelve": [{"shelve": None}],
    "suspend": [{"suspend": None}],
    "rescue": [{"rescue": None}],
    "stop and start": [{"os-stop": None}, {"os-start": None}],
}


def _begin(server, body):
    answer = server.cloud.rest.post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int in (200, 202), answer.text


@pytest.mark.parametrize("bodies", ENDS.values(), ids=ENDS)
def test_con_01_what_ends_the_guest_revokes_its_tokens_at_once(cloud, bodies):
    """The host has not heard of the action yet when they are refused."""
    server = cloud.boot("tiny")
    token = _token(cloud, server)
    assert _check(cloud, token) is not None
    for body in bodies:
        _begin(server, body)
        assert _check(cloud, token) is None
        assert _ask(cloud.rest, server.uuid).status_int == 409
        cloud.run_until_idle()
        assert _check(cloud, token) is None


@pytest.mark.parametrize(
    ("there", "back"), [({"rescue": None}, "unrescue"), (RESIZE, "revertResize")]
)
def test_con_01_the_way_back_revokes_too(cloud, there, back):
    server = cloud.boot("tiny")
    _begin(server, there)
    cloud.run_until_idle()
    token = _token(cloud, server)
    assert _check(cloud, token) is not None
    server.act({back: None})
    assert _check(cloud, token) is None


@pytest.mark.parametrize("settings", [{}, {"reclaim_instance_interval_s": 3600}])
def test_con_01_a_deleted_server_has_no_tokens(new_cloud, settings):
    cloud = new_cloud(conductor_settings=settings)
    server = cloud.boot()
    token = _token(cloud, server)
    server.request_delete()
    assert _check(cloud, token) is None
    cloud.run_until_idle()
    assert _check(cloud, token) is None


def test_con_01_a_guest_that_ended_by_itself_is_not_reached_again(cloud):
    server = cloud.boot()
    token = _token(cloud, server)
    driver = cloud.driver(server.instance().host)
    driver.power_off(server.instance(), 0, 0)
    assert _check(cloud, token) is None
    cloud.advance(1200)
    assert server.status == "SHUTOFF"
    server.act({"os-start": None})
    assert _check(cloud, token) is None


def test_con_01_a_new_server_on_the_same_host_and_port_is_never_reached(new_cloud):
    cloud = new_cloud(hosts=1)
    first = cloud.boot()
    token = _token(cloud, first)
    port = _check(cloud, token).connection.port
    first.delete()
    second = cloud.boot()
    assert _check(cloud, _token(cloud, second)).connection.port == port
    assert _check(cloud, token) is None


def test_con_01_a_port_that_went_to_another_guest_is_refused(new_cloud):
    """The first guest has lost its port behind the back of the conductor."""
    cloud = new_cloud(hosts=1)
    first, second = cloud.boot(), cloud.boot()
    token = _token(cloud, first)
    driver = cloud.driver("host1")
    driver.power_off(first.instance(), 0, 0)
    taken = _check(cloud, _token(cloud, second)).connection.port
    driver.power_on(first.instance())
    assert taken == 5900
    assert _check(cloud, token) is None


def test_con_01_a_token_asked_for_while_the_server_stops_is_dead(cloud):
    """The API has read the server before the action began."""
    server = cloud.boot()
    client = cloud.bus.client(ConsoleAuthAPI).anyone()
    seen = server.instance()
    connection = cloud.driver(seen.host).get_console(seen, ConsoleType.NOVNC)
    server.act({"reboot": {"type": "HARD"}})
    url = client.authorize_console(get_admin_context(), seen, ConsoleType.NOVNC, connection)
    assert _check(cloud, token_of(url)) is None


def test_con_01_what_leaves_the_guest_alone_keeps_its_tokens(cloud):
    server = cloud.boot()
    token = _token(cloud, server)
    for body in ({"pause": None}, {"unpause": None}, {"createImage": {"name": "copy"}}):
        server.act(body)
        assert _check(cloud, token) is not None


def test_con_01_a_host_that_does_not_answer_opens_nothing(cloud):
    server = cloud.boot()
    token = _token(cloud, server)
    cloud.crash_compute(server.instance().host)
    with pytest.raises(Unavailable):
        _check(cloud, token)


def test_con_01_revoking_costs_no_statement(cloud):
    server = cloud.boot()
    cloud.statements.take()
    assert cloud.rest.post(f"/servers/{server.uuid}/action", {"os-stop": None}).status_int == 202
    statements = cloud.statements.take()
    assert not [text for text in statements if "console_auth_tokens" in text]
    assert len([text for text in statements if "console_generation=" in text]) == 1


def test_con_01_tokens_of_a_server_can_be_revoked_at_once(cloud):
    server, other = cloud.boot(), cloud.boot()
    tokens = [_token(cloud, server), _token(cloud, server)]
    kept = _token(cloud, other)
    client = cloud.bus.client(ConsoleAuthAPI).anyone()
    client.delete_tokens_for_instance(get_admin_context(), server.uuid)
    cloud.run_until_idle()
    assert [_check(cloud, token) for token in tokens] == [None, None]
    assert _check(cloud, kept) is not None


# --- CON-02: strength and life


def _rows(cloud):
    with cloud.database.reading() as tx:
        return tx.execute(tables.console_auth_tokens.select()).mappings().all()


def test_con_02_a_token_has_256_random_bits_and_only_its_hash_is_stored(cloud):
    server = cloud.boot()
    tokens = {_token(cloud, server) for _ in range(20)}
    assert len(tokens) == 20
    alphabet = set(string.ascii_letters + string.digits + "-_")
    assert all(len(token) == 43 and set(token) <= alphabet for token in tokens)
    stored = str(_rows(cloud))
    assert not [token for token in tokens if token in stored]


def test_con_02_a_token_ends_with_its_time(cloud):
    token = _token(cloud, cloud.boot())
    cloud.clock.advance(TTL_S - 1)
    assert _check(cloud, token) is not None
    cloud.clock.advance(1)
    assert _check(cloud, token) is None


def test_con_02_use_does_not_lengthen_a_life(cloud):
    token = _token(cloud, cloud.boot())
    expires = _check(cloud, token).expires
    cloud.clock.advance(TTL_S / 2)
    assert _check(cloud, token).expires == expires


@pytest.mark.parametrize("place", [0, 21, 42])
def test_con_02_a_changed_token_opens_nothing(cloud, place):
    token = _token(cloud, cloud.boot())
    changed = chr(ord(token[place]) ^ 1)
    assert _check(cloud, token[:place] + changed + token[place + 1 :]) is None
    assert _check(cloud, token) is not None


@pytest.mark.parametrize("token", ["", " ", "%", "\x00", "x" * 100_000, "'; DROP TABLE x; --", "é"])
def test_con_02_what_is_no_token_opens_nothing(cloud, token):
    assert _check(cloud, token) is None


def test_con_02_a_user_who_lost_the_role_is_refused(cloud):
    token = _token(cloud, cloud.boot())
    cloud.users.lost.add(("alice", PROJECT))
    assert _check(cloud, token) is None


def test_con_02_a_disabled_user_is_refused_and_others_are_not(cloud):
    server = cloud.boot()
    of_alice = _token(cloud, server)
    of_bob = _token(cloud, server, rest=cloud.api("bob"))
    cloud.users.disabled.add("alice")
    assert _check(cloud, of_alice) is None
    assert _check(cloud, of_bob) is not None


def test_con_02_keystone_that_can_not_be_asked_opens_nothing_and_is_named(cloud):
    token = _token(cloud, cloud.boot())
    cloud.users.away = "it answers 403"
    with pytest.raises(Unavailable, match="identity service can not be reached: it answers 403"):
        _check(cloud, token)


def test_con_02_expired_tokens_are_deleted_and_others_stay(cloud):
    server = cloud.boot()
    _token(cloud, server)
    cloud.clock.advance(TTL_S)
    kept = _token(cloud, server)
    assert ConsolesEndpoint(cloud.database).delete_expired(cloud.clock.now) == 1
    assert len(_rows(cloud)) == 1
    assert _check(cloud, kept) is not None


# --- Pools of nova-console


def test_there_are_no_pooled_consoles(cloud):
    path = f"/servers/{cloud.boot().uuid}/consoles"
    assert cloud.rest.get(path).json == {"consoles": []}
    answers = [
        cloud.rest.post(path, {}),
        cloud.rest.get(f"{path}/1"),
        cloud.rest.delete(f"{path}/1"),
    ]
    assert [answer.status_int for answer in answers] == [404, 404, 404]
    assert "pool" in answers[0].text


def test_pooled_consoles_of_others_are_not_found(cloud):
    path = f"/servers/{cloud.boot().uuid}/consoles"
    assert cloud.api("eve", OTHER_PROJECT).get(path).status_int == 404


def test_the_topic_of_nova_console_says_that_there_is_no_pool(cloud, caplog):
    caplog.set_level("INFO")
    client = cloud.bus.client(ConsoleAPI).anyone()
    client.add_console(get_admin_context(), "some-server")
    client.remove_console(get_admin_context(), "7")
    cloud.run_until_idle()
    assert len([record for record in caplog.records if "pool" in record.message]) == 2
