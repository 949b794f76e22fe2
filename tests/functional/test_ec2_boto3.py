"""boto3 as it is, before the EC2 API without a socket: waiters, paginators, errors."""

import contextlib

import boto.auth
import boto.provider
import boto3
import botocore.config
import pytest
import webob
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, WaiterError

from nova import clock
from tests.fixtures.ec2 import HOST, PATH, botocore_time, make_ec2_site, signature_fits

ONCE = {"Delay": 0, "MaxAttempts": 1}


class _Raw:
    """What botocore reads a body from."""

    def __init__(self, body):
        self._body = body

    def stream(self, *_args, **_kwargs):
        """Yield the body."""
        yield self._body


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


@pytest.fixture
def aws(site):
    """Give a client whose requests go to the application."""
    client = boto3.client(
        "ec2",
        region_name="nova",
        endpoint_url=f"http://{HOST}{PATH}",
        aws_access_key_id=site.ec2.key.access,
        aws_secret_access_key=site.ec2.key.secret,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )

    def send(request, **_kwargs):
        asked = webob.Request.blank(
            request.url.removeprefix(f"http://{HOST}"),
            base_url=f"http://{HOST}",
            method=request.method,
        )
        for name, value in request.headers.items():
            asked.headers[name] = value.decode() if isinstance(value, bytes) else value
        asked.body = request.body if isinstance(request.body, bytes) else request.body.encode()
        answer = site.ec2.send(asked)
        return AWSResponse(request.url, answer.status_int, dict(answer.headers), _Raw(answer.body))

    client.meta.events.register("before-send.ec2", send)
    with botocore_time(clock.utcnow()):
        yield client


def _run(site, aws, **params):
    wanted = {"ImageId": site.image_id, "InstanceType": "tiny", "MinCount": 1, "MaxCount": 1}
    found = aws.run_instances(**{**wanted, **params})
    return [one["InstanceId"] for one in found["Instances"]]


def test_waiters(site, aws):
    ids = _run(site, aws, MaxCount=2, MinCount=2, UserData="#!/bin/sh")
    with pytest.raises(WaiterError):
        aws.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig=ONCE)
    site.cloud.run_until_idle()
    for name in ("instance_exists", "instance_running", "instance_status_ok"):
        aws.get_waiter(name).wait(InstanceIds=ids, WaiterConfig=ONCE)
    aws.stop_instances(InstanceIds=ids)
    site.cloud.run_until_idle()
    aws.get_waiter("instance_stopped").wait(InstanceIds=ids, WaiterConfig=ONCE)
    aws.terminate_instances(InstanceIds=ids)
    site.cloud.run_until_idle()
    aws.get_waiter("instance_terminated").wait(InstanceIds=ids, WaiterConfig=ONCE)


def test_paginators(site, aws):
    ids = _run(
        site,
        aws,
        MinCount=5,
        MaxCount=5,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
            }
        ],
    )
    pages = aws.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 2})
    pages = list(pages)
    found = [one["InstanceId"] for p in pages for r in p["Reservations"] for one in r["Instances"]]
    assert sorted(found) == sorted(ids)
    assert len(pages) == 3
    tags = aws.get_paginator("describe_tags").paginate(PaginationConfig={"PageSize": 3})
    assert len([tag for page in tags for tag in page["Tags"]]) == 10
    types = aws.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 5})
    assert len([one for page in types for one in page["InstanceTypes"]]) == 3
    status = aws.get_paginator("describe_instance_status")
    pages = status.paginate(IncludeAllInstances=True, PaginationConfig={"PageSize": 5})
    assert len([one for page in pages for one in page["InstanceStatuses"]]) == 5


def test_errors(aws):
    with pytest.raises(ClientError) as caught:
        aws.describe_instances(InstanceIds=["i-0000ffff"])
    error = caught.value.response
    assert error["Error"]["Code"] == "InvalidInstanceID.NotFound"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert error["ResponseMetadata"]["RequestId"].startswith("req-")


def test_resources(site, aws):
    (instance_id,) = _run(site, aws)
    site.cloud.run_until_idle()
    found = aws.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])
    (instance,) = found["Reservations"][0]["Instances"]
    assert instance["LaunchTime"].isoformat() == "2026-01-02T12:00:00+00:00"
    assert instance["AmiLaunchIndex"] == 0
    assert aws.describe_regions()["Regions"]
    assert aws.describe_availability_zones()["AvailabilityZones"]
    assert aws.describe_account_attributes()["AccountAttributes"]
    assert aws.describe_volumes()["Volumes"] == []
    assert aws.describe_vpcs()["Vpcs"] == []
    output = aws.get_console_output(InstanceId=instance_id)
    assert output["Timestamp"] and output["Output"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_version_2_as_boto_signs_it(site, method, frozen_clock):
    """The verifier of these tests agrees with boto about what is signed."""
    params = {"Action": "DescribeRegions", "Version": "2014-10-01", "RegionName.1": "a b/c~*é"}
    provider = boto.provider.Provider("aws", site.ec2.key.access, site.ec2.key.secret)
    with contextlib.closing(_Connection()) as connection:
        signer = boto.auth.QuerySignatureV2AuthHandler(HOST, connection, provider)
        stamp = frozen_clock.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
        values = {
            **params,
            "AWSAccessKeyId": site.ec2.key.access,
            "SignatureVersion": "2",
            "Timestamp": stamp,
        }
        query, signature = signer._calc_signature(values, method, PATH, HOST)
    assert values["SignatureMethod"] == "HmacSHA256"
    credentials = {
        "verb": method,
        "host": HOST,
        "path": PATH,
        "params": values,
        "signature": signature if isinstance(signature, str) else signature.decode(),
    }
    assert signature_fits(credentials, site.ec2.key.secret)
    assert query


class _Connection:
    """What boto's signer asks of a connection: nothing."""

    def close(self):
        """Have nothing to end."""
