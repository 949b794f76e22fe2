"""The configuration files of the nova daemons."""

from __future__ import annotations

import grp
import os
import re
from dataclasses import dataclass
from pathlib import Path

from standup import identity, ini, ports
from standup.ini import Sections
from standup.settings import METADATA_PORT, Settings

BRIDGE = "br100"
NETWORK_MANAGER = "nova.network.manager.FlatDHCPManager"
POOL = "public"


@dataclass(frozen=True)
class ComputeNode:
    """A compute host, from the point of view of its daemons.

    controller is the address at which it reaches the controller's services; flat_interface is None
    where the guests' bridge stays inside the host.  An empty public_interface leaves it to each
    floating address by which interface it is reached.
    """

    name: str
    address: str
    controller: str
    state_path: Path
    flat_interface: str | None
    public_interface: str


def controller(settings: Settings, transport_url: str, s3_keys: tuple[str, str]) -> Sections:
    """Return the file of the controller's daemons; there is no database in it.

    s3_keys: access key and secret by which nova-api reads bundles of images.
    """
    nova_login = _login(settings, ports.LOOPBACK)
    return {
        "DEFAULT": {
            "host": "controller",
            "my_ip": ports.LOOPBACK,
            "state_path": str(settings.state / "controller"),
            "transport_url": transport_url,
            "osapi_compute_listen": ports.LOOPBACK,
            "osapi_compute_listen_port": str(settings.ports["compute"]),
            "osapi_compute_workers": "1",
            "enabled_apis": "osapi_compute,network,ec2",
            "networking_listen": ports.LOOPBACK,
            "networking_listen_port": str(settings.ports["network"]),
            "networking_workers": "1",
            "ec2_listen": ports.LOOPBACK,
            "ec2_listen_port": str(settings.ports["ec2"]),
            "ec2_workers": "1",
            "ec2_host": ports.LOOPBACK,
            "ec2_port": str(settings.ports["ec2"]),
            "keystone_ec2_url": f"{settings.auth_url}/ec2tokens",
            "s3_listen": ports.LOOPBACK,
            "s3_listen_port": str(settings.ports["objectstore"]),
            "s3_host": ports.LOOPBACK,
            "s3_port": str(settings.ports["objectstore"]),
            "s3_access_key": s3_keys[0],
            "s3_secret_key": s3_keys[1],
            "network_manager": NETWORK_MANAGER,
            "flat_network_bridge": BRIDGE,
            "multi_host": "True",
            "default_floating_pool": POOL,
        },
        "api": {"auth_strategy": "keystone"},
        **_consoles(settings),
        "conductor": {"workers": "1"},
        "scheduler": {"workers": "1"},
        "keystone_authtoken": {"www_authenticate_uri": settings.auth_url, **nova_login},
        "glance": {"endpoint_override": settings.image_url, **nova_login},
        "service_user": nova_login,
    }


def _consoles(settings: Settings) -> Sections:
    """Return where the consoles' proxies listen, and the addresses that people are told."""
    numbers, web = settings.ports, f"http://{ports.LOOPBACK}"
    return {
        "vnc": {
            "novncproxy_host": ports.LOOPBACK,
            "novncproxy_port": str(numbers["novncproxy"]),
            "novncproxy_base_url": f"{web}:{numbers['novncproxy']}/vnc_auto.html",
            "xvpvncproxy_host": ports.LOOPBACK,
            "xvpvncproxy_port": str(numbers["xvpvncproxy"]),
            "xvpvncproxy_base_url": f"{web}:{numbers['xvpvncproxy']}/console",
        },
        "spice": {
            "html5proxy_host": ports.LOOPBACK,
            "html5proxy_port": str(numbers["spicehtml5proxy"]),
            "html5proxy_base_url": f"{web}:{numbers['spicehtml5proxy']}/spice_auto.html",
        },
        "serial_console": {
            "serialproxy_host": ports.LOOPBACK,
            "serialproxy_port": str(numbers["serialproxy"]),
            "base_url": f"ws://{ports.LOOPBACK}:{numbers['serialproxy']}/",
        },
    }


