"""A tenant's day with the AWS command-line client, on a real guest.

Each step is checked where it has its effect: in the guest, at the address, in the Compute API.
"""

import base64
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import uuid

import pytest
from standup.rest import HttpError

from tests.fixtures.aws import S3_URL, Aws, Refused, aws_of
from tests.fixtures.clients import Client
from tests.fixtures.daemons import ROOT, wait_for
from tests.fixtures.process_cloud import Server
from tests.fixtures.real_cloud import READY, Shell, wait_until_ready
from tests.fixtures.whole_cloud import WholeCloud, missing, session

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(missing()), reason=f"needs {', '.join(missing())}"),
]

GROUP = "tour"
BUCKET = "tour"
KEY = "tour"
MARK = f"mark-{uuid.uuid4().hex[:8]}"
USER_DATA = f"#!/bin/sh\necho {MARK} > /root/mark\n"
OFF = "TINY: shutdown"


@pytest.fixture(scope="module")
def cloud_class():
    return WholeCloud


@pytest.fixture(scope="module")
def aws(cloud) -> Aws:
    """Give the client with keys that the openstack client made."""
    made = Client("demo", "demo").json("ec2 credentials create")
    access = made.get("access") or made["Access"]
    return Aws(access, made.get("secret") or made["Secret"])


@pytest.fixture(scope="module")
def ssh_key(cloud):
    file = cloud.folder / "tour-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    return file


def _instance(aws: Aws, instance_id: str) -> dict:
    (reservation,) = aws.ec2("describe-instances", "--instance-ids", instance_id)["Reservations"]
    (instance,) = reservation["Instances"]
    return instance


def _state(aws: Aws, instance_id: str) -> str:
    return _instance(aws, instance_id)["State"]["Name"]


def _wait(aws: Aws, what: str, instance_id: str) -> None:
    aws.run("ec2", "wait", what, "--instance-ids", instance_id)


def _in_guest(shell: Shell, address: str, command: str) -> str:
    """Return what a command prints in the guest; the address may have to settle first."""

    def answer() -> str | None:
        done = subprocess.run(
            shell.command(address, command), capture_output=True, timeout=60, check=False
        )
        return done.stdout.decode() if done.returncode == 0 else None

    return wait_for(answer, f"no login at {address}", patience_s=120)


def _boot_id(shell: Shell, address: str) -> str:
    return _in_guest(shell, address, "cat /proc/sys/kernel/random/boot_id")


