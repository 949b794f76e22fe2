"""Images over the EC2 API."""

import pytest

from nova.objects.image import Image
from nova.objects.lifecycle import PowerState
from tests.fixtures.ec2 import make_ec2_site
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

HOSTILE = "<b>&amp; ]]> \x00\x1b[31m\u2028"


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def _add(site, image_id, **changes):
    values = {
        "id": image_id,
        "name": image_id,
        "disk_format": "qcow2",
        "container_format": "bare",
        "owner": PROJECT,
    }
    return site.cloud.images.add(Image(**{**values, **changes}), b"bytes")


def _listed(site, who=None, **params):
    found = (who or site.ec2).call("DescribeImages", **params)["Images"]
    return {image["Name"]: image for image in found}


def test_images_are_told_of(site):
    _add(site, "kernel", container_format="aki", disk_format="aki")
    _add(
        site,
        "machine",
        properties={
            "kernel_id": "kernel",
            "description": "of the tests",
            "architecture": "x86_64",
            "image_location": "bucket/machine.manifest.xml",
            "mappings": '[{"virtual": "ami", "device": "sda1"}]',
        },
    )
    found = _listed(site)
    kernel, machine = found["kernel"], found["machine"]
    assert kernel["ImageId"].startswith("aki-") and kernel["ImageType"] == "kernel"
    assert machine["KernelId"] == kernel["ImageId"] and "RamdiskId" not in machine
    assert machine["ImageLocation"] == "bucket/machine.manifest.xml"
    assert (machine["State"], machine["Public"]) == ("available", False)
    assert machine["BlockDeviceMappings"] == [{"DeviceName": "sda1", "VirtualName": "ami"}]
    assert machine["OwnerId"] == PROJECT and machine["CreationDate"].endswith("Z")
    again = site.ec2.call("DescribeImages", ImageId=[machine["ImageId"]])["Images"]
    assert [image["Description"] for image in again] == ["of the tests"]


@pytest.mark.parametrize("kernel", ["k" * 37, "../../v2/users", "a b", "\x00"])
def test_property_that_names_no_image_gets_no_number(site, kernel):
    _add(site, "machine", properties={"kernel_id": kernel, "ramdisk_id": "r" * 300})
    machine = _listed(site)["machine"]
    assert "KernelId" not in machine and "RamdiskId" not in machine


def test_property_of_endless_depth_hides_no_other_image(site):
    _add(site, "deep", properties={"mappings": "[" * 60000})
    _add(site, "plain")
    found = _listed(site)
    assert found["deep"]["BlockDeviceMappings"] == [] and "plain" in found


@pytest.mark.parametrize(
    ("status", "properties", "state"),
    [
        ("queued", {}, "pending"),
        ("active", {}, "available"),
        ("killed", {}, "failed"),
        ("deactivated", {}, "deactivated"),
        ("queued", {"image_state": "decrypting"}, "pending"),
        ("queued", {"image_state": "failed_untar"}, "failed"),
        ("active", {"image_state": "available"}, "available"),
    ],
)
def test_states_of_images(site, status, properties, state):
    _add(site, "image", status=status, properties=properties)
    assert _listed(site)["image"]["State"] == state


def test_failed_image_tells_why(site):
    _add(site, "image", status="queued", properties={"image_state": "failed_untar"})
    reason = _listed(site)["image"]["StateReason"]
    assert reason["Code"] == "failed_untar"
    wanted = [{"Name": "state-reason-code", "Value": ["failed_*"]}]
    assert set(_listed(site, Filter=wanted)) == {"image"}
    assert "no raw image" in reason["Message"]


def test_images_are_filtered_by_owner_and_by_what_they_are(site):
    _add(site, "own")
    _add(site, "shown", owner=OTHER_PROJECT, visibility="public")
    assert "own" in _listed(site, Owner=["self"]) and "shown" not in _listed(site, Owner=["self"])
    assert set(_listed(site, Owner=[OTHER_PROJECT])) == {"shown"}
    assert "own" not in _listed(site, ExecutableBy=["all"])
    names = [{"Name": "name", "Value": ["o?n"]}, {"Name": "is-public", "Value": ["false"]}]
    assert set(_listed(site, Filter=names)) == {"own"}
    code, _ = site.ec2.refused("DescribeImages", Filter=[{"Name": "colour", "Value": ["red"]}])
    assert code == "InvalidParameterValue"


def test_pages_of_images_follow_each_other(site):
    for number in range(12):
        _add(site, f"image-{number}")
    seen, token = [], {}
    while True:
        found = site.ec2.call("DescribeImages", MaxResults=5, **token)
        seen += [image["Name"] for image in found["Images"]]
        if "NextToken" not in found:
            break
        token = {"NextToken": found["NextToken"]}
    assert len(seen) == len(set(seen)) >= 12


