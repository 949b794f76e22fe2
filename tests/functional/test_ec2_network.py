"""Key pairs, security groups and addresses over the EC2 API."""

import base64

import pytest

from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.context import get_admin_context
from nova.objects.floating_ip import FloatingRange
from tests.fixtures.ec2 import Refused, make_ec2_site
from tests.fixtures.rest import PROJECT

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMO/trACRfN/d1c3WZeikayzbuXL5mCkzBD3PhFX9UD9 me"


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


@pytest.fixture
def stranger(site):
    return site.mallory


# --- Key pairs


def test_a_key_pair_is_made_listed_and_deleted(site):
    made = site.ec2.call("CreateKeyPair", KeyName="mine")
    assert made["KeyMaterial"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    (found,) = site.ec2.call("DescribeKeyPairs", KeyName=["mine"])["KeyPairs"]
    assert found["KeyFingerprint"] == made["KeyFingerprint"]
    assert (found["KeyPairId"], found["KeyType"]) == (made["KeyPairId"], "rsa")
    assert (
        site.ec2.refused("CreateKeyPair", KeyName="mine", Unique="1")[0]
        == "InvalidKeyPair.Duplicate"
    )
    site.ec2.call("DeleteKeyPair", KeyPairId=made["KeyPairId"])
    assert site.ec2.call("DescribeKeyPairs")["KeyPairs"] == []
    site.ec2.call("DeleteKeyPair", KeyName="mine", Unique="1")
    assert site.ec2.refused("DescribeKeyPairs", KeyName=["mine"])[0] == "InvalidKeyPair.NotFound"


def test_a_public_key_is_imported(site):
    material = base64.b64encode(ED25519.encode()).decode()
    site.ec2.call("ImportKeyPair", KeyName="laptop", PublicKeyMaterial=material)
    (found,) = site.ec2.call("DescribeKeyPairs", Filter=[{"Name": "key-name", "Value": ["lap*"]}])[
        "KeyPairs"
    ]
    assert (found["KeyName"], found["KeyType"]) == ("laptop", "ed25519")
    assert "PublicKey" not in found
    (found,) = site.ec2.call("DescribeKeyPairs", IncludePublicKey=True)["KeyPairs"]
    assert found["PublicKey"] == ED25519


def test_a_public_key_is_imported_as_it_was_once(site):
    site.ec2.call("ImportPublicKey", KeyName="old", PublicKey=ED25519)
    (found,) = site.ec2.call("DescribeKeyPairs")["KeyPairs"]
    assert (found["KeyName"], found["KeyType"]) == ("old", "ed25519")
    for params, code in (
        ({"KeyName": "bad", "PublicKey": "no key"}, "InvalidKeyPair.Format"),
        ({"KeyName": "old", "PublicKey": ED25519, "Unique": "1"}, "InvalidKeyPair.Duplicate"),
        ({"KeyName": "dry", "PublicKey": ED25519, "DryRun": True}, "DryRunOperation"),
    ):
        assert site.ec2.refused("ImportPublicKey", **params)[0] == code
    assert len(site.ec2.call("DescribeKeyPairs")["KeyPairs"]) == 1


@pytest.mark.parametrize("text", ["", "no key", f"{ED25519}\n{ED25519}", "ssh-rsa AAAA"])
def test_what_is_no_public_key_is_refused(site, text):
    material = base64.b64encode(text.encode()).decode()
    code, _ = site.ec2.refused("ImportKeyPair", KeyName="bad", PublicKeyMaterial=material)
    assert code in ("InvalidKeyPair.Format", "MissingParameter")
    assert site.ec2.call("DescribeKeyPairs")["KeyPairs"] == []


@pytest.mark.parametrize("name", ["x" * 256, " blank", "tab\t", "ümlaut"])
def test_names_of_key_pairs_are_checked(site, name):
    assert site.ec2.refused("CreateKeyPair", KeyName=name)[0] == "InvalidParameterValue"


def test_ec_12_key_pairs_of_others_are_not_there(site, stranger):
    site.ec2.call("CreateKeyPair", KeyName="mine")
    assert stranger.call("DescribeKeyPairs")["KeyPairs"] == []
    stranger.call("DeleteKeyPair", KeyName="mine")
    assert len(site.ec2.call("DescribeKeyPairs")["KeyPairs"]) == 1


# --- Security groups

HTTP = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _group(site, name="web"):
    made = site.ec2.call("CreateSecurityGroup", GroupName=name, GroupDescription="of the tests")
    return made["GroupId"]


def _permissions(site, group_id):
    (found,) = site.ec2.call("DescribeSecurityGroups", GroupId=[group_id])["SecurityGroups"]
    return found["IpPermissions"]


def test_a_group_lets_in_what_it_is_told_to(site):
    group_id = _group(site)
    ping = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}
    site.ec2.call(
        "AuthorizeSecurityGroupIngress",
        GroupId=group_id,
        IpPermissions=[
            {**HTTP, "IpRanges": [{"CidrIp": "192.0.2.7/24", "Description": "home"}]},
            ping,
            {"IpProtocol": "tcp", "Groups": [{"GroupId": group_id}]},
        ],
    )
    first, second, third = _permissions(site, group_id)
    assert first["IpRanges"] == [{"CidrIp": "192.0.2.0/24", "Description": "home"}]
    assert (second["IpProtocol"], second["FromPort"], second["ToPort"]) == ("icmp", -1, -1)
    assert (third["FromPort"], third["ToPort"]) == (1, 65535)
    assert third["UserIdGroupPairs"][0]["GroupId"] == group_id
    site.ec2.call("RevokeSecurityGroupIngress", GroupName="web", IpPermissions=[ping])
    assert len(_permissions(site, group_id)) == 2


