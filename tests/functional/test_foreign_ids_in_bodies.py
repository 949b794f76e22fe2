"""Objects of somebody else, named in bodies: they are like objects that nobody has."""

import pytest

from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.tenants import UNKNOWN, TwoTenants, told
from tests.fixtures.time import hold_time


@pytest.fixture(scope="module")
def site():
    """Return one cloud for all cases; each leaves it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        made = TwoTenants(hold_time(patch))
        yield made
        made.cloud.close()


@pytest.fixture
def restored(site):
    """Return the cloud and put it back afterwards."""
    yield site
    site.restore()
    site.cost()


BOOT = {"name": "new", "flavorRef": "1", "imageRef": IMAGE_ID, "networks": "auto"}

# Path, and a body in which a word in capitals stands for an object of that kind.
NAMED = {
    "boot image": ("/servers", {"server": {**BOOT, "imageRef": "IMAGE"}}),
    "boot flavor": ("/servers", {"server": {**BOOT, "flavorRef": "FLAVOR"}}),
    "boot flavor by its name": ("/servers", {"server": {**BOOT, "flavorRef": "secret-FLAVOR"}}),
    "boot network": ("/servers", {"server": {**BOOT, "networks": [{"uuid": "NETWORK"}]}}),
    "boot port": ("/servers", {"server": {**BOOT, "networks": [{"port": "PORT"}]}}),
    "boot key": ("/servers", {"server": {**BOOT, "key_name": "KEYPAIR"}}),
    "boot group": ("/servers", {"server": BOOT, "os:scheduler_hints": {"group": "GROUP"}}),
    "boot volume": (
        "/servers",
        {
            "server": {
                **BOOT,
                "imageRef": "",
                "block_device_mapping_v2": [
                    {
                        "uuid": "VOLUME",
                        "source_type": "volume",
                        "destination_type": "volume",
                        "boot_index": 0,
                    }
                ],
            }
        },
    ),
    "boot image as a disk": (
        "/servers",
        {
            "server": {
                **BOOT,
                "imageRef": "IMAGE",
                "block_device_mapping_v2": [
                    {
                        "uuid": "IMAGE",
                        "source_type": "image",
                        "destination_type": "local",
                        "boot_index": 0,
                    }
                ],
            }
        },
    ),
    "rebuild image": ("/servers/MINE/action", {"rebuild": {"imageRef": "IMAGE"}}),
    "rebuild key": (
        "/servers/MINE/action",
        {"rebuild": {"imageRef": IMAGE_ID, "key_name": "KEYPAIR"}},
    ),
    "rescue image": ("/servers/MINE/action", {"rescue": {"rescue_image_ref": "IMAGE"}}),
    "resize flavor": ("/servers/MINE/action", {"resize": {"flavorRef": "FLAVOR"}}),
    "interface network": (
        "/servers/MINE/os-interface",
        {"interfaceAttachment": {"net_id": "NETWORK"}},
    ),
    "interface port": ("/servers/MINE/os-interface", {"interfaceAttachment": {"port_id": "PORT"}}),
    "attached volume": (
        "/servers/MINE/os-volume_attachments",
        {"volumeAttachment": {"volumeId": "VOLUME"}},
    ),
    "share": ("/servers/MINE/shares", {"share": {"share_id": "SHARE"}}),
}


def _filled(value, ids):
    if isinstance(value, dict):
        return {key: _filled(part, ids) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, ids) for part in value]
    for kind, word in ids.items():
        if isinstance(value, str):
            value = value.replace(kind.upper(), word)
    return value


@pytest.mark.parametrize("version", ["2.60", "2.93", "2.104"])
@pytest.mark.parametrize("case", NAMED)
def test_az_06_what_bodies_name_is_looked_for_in_the_own_project(restored, case, version):
    path, body = NAMED[case]
    path = path.replace("MINE", restored.alice.ids["server"])
    answers = []
    restored.cost()
    for ids in (restored.bob.ids, UNKNOWN):
        answer = restored.alice.rest.at(version).post(path, _filled(body, ids))
        answers.append((told(answer, ids.values()), restored.cost()))
        restored.restore()
    (status, text, _headers), _messages = answers[0]
    assert answers[0] == answers[1]
    assert status in (400, 404, 501), text


@pytest.mark.parametrize("hint", ["same_host", "different_host"])
def test_az_06_hints_at_foreign_servers_tell_nothing_of_them(frozen_clock, hint):
    own = TwoTenants(frozen_clock)
    rest = own.alice.rest.at("2.90")
    found = []
    for server in (own.bob.ids["server"], UNKNOWN["server"]):
        body = {"server": BOOT, "os:scheduler_hints": {hint: [server]}}
        made = rest.post("/servers", body).json["server"]["id"]
        own.cloud.run_until_idle()
        shown = rest.get(f"/servers/{made}").json["server"]
        found.append((shown["status"], shown.get("fault", {}).get("message")))
    own.cloud.close()
    assert found[0] == found[1]