def test_a_tenants_day_with_the_aws_client(cloud, aws, ssh_key) -> None:
    shell = Shell(ssh_key)

    public = ssh_key.with_suffix(".pub")
    key = aws.ec2(
        "import-key-pair", "--key-name", KEY, "--public-key-material", f"fileb://{public}"
    )
    assert [one["KeyName"] for one in aws.ec2("describe-key-pairs")["KeyPairs"]] == [KEY]
    assert cloud.user.get(f"/os-keypairs/{KEY}")["keypair"]["fingerprint"] == key["KeyFingerprint"]

    group = aws.ec2("create-security-group", "--group-name", GROUP, "--description", "SSH, ping")
    for rule in (("tcp", "22"), ("icmp", "-1")):
        opened = ("--protocol", rule[0], "--port", rule[1], "--cidr", "0.0.0.0/0")
        aws.ec2("authorize-security-group-ingress", "--group-id", group["GroupId"], *opened)
    # By its name: the very same request within a second is the first one's repetition.
    with pytest.raises(Refused, match=r"InvalidPermission\.Duplicate"):
        aws.ec2("authorize-security-group-ingress", "--group-name", GROUP, *opened)

    images = aws.ec2("describe-images")["Images"]
    name = next(
        image["Name"] for image in images if image["Name"] and image["Name"].startswith("tiny")
    )
    (image_id,) = [image["ImageId"] for image in images if image["Name"] == name]
    data = cloud.folder / "user-data"
    data.write_text(USER_DATA)
    wishes = ("--image-id", image_id, "--instance-type", "tiny", "--key-name", KEY)
    wishes += ("--security-groups", GROUP, "--user-data", f"file://{data}")
    with pytest.raises(Refused, match="DryRunOperation"):
        aws.ec2("run-instances", *wishes, "--dry-run")
    token = uuid.uuid4().hex
    made = aws.ec2("run-instances", *wishes, "--client-token", token)
    again = aws.ec2("run-instances", *wishes, "--client-token", token)
    (instance,) = made["Instances"]
    instance_id = instance["InstanceId"]
    assert again["ReservationId"] == made["ReservationId"]
    _wait(aws, "instance-running", instance_id)
    (found,) = cloud.user.get("/servers")["servers"]
    server = Server(cloud.user, found["id"], found)
    wait_until_ready(server)

    instance = _instance(aws, instance_id)
    assert instance["KeyName"] == KEY and instance["ImageId"] == image_id
    assert instance["InstanceType"] == "tiny"
    assert [one["GroupName"] for one in instance["SecurityGroups"]] == [GROUP]
    fixed = instance["PrivateIpAddress"]
    assert _in_guest(shell, fixed, "cat /root/mark").strip() == MARK

    aws.ec2("create-tags", "--resources", instance_id, "--tags", "Key=role,Value=tour")
    assert server.show()["metadata"] == {"role": "tour"}
    tagged = aws.ec2("describe-instances", "--filters", "Name=tag:role,Values=to*")
    assert [one["InstanceId"] for one in tagged["Reservations"][0]["Instances"]] == [instance_id]

    address = aws.ec2("allocate-address")["PublicIp"]
    aws.ec2("associate-address", "--instance-id", instance_id, "--public-ip", address)
    assert _in_guest(shell, address, "hostname").strip()
    assert _instance(aws, instance_id)["PublicIpAddress"] == address

    output = aws.ec2("get-console-output", "--instance-id", instance_id)["Output"]
    assert READY in output or READY in base64.b64decode(output).decode(errors="replace")

    aws.ec2("stop-instances", "--instance-ids", instance_id)
    _wait(aws, "instance-stopped", instance_id)
    assert cloud.inside("virsh", "-q", "list", "--name").strip() == ""
    aws.ec2("start-instances", "--instance-ids", instance_id)
    _wait(aws, "instance-running", instance_id)
    boots = [_boot_id(shell, address)]
    aws.ec2("reboot-instances", "--instance-ids", instance_id)

    def booted_again() -> bool:
        return _boot_id(shell, address) not in boots

    wait_for(booted_again, "the guest was not rebooted", patience_s=180)
    boots.append(_boot_id(shell, address))

    copy = aws.ec2("create-image", "--instance-id", instance_id, "--name", "tour-copy")
    wait_for(booted_again, "the guest was not shut down for its image", patience_s=180)
    _wait(aws, "instance-running", instance_id)
    aws.run("ec2", "wait", "image-available", "--image-ids", copy["ImageId"])
    (described,) = aws.ec2("describe-images", "--image-ids", copy["ImageId"])["Images"]
    assert (described["Name"], described["State"]) == ("tour-copy", "available")

    aws.ec2("disassociate-address", "--public-ip", address)
    aws.ec2("release-address", "--public-ip", address)
    assert aws.ec2("describe-addresses")["Addresses"] == []
    aws.ec2("terminate-instances", "--instance-ids", instance_id)
    wait_for(lambda: cloud.user.get("/servers")["servers"] == [], "the server is not gone")
    wait_for(
        lambda: cloud.inside("virsh", "-q", "list", "--all", "--name").strip() == "",
        "the guest is not gone",
    )
    aws.ec2("deregister-image", "--image-id", copy["ImageId"])
    aws.ec2("delete-security-group", "--group-id", group["GroupId"])
    aws.ec2("delete-key-pair", "--key-name", KEY)
    assert cloud.user.get("/os-keypairs")["keypairs"] == []


@pytest.fixture
def bundler(cloud, aws, tmp_path) -> "Bundler":
    """Give the tool with keys that the cloud made for the user."""
    made = cloud.user.do("POST", "/os-certificates", {})["certificate"]
    (tmp_path / "pk.pem").write_text(made["private_key"])
    (tmp_path / "cert.pem").write_text(made["data"])
    root = cloud.user.get("/os-certificates/root")["certificate"]["data"]
    (tmp_path / "cacert.pem").write_text(root)
    return Bundler(aws, tmp_path)


