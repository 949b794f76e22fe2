"""The first servers: flavors, image, key pair, boot and login, all through public interfaces."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from standup import aws, catalog, first_network, nova_programs, run
from standup.client import Client
from standup.cloud import Cloud
from standup.errors import StandupError
from standup.paths import TOOLS
from standup.rest import HttpError, Session
from standup.settings import Settings

NAME = "first"
SECOND = "second"
NETWORK = "private"
IMAGE = "tiny"
KEYPAIR = "quickstart"
FLAVORS = {
    "m1.nano": (128, 1, 1),
    "m1.micro": (256, 1, 2),
    "m1.tiny": (512, 1, 5),
    "m1.small": (2048, 1, 20),
}
SSH_OPTIONS = (
    *(
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
    ),
    *("-o", "ConnectTimeout=5"),
)


def make_flavors(cloud: Cloud) -> str:
    """Make the flavors that are missing. Memory in MiB, disk in GiB."""
    session, url = cloud.session("admin"), f"{cloud.settings.compute_url}/flavors"
    present = {entry["name"] for entry in session.get(url)["flavors"]}
    for number, (name, (memory, vcpus, disk)) in enumerate(FLAVORS.items(), start=1):
        if name not in present:
            flavor = {"name": name, "ram": memory, "vcpus": vcpus, "disk": disk, "id": str(number)}
            session.call("POST", url, {"flavor": flavor})
    return ", ".join(FLAVORS)


def upload_image(cloud: Cloud) -> str:
    """Upload the guest image."""
    content = cloud.guest_image.read_bytes()
    values: dict[str, object] = {"disk_format": "qcow2", "min_ram": 96}
    catalog.ensure_image(cloud.session("admin"), cloud.settings.image_url, IMAGE, content, **values)
    return f"{IMAGE}, {len(content) / 2**20:.0f} MiB"


def make_keypair(cloud: Cloud) -> str:
    """Make an SSH key and import its public half as the demo user."""
    key = key_file(cloud)
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        command = [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "nova-quickstart",
            "-f",
            str(key),
        ]
        run.output(command)
    public = key.with_suffix(".pub").read_text().strip()
    url = f"{cloud.settings.compute_url}/os-keypairs"
    for session in (cloud.session("demo"), cloud.session("admin", "demo")):
        if KEYPAIR not in {entry["keypair"]["name"] for entry in session.get(url)["keypairs"]}:
            session.call("POST", url, {"keypair": {"name": KEYPAIR, "public_key": public}})
    return str(key)


def boot(cloud: Cloud, name: str, patience_s: float = 240) -> str:
    """Create a server unless it exists, and wait until it is active."""
    session, url = cloud.session("demo"), f"{cloud.settings.compute_url}/servers"
    found = session.get(f"{url}?name=^{name}$")["servers"]
    server_id = found[0]["id"] if found else _create(cloud, name)
    deadline = time.monotonic() + patience_s
    while True:
        server = session.get(f"{url}/{server_id}")["server"]
        if server["status"] == "ACTIVE":
            return f"{name} at {_best_address(server) or 'no address'}"
        if server["status"] == "SHUTOFF":
            _start(session, f"{url}/{server_id}")
        if server["status"] == "ERROR":
            raise StandupError(_fault(cloud, server), _compute_log(cloud))
        if time.monotonic() > deadline:
            state = f"{server['status']}, task {server.get('OS-EXT-STS:task_state')}"
            raise StandupError(
                f"the server is still {state} after {patience_s:.0f} s", _compute_log(cloud)
            )
        time.sleep(0.5)


def _create(cloud: Cloud, name: str) -> str:
    wanted = ("--flavor", "m1.nano", "--image", IMAGE, "--key-name", KEYPAIR)
    wanted += ("--network", NETWORK, "--security-group", first_network.GROUP)
    made = Client(cloud.settings, "demo").json("server", "create", *wanted, name)
    return str(made["id"])


def login(cloud: Cloud, patience_s: float = 180) -> str:
    """Wait until the server lets us in by SSH with the key from the metadata service."""
    session = cloud.session("demo")
    server = find(session, cloud.settings.compute_url, NAME)
    command = [*ssh_command(cloud, server), "hostname; cut -d' ' -f1 /proc/uptime"]
    deadline = time.monotonic() + patience_s
    while True:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0:
            name, uptime = done.stdout.split()
            where = address_of(server)
            return f"{name} answers at {where}, up for {float(uptime):.0f} s"
        if time.monotonic() > deadline:
            console = console_log(session, cloud.settings.compute_url, server["id"], 8)
            raise StandupError(f"no SSH login: {done.stderr.strip()}\nthe console says:\n{console}")
        time.sleep(0.5)


def find(session: Session, compute_url: str, name_or_id: str) -> dict[str, Any]:
    """Return a server by id or name. Raises: StandupError if there is none or several."""
    servers = session.get(f"{compute_url}/servers/detail")["servers"]
    found = [server for server in servers if name_or_id in (server["id"], server["name"])]
    if len(found) != 1:
        names = ", ".join(server["name"] for server in servers) or "none"
        raise StandupError(
            f"{len(found)} servers are called {name_or_id}; the servers are: {names}"
        )
    return dict(found[0])


def ssh_command(cloud: Cloud, server: dict[str, Any]) -> list[str]:
    """Return the command that logs into a server."""
    return [
        "ssh",
        "-i",
        str(key_file(cloud)),
        *SSH_OPTIONS,
        "-o",
        "BatchMode=yes",
        f"root@{address_of(server)}",
    ]


def key_file(cloud: Cloud) -> Path:
    """Return the private key of the first server."""
    return cloud.settings.user / "id_quickstart"


def address_of(server: dict[str, Any]) -> str:
    """Return the address at which a server is reached.  Raises: StandupError if it has none."""
    address = _best_address(server)
    if address is None:
        raise StandupError(f"server {server['name']} has no address")
    return address


def _best_address(server: dict[str, Any]) -> str | None:
    """Return an IPv4 address of a server: a floating one before others."""
    entries = [
        entry
        for addresses in server["addresses"].values()
        for entry in addresses
        if entry["version"] == 4
    ]
    entries.sort(key=lambda entry: entry.get("OS-EXT-IPS:type") != "floating")
    return str(entries[0]["addr"]) if entries else None


def console_log(session: Session, compute_url: str, server_id: str, lines: int) -> str:
    """Return the last lines of a server's console, or why there are none."""
    body = {"os-getConsoleOutput": {"length": lines}}
    try:
        return str(
            session.call("POST", f"{compute_url}/servers/{server_id}/action", body).body["output"]
        )
    except HttpError as error:
        return f"(no console: {error.why})"


