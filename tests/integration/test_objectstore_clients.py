"""Today's clients of S3 and yesterday's against nova-objectstore and a real Keystone.

One daemon serves HTTP on eventlet, the other HTTPS on native threads.
"""

import base64
import hashlib
import io
import os
import subprocess
import sys

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.fixtures.s3_daemon import KeystoneUser, object_store

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not os.environ.get("NOVA_TEST_KEYSTONE_URL"),
        reason="no servers are named: eval $(tools/services up --dir DIR identity)",
    ),
]

PATIENCE_S = 300
BIG = os.urandom(1 << 20) * 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    with object_store(tmp_path_factory.mktemp("plain")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secure")
    with object_store(folder, concurrency="threads", tls=True) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def demo():
    return KeystoneUser("demo", "demo")


@pytest.fixture
def key(demo):
    made = demo.make_key()
    yield made
    demo.drop_key(made)


def client(endpoint, key, **settings):
    return boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        aws_access_key_id=key.access,
        aws_secret_access_key=key.secret,
        region_name="RegionOne",
        verify=str(endpoint.authority) if endpoint.authority else None,
        config=Config(retries={"max_attempts": 1}, **settings),
    )


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("name", ["plain", "secure"])
def test_boto3_does_what_it_can(request, key, name):
    """Covers aws-chunked with a trailer over TLS, and plain bodies without."""
    s3 = client(request.getfixturevalue(name), key)
    s3.create_bucket(Bucket=f"tour-{name}")
    bucket = {"Bucket": f"tour-{name}"}
    s3.upload_fileobj(io.BytesIO(BIG), bucket["Bucket"], "big")
    answer = s3.get_object(**bucket, Key="big")
    assert answer["ContentLength"] == len(BIG) and answer["ETag"].endswith('-3"')
    assert hashlib.sha256(answer["Body"].read()).digest() == hashlib.sha256(BIG).digest()
    part = s3.get_object(**bucket, Key="big", Range="bytes=8388600-8388615")
    assert part["Body"].read() == BIG[8388600:8388616]

    put = s3.put_object(**bucket, Key="a/b", Body=b"hello", Metadata={"color": "red"})
    assert put["ChecksumCRC32"] == "NhCmhg=="
    for algorithm in ("SHA1", "SHA256"):
        s3.put_object(**bucket, Key="a/c", Body=b"hello", ChecksumAlgorithm=algorithm)
        found = s3.get_object(**bucket, Key="a/c", ChecksumMode="ENABLED")
        digest = hashlib.new(algorithm, b"hello").digest()
        assert found[f"Checksum{algorithm}"] == base64.b64encode(digest).decode()
        assert found["Body"].read() == b"hello"
    assert s3.head_object(**bucket, Key="a/b")["Metadata"] == {"color": "red"}
    assert refused(s3.get_object, **bucket, Key="a/b", IfMatch='"x"') == "PreconditionFailed"
    assert refused(s3.get_object, **bucket, Key="a/b", IfNoneMatch=put["ETag"]) == "304"
    again = {"Key": "a/b", "Body": b"x", "IfNoneMatch": "*"}
    assert refused(s3.put_object, **bucket, **again) == "PreconditionFailed"
    s3.copy_object(**bucket, Key="copy", CopySource={**bucket, "Key": "a/b"})
    s3.copy({**bucket, "Key": "big"}, bucket["Bucket"], "big copy")
    assert s3.head_object(**bucket, Key="big copy")["ContentLength"] == len(BIG)

    for version in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(version).paginate(**bucket, PaginationConfig={"PageSize": 2})
        keys = [one["Key"] for page in pages for one in page["Contents"]]
        assert keys == ["a/b", "a/c", "big", "big copy", "copy"]
    folders = s3.list_objects_v2(**bucket, Delimiter="/")["CommonPrefixes"]
    assert folders == [{"Prefix": "a/"}]
    gone = s3.delete_objects(**bucket, Delete={"Objects": [{"Key": one} for one in keys]})
    assert len(gone["Deleted"]) == len(keys)
    s3.delete_bucket(**bucket)
    assert refused(s3.list_objects_v2, **bucket) == "NoSuchBucket"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls(plain, key, version):
    s3 = client(plain, key, signature_version=version)
    s3.create_bucket(Bucket=f"signed-{version}")
    where = {"Bucket": f"signed-{version}", "Key": "a b"}
    url = s3.generate_presigned_url("put_object", where)
    assert requests.put(url, b"hello", timeout=PATIENCE_S).status_code == 200
    url = s3.generate_presigned_url("get_object", where)
    assert requests.get(url, timeout=PATIENCE_S).content == b"hello"
    assert refused(client(plain, type(key)(key.access, "guessed")).list_buckets) == (
        "SignatureDoesNotMatch"
    )