def test_ec_12_private_images_of_others_are_not_there(site):
    _add(site, "secret")
    image_id = _listed(site)["secret"]["ImageId"]
    for action, params in (
        ("DescribeImages", {"ImageId": [image_id]}),
        ("DescribeImageAttribute", {"ImageId": image_id, "Attribute": "description"}),
        ("DeregisterImage", {"ImageId": image_id}),
        ("ModifyImageAttribute", {"ImageId": image_id, "Description": {"Value": "mine"}}),
    ):
        assert site.mallory.refused(action, **params)[0] == "InvalidAMIID.NotFound"
    assert "secret" not in _listed(site, site.mallory)
    assert site.ec2.refused("DescribeImages", ImageId=["ami-00ffffff"])[0] == (
        "InvalidAMIID.NotFound"
    )
    assert site.ec2.refused("DescribeImages", ImageId=["ami-x"])[0] == "InvalidAMIID.Malformed"
    wrong = image_id.replace("ami-", "aki-")
    assert site.ec2.refused("DescribeImages", ImageId=[wrong])[0] == "InvalidAMIID.NotFound"


def test_ec_09_names_of_images_are_text(site):
    _add(site, "hostile", name=HOSTILE, properties={"description": HOSTILE})
    (found,) = [one for one in _listed(site).values() if "<b>" in one["Name"]]
    assert found["Name"].startswith("<b>&amp; ]]>") and "\x1b" not in found["Name"]


def test_everybody_or_nobody_else_may_start_an_image(site):
    _add(site, "mine")
    image_id = _listed(site)["mine"]["ImageId"]
    attribute = {"ImageId": image_id, "Attribute": "launchPermission"}
    site.ec2.call(
        "ModifyImageAttribute", ImageId=image_id, LaunchPermission={"Add": [{"Group": "all"}]}
    )
    assert site.ec2.call("DescribeImageAttribute", **attribute)["LaunchPermissions"] == [
        {"Group": "all"}
    ]
    assert "mine" in _listed(site, site.mallory)
    older = {"OperationType": "remove", "UserGroup": ["all"]}
    site.ec2.call("ModifyImageAttribute", **attribute, **older)
    assert "mine" not in _listed(site, site.mallory)
    code, _ = site.ec2.refused(
        "ModifyImageAttribute", ImageId=image_id, LaunchPermission={"Add": [{"UserId": "x"}]}
    )
    assert code == "UnsupportedOperation"
    code, _ = site.ec2.refused("DescribeImageAttribute", ImageId=image_id, Attribute="colour")
    assert code == "InvalidAttribute"


def test_an_image_is_made_of_an_instance_and_goes(site):
    instance = site.boot()
    made = site.ec2.call("CreateImage", InstanceId=instance, Name="copy", Description="of it")
    site.cloud.run_until_idle()
    (found,) = site.ec2.call("DescribeImages", ImageId=[made["ImageId"]])["Images"]
    assert (found["State"], found["Name"], found["Description"]) == ("available", "copy", "of it")
    assert site.states() == ["running"]
    code, _ = site.ec2.refused("CreateImage", InstanceId=instance, Name="no\x07name")
    assert code == "InvalidParameterValue"
    site.ec2.call("DeregisterImage", ImageId=made["ImageId"])
    assert "copy" not in _listed(site)
    code, _ = site.ec2.refused("CreateImage", InstanceId="i-0000ffff", Name="none")
    assert code == "InvalidInstanceID.NotFound"


def _drives(site):
    """Return what tells what the hypervisor is asked to do from now on."""
    (server,) = site.cloud.rest.get("/servers").json["servers"]
    driver = site.cloud.driver(site.cloud.instance(server["id"]).host)
    driver.calls.clear()
    copying = ("power_off", "snapshot", "power_on")
    return lambda: [call[0] for call in driver.calls if call[0] in copying]


@pytest.mark.parametrize(
    ("no_reboot", "wanted"),
    [(True, ["snapshot"]), (False, ["power_off", "snapshot", "power_on"])],
)
def test_an_instance_is_off_while_it_is_copied_unless_it_may_not_be(site, no_reboot, wanted):
    instance = site.boot()
    asked = _drives(site)
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy", NoReboot=no_reboot)
    assert site.states() == (["running"] if no_reboot else ["stopping"])
    site.cloud.run_until_idle()
    assert asked() == wanted
    assert (site.states(), _listed(site)["copy"]["State"]) == (["running"], "available")


def test_a_stopped_instance_stays_so_when_an_image_is_made_of_it(site):
    instance = site.boot()
    site.ec2.call("StopInstances", InstanceId=[instance])
    site.cloud.run_until_idle()
    asked = _drives(site)
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy")
    site.cloud.run_until_idle()
    assert asked() == ["snapshot"]
    assert (site.states(), _listed(site)["copy"]["State"]) == (["stopped"], "available")