@dataclasses.dataclass(frozen=True)
class Bundler:
    """Makes images of files by way of bundles in a bucket."""

    aws: Aws
    keys: pathlib.Path

    def register(self, file: pathlib.Path, *options: str) -> str:
        """Bundle a file, upload and register it; return the id of the image to be."""
        words = ["--destination", "bundle", "--upload", BUCKET, "--url", S3_URL, *options]
        done = subprocess.run(
            [sys.executable, str(ROOT / "tools" / "bundle-image"), str(file), *words],
            cwd=self.keys,
            env=os.environ | self.aws.login,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        location = done.stdout.splitlines()[-1]
        wish = ("--image-location", location, "--name", f"bundled-{file.name}")
        return str(self.aws.ec2("register-image", *wish)["ImageId"])


def test_a_bundle_with_kernel_and_ramdisk_boots(cloud, aws, bundler, guest_images) -> None:
    kernel = bundler.register(guest_images / "tiny.vmlinuz", "--kernel", "true")
    ramdisk = bundler.register(guest_images / "tiny.initrd", "--ramdisk", "true")
    parts = ("--kernel", kernel, "--ramdisk", ramdisk)
    machine = bundler.register(guest_images / "tiny.ami.ext4", *parts)
    images = (machine, kernel, ramdisk)
    assert [one[:4] for one in images] == ["ami-", "aki-", "ari-"]
    aws.run("ec2", "wait", "image-available", "--image-ids", *images)
    (described,) = aws.ec2("describe-images", "--image-ids", machine)["Images"]
    assert (described["KernelId"], described["RamdiskId"]) == (kernel, ramdisk)

    wishes = ("--image-id", machine, "--instance-type", "tiny")
    (instance,) = aws.ec2("run-instances", *wishes)["Instances"]
    _wait(aws, "instance-running", instance["InstanceId"])
    (found,) = cloud.user.get("/servers")["servers"]
    printed = wait_until_ready(Server(cloud.user, found["id"], found))
    assert "TINY: root dev=/dev/vda" in printed
    (domain,) = cloud.inside("virsh", "-q", "list", "--name").split()
    definition = cloud.inside("virsh", "-q", "dumpxml", domain)
    assert "<kernel>" in definition and "<initrd>" in definition

    aws.ec2("terminate-instances", "--instance-ids", instance["InstanceId"])
    wait_for(lambda: cloud.user.get("/servers")["servers"] == [], "the server is not gone")
    for image_id in images:
        aws.ec2("deregister-image", "--image-id", image_id)
    assert not {one["ImageId"] for one in aws.ec2("describe-images")["Images"]} & {*images}


def test_ec_12_short_ids_do_not_lead_to_foreign_objects(cloud) -> None:
    stranger = aws_of("alt_demo")
    for words in (
        ("describe-instances", "--instance-ids", "i-00000001"),
        ("get-console-output", "--instance-id", "i-00000001"),
        ("terminate-instances", "--instance-ids", "i-00000001"),
    ):
        with pytest.raises(Refused, match=r"InvalidInstanceID\.NotFound"):
            stranger.ec2(*words)


def test_ec_03_keys_are_no_tokens(cloud, aws) -> None:
    for value in (aws.access, aws.secret):
        answer = type(cloud.user)(cloud.user.port, token=value).send("GET", "/servers")
        assert answer.status == 401, json.dumps(answer.document)


def test_ec_05_keys_are_made_and_listed_by_their_owner_alone(cloud, aws) -> None:
    stranger, owner = session("alt_demo"), session("demo")
    token = owner.call(
        "GET", f"{owner.credentials.auth_url}/auth/tokens", X_Subject_Token=owner.token
    ).body["token"]
    url = f"{owner.credentials.auth_url}/users/{token['user']['id']}/credentials/OS-EC2"
    assert aws.access in {one["access"] for one in owner.get(url)["credentials"]}
    for method, path, body in (
        ("GET", url, None),
        ("GET", f"{url}/{aws.access}", None),
        ("POST", url, {"tenant_id": token["project"]["id"]}),
        ("DELETE", f"{url}/{aws.access}", None),
    ):
        with pytest.raises(HttpError, match=r"answered 40[34]"):
            stranger.call(method, path, body)