def test_rules_are_added_all_or_none(site):
    group_id = _group(site)
    bad = {**HTTP, "FromPort": 70000, "ToPort": 70000}
    code, _ = site.ec2.refused(
        "AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=[HTTP, bad]
    )
    assert code == "InvalidParameterValue"
    assert _permissions(site, group_id) == []
    site.ec2.call("AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=[HTTP])
    code, _ = site.ec2.refused(
        "AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=[HTTP], Unique="1"
    )
    assert code == "InvalidPermission.Duplicate"
    other = {**HTTP, "FromPort": 81, "ToPort": 81}
    with pytest.raises(Refused, match="tcp 81-81 from") as refused:
        site.ec2.call("RevokeSecurityGroupIngress", GroupId=group_id, IpPermissions=[HTTP, other])
    assert refused.value.code == "InvalidPermission.NotFound"
    assert len(_permissions(site, group_id)) == 1


@pytest.mark.parametrize(
    ("protocol", "stored"), [("TCP", "tcp"), ("6", "tcp"), ("Udp", "udp"), ("17", "udp")]
)
def test_ec_10_protocols_are_stored_in_one_spelling(site, protocol, stored):
    group_id = _group(site)
    site.ec2.call(
        "AuthorizeSecurityGroupIngress",
        GroupId=group_id,
        IpPermissions=[{**HTTP, "IpProtocol": protocol}],
    )
    (found,) = _permissions(site, group_id)
    assert found["IpProtocol"] == stored


@pytest.mark.parametrize(
    "change",
    [
        {"IpProtocol": " tcp"},
        {"IpProtocol": "tcp "},
        {"IpProtocol": "esp\n"},
        {"IpProtocol": "999"},
        {"FromPort": 0x10000},
        {"FromPort": 90, "ToPort": 80},
        {"IpProtocol": "icmp", "FromPort": 256, "ToPort": -1},
        {"IpRanges": [{"CidrIp": "0.0.0.0/33"}]},
        {"IpRanges": [{"CidrIp": "everywhere"}]},
    ],
)
def test_ec_10_traffic_that_is_none_is_refused(site, change):
    group_id = _group(site)
    code, _ = site.ec2.refused(
        "AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=[{**HTTP, **change}]
    )
    assert code == "InvalidParameterValue"
    assert _permissions(site, group_id) == []


def test_the_older_way_to_name_traffic(site):
    group_id = _group(site)
    site.ec2.call(
        "AuthorizeSecurityGroupIngress", GroupName="web", IpProtocol="tcp", FromPort=22, ToPort=22
    )
    assert _permissions(site, group_id)[0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    site.ec2.call(
        "AuthorizeSecurityGroupIngress",
        GroupName="web",
        SourceSecurityGroupName="web",
        SourceSecurityGroupOwnerId=PROJECT,
    )
    assert len(_permissions(site, group_id)) == 4


def test_groups_are_named_in_errors_as_in_the_request(site):
    with pytest.raises(Refused, match="sg-0000ffff") as refused:
        site.ec2.call("DeleteSecurityGroup", GroupId="sg-0000ffff")
    assert refused.value.code == "InvalidGroup.NotFound"
    with pytest.raises(Refused, match="none") as refused:
        site.ec2.call("DeleteSecurityGroup", GroupName="none")
    assert refused.value.code == "InvalidGroup.NotFound"
    assert site.ec2.refused("DeleteSecurityGroup", GroupId="sg-x")[0] == "InvalidGroupId.Malformed"
    assert site.ec2.refused("DeleteSecurityGroup")[0] == "MissingParameter"
    code, _ = site.ec2.refused("CreateSecurityGroup", GroupName="a<b", GroupDescription="x")
    assert code == "InvalidParameterValue"


def test_groups_are_paged_and_filtered(site):
    for name in ("one", "two"):
        _group(site, name)
    first = site.ec2.call("DescribeSecurityGroups", MaxResults=5)
    assert [one["GroupName"] for one in first["SecurityGroups"]] == ["default", "one", "two"]
    assert "NextToken" not in first
    found = site.ec2.call(
        "DescribeSecurityGroups", Filter=[{"Name": "group-name", "Value": ["t?o"]}]
    )
    assert [one["GroupName"] for one in found["SecurityGroups"]] == ["two"]


def test_ec_12_groups_of_others_are_not_there(site, stranger):
    group_id = _group(site)
    code = "InvalidGroup.NotFound"
    assert stranger.refused("DescribeSecurityGroups", GroupId=[group_id])[0] == code
    assert stranger.refused("DeleteSecurityGroup", GroupId=group_id)[0] == code
    permissions = [HTTP]
    refused = stranger.refused(
        "AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=permissions
    )
    assert refused[0] == code
    own = stranger.call("CreateSecurityGroup", GroupName="own", GroupDescription="own")["GroupId"]
    foreign = [{"IpProtocol": "tcp", "Groups": [{"GroupId": group_id, "UserId": PROJECT}]}]
    refused = stranger.refused("AuthorizeSecurityGroupIngress", GroupId=own, IpPermissions=foreign)
    assert refused[0] == code
    foreign[0]["Groups"][0].pop("UserId")
    refused = stranger.refused(
        "AuthorizeSecurityGroupIngress", GroupId=own, IpPermissions=foreign, Unique="1"
    )
    assert refused[0] == code


# --- Addresses


@pytest.fixture
def pool(site):
    addresses = site.cloud.bus.client(ConductorFloatingIps).anyone()
    addresses.create_range(
        get_admin_context(), FloatingRange(ip_range="203.0.113.0/28", pool="nova")
    )


def test_an_address_leads_to_an_instance_and_back(site, pool):
    instance = site.boot()
    made = site.ec2.call("AllocateAddress", Domain="standard")
    address = made["PublicIp"]
    led = site.ec2.call("AssociateAddress", InstanceId=instance, PublicIp=address)
    site.cloud.run_until_idle()
    (found,) = site.ec2.call("DescribeAddresses")["Addresses"]
    assert (found["PublicIp"], found["InstanceId"]) == (address, instance)
    assert found["AssociationId"] == led["AssociationId"]
    assert site.show(instance)["PublicIpAddress"] == address
    site.ec2.call("DisassociateAddress", AssociationId=led["AssociationId"])
    site.cloud.run_until_idle()
    (found,) = site.ec2.call("DescribeAddresses", PublicIp=[address])["Addresses"]
    assert "InstanceId" not in found and "AssociationId" not in found
    code, _ = site.ec2.refused("DisassociateAddress", PublicIp=address)
    assert code == "InvalidAssociationID.NotFound"
    site.ec2.call("ReleaseAddress", AllocationId=made["AllocationId"])
    assert site.ec2.call("DescribeAddresses")["Addresses"] == []


def test_an_address_is_not_taken_from_another_instance_unasked(site, pool):
    first, second = site.boot(), site.boot(Unique="1")
    address = site.ec2.call("AllocateAddress")["PublicIp"]
    site.ec2.call("AssociateAddress", InstanceId=first, PublicIp=address)
    site.cloud.run_until_idle()
    code, _ = site.ec2.refused(
        "AssociateAddress", InstanceId=second, PublicIp=address, AllowReassociation=False
    )
    assert code == "InvalidIPAddress.InUse"


def test_ec_12_addresses_of_others_are_not_there(site, stranger, pool):
    made = site.ec2.call("AllocateAddress")
    assert stranger.call("DescribeAddresses")["Addresses"] == []
    code, _ = stranger.refused("ReleaseAddress", PublicIp=made["PublicIp"])
    assert code == "InvalidAddress.NotFound"
    code, _ = stranger.refused("ReleaseAddress", AllocationId=made["AllocationId"])
    assert code == "InvalidAllocationID.NotFound"
    number = int(made["AllocationId"].partition("-")[2], 16)
    code, _ = site.ec2.refused("ReleaseAddress", PublicIp=str(number))
    assert code == "InvalidAddress.NotFound"


def test_a_description_that_the_rule_can_not_keep_is_refused(site):
    site.ec2.call("CreateSecurityGroup", GroupName="web", GroupDescription="of the tests")
    ranges = [{"CidrIp": "192.0.2.0/24", "Description": "x" * 256}]
    code, status = site.ec2.refused(
        "AuthorizeSecurityGroupIngress",
        GroupName="web",
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": ranges}],
    )
    assert (code, status) == ("InvalidParameterValue", 400)