def console_url(cloud: Cloud) -> str:
    """Return the address of the first server's screen; it opens for ten minutes."""
    client = Client(cloud.settings, "demo")
    return str(client.json("console", "url", "show", "--novnc", NAME)["url"])


def write_openrc(cloud: Cloud) -> str:
    """Write files to source, and the programs that they put on the path."""
    settings = cloud.settings
    programs = settings.user / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name, venv in (("openstack", settings.identity_venv), ("aws", settings.aws_venv)):
        client = programs / name
        client.unlink(missing_ok=True)
        client.symlink_to(venv / "bin" / name)
    for name, script in (
        ("nova-manage", _manage_script(cloud)),
        ("bundle-image", _bundle_script(settings)),
    ):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    files = {settings.user / f"openrc-{user}": (user, user) for user in ("admin", "demo")}
    files[settings.openrc] = ("admin", "demo")
    for file, (user, project) in files.items():
        text = (
            f"export OS_AUTH_URL={settings.auth_url}\n"
            f"export OS_USERNAME={user} OS_PASSWORD={settings.passwords[user]}\n"
            f"export OS_PROJECT_NAME={project}\n"
            "export OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default\n"
            "export OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne\n"
            f"{_exports(aws.environment(settings, cloud.session(user, project)))}"
            f'case ":$PATH:" in *":{programs}:"*) ;; *) export PATH="{programs}:$PATH";; esac\n'
        )
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
    _give_to_caller(settings.user, settings.openrc)
    return str(settings.openrc)


def _exports(values: dict[str, str]) -> str:
    return "".join(f"export {name}={value}\n" for name, value in values.items())


def _manage_script(cloud: Cloud) -> str:
    """Return a program that runs nova-manage with this cloud's configuration as its account."""
    command = " ".join(nova_programs.manage(cloud.settings))
    return (
        "#!/bin/sh\n"
        '[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"\n'
        f"cd / && exec setpriv --reuid {nova_programs.USER} --regid {nova_programs.USER}"
        f' --init-groups {command} "$@"\n'
    )


def _bundle_script(settings: Settings) -> str:
    """Return a program that makes bundles of images."""
    tool = TOOLS / "bundle-image"
    return f'#!/bin/sh\nexec "{settings.aws_venv}/bin/python" -B "{tool}" "$@"\n'


def _give_to_caller(directory: Path, *files: Path) -> None:
    """Hand the files for people to whoever called sudo."""
    if "SUDO_UID" in os.environ:
        uid, gid = int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
        for path in (*files, directory, *directory.rglob("*")):
            os.chown(path, uid, gid, follow_symlinks=False)


def _start(session: Session, url: str) -> None:
    try:
        session.call("POST", f"{url}/action", {"os-start": None})
    except HttpError as error:
        if error.status != 409:
            raise


def _fault(cloud: Cloud, server: dict[str, Any]) -> str:
    message = server.get("fault", {}).get("message", "no fault is recorded")
    more = f"nova-manage server explain {server['id']}"
    return f"server {server['name']} is in state ERROR: {message} (more: {more})"


def _compute_log(cloud: Cloud) -> Path:
    if cloud.settings.wishes.on_this_host:
        return cloud.settings.logs / "nova-compute.log"
    return cloud.host_logs(1) / "nova-compute.log"