def database(url: str) -> Sections:
    """Return the extra file of nova-conductor and nova-manage, which alone open the database."""
    return {"database": {"connection": url}}


def compute(settings: Settings, node: ComputeNode, transport_url: str) -> Sections:
    """Return the file of the daemons of a compute host; there is no database in it."""
    nova_login = _login(settings, node.controller)
    file = compute_file(settings, node.name)
    helper = f"sudo {settings.nova_venv}/bin/privsep-helper --config-file {file}"
    values = {
        "host": node.name,
        "my_ip": node.address,
        "state_path": str(node.state_path),
        "instances_path": str(node.state_path / "instances"),
        "transport_url": transport_url,
        "compute_driver": "libvirt.LibvirtDriver",
        "network_manager": NETWORK_MANAGER,
        "multi_host": "True",
        "flat_network_bridge": BRIDGE,
        "public_interface": node.public_interface,
        "dhcpbridge": str(settings.nova_venv / "bin" / "nova-dhcpbridge"),
        "dhcpbridge_flagfile": str(compute_file(settings, node.name)),
        "metadata_listen": node.address,
        "metadata_listen_port": str(METADATA_PORT),
        "metadata_host": node.address,
        "metadata_port": str(METADATA_PORT),
        "metadata_workers": "1",
        "resume_guests_state_on_host_boot": "True",
        "reserved_host_memory_mb": "256",
    }
    if node.flat_interface:
        values["flat_interface"] = node.flat_interface
    image_url = f"http://{node.controller}:{settings.ports['glance']}"
    return {
        "DEFAULT": values,
        "libvirt": {"virt_type": "auto", "virt_type_probe_timeout": "3"},
        "vnc": {"server_listen": node.address, "server_proxyclient_address": node.address},
        "spice": {
            "enabled": "True",
            "server_listen": node.address,
            "server_proxyclient_address": node.address,
        },
        "serial_console": {"enabled": "True", "proxyclient_address": node.address},
        "glance": {"endpoint_override": image_url, **nova_login},
        "service_user": nova_login,
        "nova_compute_privileged": {"helper_command": helper},
        "nova_network_privileged": {"helper_command": helper},
    }


def compute_file(settings: Settings, name: str) -> Path:
    """Return where the file of a compute host is."""
    return settings.etc / f"nova-{name}.conf"


def write(path: Path, sections: Sections, group: str) -> bool:
    """Write a file that root owns and a group may read; return whether it changed."""
    changed = ini.write(path, sections)
    os.chown(path, 0, grp.getgrnam(group).gr_gid)
    return changed


def sudoers(settings: Settings, user: str) -> str:
    """Return the rule that lets the daemons start their privileged helpers, and nothing else.

    A regular expression (sudo 1.9.10) covers all arguments at once: a wildcard would match blanks
    and so let further options in.
    """
    helper = f"{settings.nova_venv}/bin/privsep-helper"
    file = rf"{re.escape(str(settings.etc))}/nova-[a-z0-9-]+\.conf"
    context = r"nova\.privileged\.context\.(compute|network)_pctxt"
    path = r"/tmp/[A-Za-z0-9_]+/privsep\.sock"
    arguments = f"--config-file {file} --privsep_context {context} --privsep_sock_path {path}"
    return (
        f"Defaults:{user} !requiretty, !use_pty\n"
        f"{user} ALL=(root) NOPASSWD: {helper} ^{arguments}$\n"
    )


def _login(settings: Settings, controller_address: str) -> dict[str, str]:
    auth_url = f"http://{controller_address}:{settings.ports['keystone']}/v3"
    return identity.service_login(auth_url, "nova", settings.passwords["nova"])
