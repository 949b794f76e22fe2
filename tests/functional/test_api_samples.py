"""The samples of the API reference are what a cloud answers today.

To write them and the reference anew: tox -e docs
"""

import os
import pathlib

import pytest

from nova.api.openstack.refusals import ABSENT, REFUSED
from nova.api_reference import sample_name
from nova.conductor.network_plan import NetworkDefaults
from nova.objects.console import ConsoleType
from tests.fixtures.api_samples import declared
from tests.fixtures.api_scenario import record

SAMPLES = pathlib.Path(__file__).parents[2] / "doc" / "api" / "samples"
SETTINGS = {
    "reclaim_instance_interval_s": 3600,
    "shelved_offload_time_s": -1,
    "network": NetworkDefaults(bridge="br102"),
}
WITHOUT = {
    # Nothing moves to another host.
    "post_servers_id_action_evacuate",
    "post_servers_id_action_migrate",
    "post_servers_id_action_os-migrateLive",
    "get_servers_server_id_migrations_id",
    "delete_servers_server_id_migrations_id",
    "post_servers_server_id_migrations_id_action_force_complete",
    # There are neither volumes nor shares.
    "get_servers_server_id_os-volume_attachments_id",
    "post_servers_server_id_os-volume_attachments",
    "post_servers_server_id_os-volume_attachments_until_2_100",
    "put_servers_server_id_os-volume_attachments_id",
    "delete_servers_server_id_os-volume_attachments_id",
    "post_os-assisted-volume-snapshots",
    "delete_os-assisted-volume-snapshots_id",
    "get_servers_server_id_shares_id",
    "post_servers_server_id_shares",
    "delete_servers_server_id_shares_id",
    # No host has pools of consoles.
    "post_servers_server_id_consoles",
    "get_servers_server_id_consoles_id",
    "delete_servers_server_id_consoles_id",
    # Networks of the flat managers are everybody's.
    "post_os-networks_add_until_2_35",
    # They start a program.
    "get_os-fping_until_2_35",
    "get_os-fping_id_until_2_35",
    # No hypervisor has these.
    "get_os-hosts_id_reboot_until_2_42",
    "get_os-hosts_id_shutdown_until_2_42",
    "get_os-hosts_id_startup_until_2_42",
    # Their services do not exist.
    *(sample_name(route) for found in (*REFUSED, *ABSENT) for route in found.routes),
}


@pytest.fixture
def recorded(new_cloud):
    consoles = {"console_types": frozenset(ConsoleType)}
    return record(new_cloud(conductor_settings=SETTINGS, compute_settings=consoles))


def test_samples_are_up_to_date(recorded):
    if os.environ.get("NOVA_UPDATE_GOLDEN"):
        for path in SAMPLES.glob("*.json"):
            path.unlink()
        for name, text in recorded.items():
            (SAMPLES / name).write_text(text)
    found = {path.name: path.read_text() for path in SAMPLES.glob("*.json")}
    assert sorted(recorded) == sorted(found)
    for name, text in recorded.items():
        assert text == found[name], f"{name} differs; write it anew (see above)"


def test_every_route_has_a_sample_or_a_reason_to_have_none():
    names = {path.stem for path in SAMPLES.glob("*.json")}
    missing = {sample_name(route) for route in declared()} - names
    assert missing == WITHOUT
