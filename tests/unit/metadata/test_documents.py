"""The documents that guests read."""

import base64
import json

import pytest

from nova.exception import ConfigurationError
from nova.metadata.documents import (
    DocumentSettings,
    config_drive_files,
    ec2_tree,
    extras,
    openstack_tree,
)
from nova.metadata.settings import read_vendor_data
from nova.metadata.tree import find, listing
from nova.metadata.versions import EC2_VERSIONS, OPENSTACK_VERSIONS
from nova.objects.block_device import BlockDevice
from nova.objects.instance import InjectedFile
from tests.fixtures.guests import make_guest, make_network, make_vif

SETTINGS = DocumentSettings()


def openstack_document(guest, version, name="meta_data.json"):
    tree = openstack_tree(guest, version, extras(guest, SETTINGS))
    return json.loads(tree[name])


def ec2_value(guest, version, *path):
    node = find(ec2_tree(guest, version, SETTINGS), ("meta-data", *path))
    return node if node is None or isinstance(node, dict) else node.decode()


def test_ec2_names_grow_with_the_version():
    guest = make_guest(key_name="k", key_data="ssh-rsa AAA", kernel_number=2, ramdisk_number=3)
    first = set(ec2_tree(guest, "1.0", SETTINGS)["meta-data"])
    last = set(ec2_tree(guest, "latest", SETTINGS)["meta-data"])
    assert first == {
        "ami-id",
        "ami-launch-index",
        "ami-manifest-path",
        "instance-id",
        "hostname",
        "local-ipv4",
        "reservation-id",
        "security-groups",
        "public-keys",
    }
    assert last - first == {
        "local-hostname",
        "public-hostname",
        "public-ipv4",
        "instance-type",
        "block-device-mapping",
        "kernel-id",
        "ramdisk-id",
        "placement",
        "instance-action",
    }


@pytest.mark.parametrize("version", EC2_VERSIONS)
def test_every_ec2_version_is_served(version):
    assert ec2_value(make_guest(image_number=5), version, "ami-id") == "ami-00000005"


def test_ec2_values():
    guest = make_guest(key_name="mykey", key_data="ssh-rsa AAA")
    assert ec2_value(guest, "latest", "instance-id") == "i-00000012"
    assert ec2_value(guest, "latest", "hostname") == "web.novalocal"
    assert ec2_value(guest, "latest", "local-ipv4") == "10.0.0.3"
    assert ec2_value(guest, "latest", "public-keys", "0", "openssh-key") == "ssh-rsa AAA"
    assert listing(ec2_value(guest, "latest", "public-keys")) == b"0=mykey"
    assert listing(ec2_value(guest, "latest", "public-keys", "0")) == b"openssh-key"


def test_ec2_block_devices_follow_the_root_device_name():
    blank = BlockDevice(source_type="blank", device_name="/dev/vdb")
    swap = BlockDevice(source_type="blank", guest_format="swap", device_name="/dev/vdc")
    guest = make_guest(root_device_name="/dev/vda", block_devices=(blank, swap))
    assert {
        name: value.decode()
        for name, value in ec2_value(guest, "latest", "block-device-mapping").items()
    } == {"ami": "vda", "root": "/dev/vda", "ephemeral0": "vdb", "swap": "vdc"}


def test_ec2_user_data_is_decoded_and_absent_when_none():
    text = base64.b64encode(b"#!/bin/sh\n\x00").decode()
    assert ec2_tree(make_guest(user_data=text), "latest", SETTINGS)["user-data"] == b"#!/bin/sh\n\0"
    assert "user-data" not in ec2_tree(make_guest(), "latest", SETTINGS)


def test_openstack_documents_grow_with_the_version():
    guest = make_guest()
    seen = [
        sorted(openstack_tree(guest, version, extras(guest, SETTINGS)))
        for version in OPENSTACK_VERSIONS
    ]
    assert seen[0] == ["meta_data.json"]
    assert seen[1] == ["meta_data.json", "password"]
    assert seen[2] == ["meta_data.json", "password", "vendor_data.json"]
    assert seen[-1] == [
        "meta_data.json",
        "network_data.json",
        "password",
        "vendor_data.json",
        "vendor_data2.json",
    ]