def test_ec_03_captured_signature_is_no_token(plain, key, demo):
    """Neither the public nor a user may ask Keystone what a signature is worth."""
    s3 = client(plain, key)
    sent = []
    s3.meta.events.register("before-send.s3.*", lambda request, **_: sent.append(request))
    s3.list_buckets()
    header = sent[0].headers["Authorization"].decode()
    credentials = {
        "access": key.access,
        "signature": header.rpartition("Signature=")[2],
        "token": base64.urlsafe_b64encode(b"AWS4-HMAC-SHA256\n").decode(),
    }
    ask = {"json": {"credentials": credentials}, "raise_exc": False}
    address = f"{demo.url}/s3tokens"
    nobody = demo.session.post(address, authenticated=False, **ask)
    user = demo.session.post(address, **ask)
    assert (nobody.status_code, user.status_code) == (401, 403)
    for one in (nobody, user):
        assert "X-Subject-Token" not in one.headers
    log = plain.log.read_text()
    assert key.access not in log and credentials["signature"] not in log


def test_ec_04_key_ends_with_user_role_and_key(plain):
    admin = KeystoneUser("admin", "admin")
    with admin.somebody("demo", "member") as (user, role):
        key = user.make_key()
        s3 = client(plain, key)
        s3.list_buckets()
        admin.session.patch(user.address, json={"user": {"enabled": False}})
        assert refused(s3.list_buckets) == "SignatureDoesNotMatch"
        admin.session.patch(user.address, json={"user": {"enabled": True}})
        s3.list_buckets()
        admin.session.delete(role)
        assert refused(s3.list_buckets) == "SignatureDoesNotMatch"
        admin.session.put(role)
        s3.list_buckets()
        admin.session.delete(f"{user.address}/credentials/OS-EC2/{key.access}")
        assert refused(s3.list_buckets) == "InvalidAccessKeyId"


def test_ec_08_projects_see_their_own_buckets(plain, key):
    s3 = client(plain, key)
    s3.create_bucket(Bucket="demos-own")
    s3.put_object(Bucket="demos-own", Key="a", Body=b"hello")
    other = KeystoneUser("alt_demo", "alt_demo")
    foreign = other.make_key()
    stranger = client(plain, foreign)
    assert stranger.list_buckets()["Buckets"] == []
    assert refused(stranger.get_object, Bucket="demos-own", Key="a") == "AccessDenied"
    assert refused(stranger.create_bucket, Bucket="demos-own") == "BucketAlreadyExists"
    s3.put_object_acl(Bucket="demos-own", Key="a", ACL="public-read")
    assert requests.get(f"{plain.url}/demos-own/a", timeout=PATIENCE_S).content == b"hello"
    other.drop_key(foreign)


def test_aws_cli(plain, key, tmp_path):
    """The tour of the user guide."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": key.access,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_DEFAULT_REGION": "RegionOne",
        "AWS_ENDPOINT_URL_S3": plain.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }

    def aws(*words):
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "s3", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "small ü").write_bytes(b"hello")
    (folder / "big").write_bytes(BIG)
    aws("mb", "s3://cli")
    aws("sync", "folder", "s3://cli/backup")
    assert "deep/small ü" in aws("ls", "s3://cli", "--recursive")
    assert aws("sync", "folder", "s3://cli/backup") == ""
    aws("cp", "folder/big", "s3://cli/")
    aws("cp", "s3://cli/big", "back")
    assert (tmp_path / "back").read_bytes() == BIG
    url = aws("presign", "s3://cli/backup/deep/small ü").strip()
    assert requests.get(url, timeout=PATIENCE_S).content == b"hello"
    aws("rm", "s3://cli", "--recursive")
    aws("rb", "s3://cli")


def test_boto_of_yesterday(plain, key):
    boto = pytest.importorskip("boto", reason="boto 2 is not installed")
    calling = pytest.importorskip("boto.s3.connection").OrdinaryCallingFormat()
    host, _, port = plain.url.removeprefix("http://").partition(":")
    s3 = boto.connect_s3(
        key.access,
        key.secret,
        host=host,
        port=int(port),
        is_secure=False,
        calling_format=calling,
    )
    bucket = s3.create_bucket("yesterday")
    entry = bucket.new_key("dir/a b")
    entry.set_contents_from_string(b"hello")
    assert bucket.get_key("dir/a b").get_contents_as_string() == b"hello"
    assert [one.name for one in bucket.list(prefix="dir/")] == ["dir/a b"]
    upload = bucket.initiate_multipart_upload("big")
    upload.upload_part_from_file(io.BytesIO(BIG[: 5 << 20]), 1)
    upload.upload_part_from_file(io.BytesIO(b"end"), 2)
    upload.complete_upload()
    assert bucket.get_key("big").size == (5 << 20) + 3
    bucket.delete_keys(["dir/a b", "big"])
    s3.delete_bucket("yesterday")
    assert "yesterday" not in [one.name for one in s3.get_all_buckets()]