@pytest.mark.parametrize(
    ("action", "code"),
    [("suspend", "IncorrectInstanceState"), ("lock", "OperationNotPermitted")],
)
def test_an_instance_that_can_not_be_stopped_is_not_copied(site, action, code):
    instance = site.boot()
    (server,) = site.cloud.rest.get("/servers").json["servers"]
    site.cloud.rest.as_admin().post(f"/servers/{server['id']}/action", {action: None})
    site.cloud.run_until_idle()
    assert site.ec2.refused("CreateImage", InstanceId=instance, Name="copy")[0] == code
    assert "copy" not in _listed(site)
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy", NoReboot=True)
    site.cloud.run_until_idle()
    assert _listed(site)["copy"]["State"] == "available"


def test_a_console_ends_when_its_instance_is_switched_off_for_an_image(site):
    instance = site.boot()
    (server,) = site.cloud.rest.get("/servers").json["servers"]
    before = site.cloud.instance(server["id"]).console_generation
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy")
    assert site.ec2.refused("GetVncConsole", InstanceId=instance)[0] == "IncorrectInstanceState"
    site.cloud.run_until_idle()
    assert site.cloud.instance(server["id"]).console_generation == before + 1
    (record, _create) = site.cloud.rest.get(f"/servers/{server['id']}/os-instance-actions").json[
        "instanceActions"
    ]
    assert record["action"] == "createImage"


def _copy_states(site):
    found = site.ec2.call("DescribeImages", Filter=[{"Name": "name", "Value": ["copy"]}])
    return [image["State"] for image in found["Images"]]


@pytest.mark.parametrize("jobs", [0, 1, 2, 4])
def test_an_instance_is_on_again_wherever_its_host_crashes(site, jobs):
    instance = site.boot()
    (server,) = site.cloud.rest.get("/servers").json["servers"]
    host = site.cloud.instance(server["id"]).host
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy")
    for _ in range(jobs):
        site.cloud.bus.run_one()
    site.cloud.crash_compute(host)
    site.cloud.run_until_idle()
    site.cloud.restart_compute(host)
    site.cloud.advance(20)
    guest = site.cloud.driver(host).guests[server["id"]]
    assert (site.states(), guest.power_state) == (["running"], PowerState.RUNNING)
    assert _copy_states(site) in ([], ["available"])


@pytest.mark.parametrize("operation", ["power_off", "snapshot", "power_on"])
def test_an_instance_is_on_again_when_its_host_crashes_in_the_middle(site, operation):
    instance = site.boot()
    (server,) = site.cloud.rest.get("/servers").json["servers"]
    host = site.cloud.instance(server["id"]).host
    site.cloud.crash_compute_during(host, operation)
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy")
    site.cloud.run_until_idle()
    site.cloud.restart_compute(host)
    site.cloud.advance(20)
    guest = site.cloud.driver(host).guests[server["id"]]
    assert (site.states(), guest.power_state) == (["running"], PowerState.RUNNING)
    assert _copy_states(site) == []


@pytest.mark.parametrize("jobs", [0, 1, 2])
def test_an_instance_that_is_terminated_meanwhile_leaves_no_half_image(site, jobs):
    instance = site.boot()
    site.ec2.call("CreateImage", InstanceId=instance, Name="copy")
    for _ in range(jobs):
        site.cloud.bus.run_one()
    site.ec2.call("TerminateInstances", InstanceId=[instance])
    site.cloud.run_until_idle()
    assert site.states() == ["terminated"]
    assert _copy_states(site) in ([], ["available"])


def test_an_image_is_named_anew(site):
    _add(site, "old", properties={"description": "before"})
    image = _listed(site)["old"]["ImageId"]
    site.ec2.call("UpdateImage", ImageId=image, DisplayName="new")
    assert _listed(site)["new"]["Description"] == "before"
    site.ec2.call("UpdateImage", ImageId=image, DisplayDescription="after")
    assert _listed(site)["new"]["Description"] == "after"
    for who, params, code in (
        (site.ec2, {"ImageId": image, "DisplayName": "a\x07"}, "InvalidParameterValue"),
        (site.ec2, {"ImageId": "ami-x", "DisplayName": "a"}, "InvalidAMIID.Malformed"),
        (site.ec2, {"ImageId": image, "DisplayName": "a", "DryRun": True}, "DryRunOperation"),
        (site.mallory, {"ImageId": image, "DisplayName": "a"}, "InvalidAMIID.NotFound"),
    ):
        assert who.refused("UpdateImage", **params)[0] == code
    assert "new" in _listed(site)


def test_a_bundle_that_is_not_there_is_told(site):
    assert site.ec2.refused("RegisterImage")[0] == "MissingParameter"
    code, status = site.ec2.refused("RegisterImage", ImageLocation="bucket/none.manifest.xml")
    assert (code, status) == ("InvalidManifest", 400)
    assert site.ec2.refused("RegisterImage", ImageLocation="../x")[0] == "InvalidParameterValue"