def test_openstack_meta_data_fields_by_version():
    guest = make_guest(metadata={"role": "db"}, key_name="k", key_data="ssh-rsa AAA")
    old = openstack_document(guest, "2012-08-10")
    new = openstack_document(guest, "latest")
    assert old["name"] == "web"
    assert old["hostname"] == "web.novalocal"
    assert old["meta"] == {"role": "db"}
    assert old["keys"] == [{"name": "k", "type": "ssh", "data": "ssh-rsa AAA"}]
    assert not {"random_seed", "project_id", "devices", "admin_pass"} & old.keys()
    assert len(base64.b64decode(new["random_seed"])) == 512
    assert new["project_id"] == "demo"
    assert new["devices"] == []


def test_tagged_interfaces_are_devices():
    guest = make_guest(vifs=(make_vif(tag="front"), make_vif()))
    assert openstack_document(guest, "2016-06-30")["devices"] == [
        {
            "type": "nic",
            "bus": "none",
            "address": "none",
            "mac": "fa:16:3e:00:00:01",
            "tags": ["front"],
        }
    ]


def test_network_data_of_dhcp_and_static_networks():
    static = make_vif(
        id="1" * 36,
        network=make_network(enable_dhcp=False, dns1="8.8.4.4"),
        gateway=None,
    )
    document = openstack_document(
        make_guest(vifs=(make_vif(), static)), "latest", "network_data.json"
    )
    assert [link["id"] for link in document["links"]] == ["tap0c2f6c7e-4d", "tap11111111111"]
    assert document["networks"][0]["type"] == "ipv4_dhcp"
    assert document["networks"][1]["ip_address"] == "10.0.0.3"
    assert document["networks"][1]["routes"] == [
        {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"}
    ]
    assert document["services"] == [{"type": "dns", "address": "8.8.4.4"}]


def test_injected_network_is_configured_by_its_data_though_somebody_answers_dhcp():
    vif = make_vif(network=make_network(injected=True, enable_dhcp=True))
    document = openstack_document(make_guest(vifs=(vif,)), "latest", "network_data.json")
    [network] = document["networks"]
    assert (network["type"], network["ip_address"]) == ("ipv4", "10.0.0.3")


def test_unknown_versions_have_no_tree():
    guest = make_guest()
    assert ec2_tree(guest, "2010-01-01", SETTINGS) is None
    assert openstack_tree(guest, "2010-01-01", extras(guest, SETTINGS)) is None


def test_md_11_config_drive_holds_this_server_and_the_given_password_only():
    file = InjectedFile(path="/etc/motd", contents=base64.b64encode(b"hi").decode())
    user_data = base64.b64encode(b"#!/bin/sh").decode()
    guest = make_guest(
        user_data=user_data, injected_files=(file,), admin_password="pw", password="opaque"
    )
    files = config_drive_files(guest, SETTINGS)
    meta = json.loads(files["openstack/latest/meta_data.json"])
    assert meta["uuid"] == guest.instance.uuid
    assert meta["admin_pass"] == "pw"
    assert meta["files"] == [{"path": "/etc/motd", "content_path": "/content/0000"}]
    assert files["openstack/content/0000"] == b"hi"
    assert files["openstack/2012-08-10/user_data"] == b"#!/bin/sh"
    assert not any(name.endswith("/password") for name in files)
    assert {name.split("/")[1] for name in files if name.startswith("ec2/")} == {
        "2009-04-04",
        "latest",
    }
    assert json.loads(files["ec2/latest/meta-data.json"])["instance-id"] == "i-00000012"


def test_md_11_config_drive_has_no_password_unless_given():
    files = config_drive_files(make_guest(), SETTINGS)
    assert "admin_pass" not in json.loads(files["openstack/latest/meta_data.json"])


def test_the_operator_sets_domain_vendor_data_and_versions_of_config_drives():
    settings = DocumentSettings(
        dhcp_domain="example.org", skip_ec2_versions=(), vendor_data={"rack": 7}
    )
    files = config_drive_files(make_guest(), settings)
    meta = json.loads(files["openstack/latest/meta_data.json"])
    assert meta["hostname"] == "web.example.org"
    assert json.loads(files["openstack/latest/vendor_data.json"]) == {"rack": 7}
    assert "ec2/1.0/meta-data.json" in files


@pytest.mark.parametrize("text", ["not json", "[1]"])
def test_a_vendor_data_file_that_holds_no_object_is_refused(tmp_path, text):
    path = tmp_path / "vendor.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="vendordata_jsonfile_path"):
        read_vendor_data(str(path))


def test_a_missing_vendor_data_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="can not be read"):
        read_vendor_data(str(tmp_path / "none"))
