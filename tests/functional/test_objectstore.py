"""The object store over its WSGI application: buckets, objects, lists, refusals."""

import base64
import hashlib
import logging
import zlib
from urllib.parse import quote

import pytest
from botocore.awsrequest import AWSRequest

from tests.fixtures.s3_site import S3Site


@pytest.fixture
def site(conf, tmp_path):
    return S3Site(conf, tmp_path)


@pytest.fixture
def owner(site):
    wire = site.wire("owner", "demo", "member", "reader")
    assert wire.send("PUT", "/box").status == 200
    return wire


def put(wire, target, body=b"hello", **headers):
    answer = wire.send(
        "PUT", target, body, {name.replace("_", "-"): text for name, text in headers.items()}
    )
    assert answer.status == 200, answer
    return answer


# --- Buckets


def test_buckets_are_made_listed_and_deleted(site, owner):
    assert owner.send("GET", "/").texts("Buckets/Bucket/Name") == ["box"]
    assert owner.send("HEAD", "/box").status == 200
    assert owner.send("HEAD", "/box/").status == 200
    put(owner, "/box/a")
    assert owner.send("DELETE", "/box").code == "BucketNotEmpty"
    assert owner.send("DELETE", "/box/a").status == 204
    assert owner.send("DELETE", "/box").status == 204
    assert owner.send("GET", "/box").code == "NoSuchBucket"
    assert owner.send("HEAD", "/box").status == 404


def test_bucket_is_made_with_a_region(owner):
    region = b"<LocationConstraint>x</LocationConstraint>"
    body = b"<CreateBucketConfiguration>%s</CreateBucketConfiguration>" % region
    assert owner.send("PUT", "/other", body).status == 200
    assert owner.send("PUT", "/other").code == "BucketAlreadyOwnedByYou"
    assert owner.send("PUT", "/Bad_Name").code == "InvalidBucketName"
    assert owner.send("PUT", "/third", b"<a").code == "MalformedXML"


@pytest.mark.parametrize(
    ("query", "status", "found"),
    [
        ("location", 200, "LocationConstraint"),
        ("versioning", 200, "VersioningConfiguration"),
        ("logging", 200, "BucketLoggingStatus"),
        ("notification", 200, "NotificationConfiguration"),
        ("requestPayment", 200, "RequestPaymentConfiguration"),
        ("accelerate", 200, "AccelerateConfiguration"),
        ("acl", 200, "AccessControlPolicy"),
        ("uploads", 200, "ListMultipartUploadsResult"),
        ("versions", 200, "ListVersionsResult"),
        ("policy", 404, "NoSuchBucketPolicy"),
        ("cors", 404, "NoSuchCORSConfiguration"),
        ("lifecycle", 404, "NoSuchLifecycleConfiguration"),
        ("tagging", 404, "NoSuchTagSet"),
        ("website", 404, "NoSuchWebsiteConfiguration"),
        ("encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"),
        ("replication", 404, "ReplicationConfigurationNotFoundError"),
        ("object-lock", 404, "ObjectLockConfigurationNotFoundError"),
        ("publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
        ("ownershipControls", 404, "OwnershipControlsNotFoundError"),
        ("inventory", 501, "NotImplemented"),
    ],
)
def test_settings_that_nobody_made_read_as_s3_says(owner, query, status, found):
    answer = owner.send("GET", f"/box?{query}")
    assert answer.status == status
    assert found in (answer.document.tag, answer.code)


# --- Objects


@pytest.mark.parametrize("signer", ["v4", "v2", "v4 query", "v2 query"])
def test_ec_01_every_kind_of_signature_puts_and_gets(site, owner, signer):
    wire = site.again(owner, signer)
    etag = put(wire, "/box/dir/a%20b%2Bc%C3%A9").headers["etag"]
    assert etag == f'"{hashlib.md5(b"hello").hexdigest()}"'
    answer = wire.send("GET", "/box/dir/a%20b%2Bc%C3%A9")
    assert (answer.status, answer.body) == (200, b"hello")
    assert owner.send("GET", "/box").texts("Contents/Key") == ["dir/a b+cé"]


def test_object_keeps_what_it_was_sent_with(owner):
    put(owner, "/box/a", content_type="text/x", cache_control="no-cache", x_amz_meta_color="red")
    answer = owner.send("HEAD", "/box/a")
    assert answer.body == b""
    assert answer.headers["content-length"] == "5"
    assert answer.headers["content-type"] == "text/x"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-amz-meta-color"] == "red"
    assert answer.headers["last-modified"].endswith("GMT")
    asked = "?response-content-type=text%2Fy&response-content-disposition=inline"
    answer = owner.send("GET", f"/box/a{asked}")
    assert answer.headers["content-type"] == "text/y"
    assert answer.headers["content-disposition"] == "inline"


@pytest.mark.parametrize(
    ("content_type", "policy"),
    [
        ("text/html; charset=UTF-8", "sandbox"),
        ("Application/XHTML+XML", "sandbox"),
        ("image/svg+xml", "sandbox"),
        ("application/pdf", None),
        ("text/plain", None),
    ],
)
def test_page_of_a_stranger_runs_no_script_beside_the_consoles(owner, content_type, policy):
    put(owner, "/box/page", content_type=content_type)
    for method in ("GET", "HEAD"):
        found = owner.send(method, "/box/page").headers
        assert found.get("content-security-policy") == policy
        assert found["x-content-type-options"] == "nosniff"


def test_page_by_the_type_that_the_url_asks_for_runs_no_script(owner):
    put(owner, "/box/page", content_type="text/plain")
    found = owner.send("GET", "/box/page?response-content-type=text%2Fhtml").headers
    assert (found["content-type"], found["content-security-policy"]) == ("text/html", "sandbox")


def test_answer_without_an_object_is_not_guessed_at_either(owner):
    assert owner.send("GET", "/box/missing").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-1", 206, b"he"),
        ("bytes=3-", 206, b"lo"),
        ("bytes=-2", 206, b"lo"),
        ("bytes=1-99", 206, b"ello"),
        ("bytes=-99", 206, b"hello"),
        ("bytes=2-1", 200, b"hello"),
        ("lines=1-2", 200, b"hello"),
        ("bytes=0-1,3-4", 200, b"hello"),
    ],
)
def test_ranges(owner, asked, status, body):
    put(owner, "/box/a")
    answer = owner.send("GET", "/box/a", headers={"Range": asked})
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["content-length"] == str(len(body))
    assert ("content-range" in answer.headers) == (status == 206)


@pytest.mark.parametrize("asked", ["bytes=5-", "bytes=9-10", "bytes=-0"])
def test_range_beyond_the_end_is_refused(owner, asked):
    put(owner, "/box/a")
    answer = owner.send("GET", "/box/a", headers={"Range": asked})
    assert (answer.status, answer.code) == (416, "InvalidRange")


ETAG = '"5d41402abc4b2a76b9719d911017c592"'
PAST, FUTURE = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": ETAG}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-Modified-Since": PAST}, 200),
        ({"If-Modified-Since": FUTURE}, 304),
        ({"If-Unmodified-Since": PAST}, 412),
        ({"If-Unmodified-Since": FUTURE}, 200),
        ({"If-Match": ETAG, "If-Unmodified-Since": PAST}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": FUTURE}, 200),
    ],
)
def test_conditions_of_reading(owner, headers, status):
    put(owner, "/box/a")
    assert owner.send("GET", "/box/a", headers=headers).status == status
    answer = owner.send("HEAD", "/box/a", headers=headers)
    assert (answer.status, answer.body) == (status, b"")


def test_conditions_of_writing(owner):
    new = {"If-None-Match": "*"}
    assert owner.send("PUT", "/box/a", b"hello", new).status == 200
    assert owner.send("PUT", "/box/a", b"other", new).code == "PreconditionFailed"
    assert owner.send("PUT", "/box/a", b"other", {"If-Match": '"x"'}).code == "PreconditionFailed"
    assert owner.send("PUT", "/box/a", b"other", {"If-Match": ETAG}).status == 200
    assert owner.send("PUT", "/box/b", b"other", {"If-Match": ETAG}).code == "NoSuchKey"
    assert owner.send("GET", "/box/a").body == b"other"


def test_copies(owner):
    put(owner, "/box/a", content_type="text/x", x_amz_meta_a="1")
    copied = owner.send("PUT", "/box/b", headers={"x-amz-copy-source": "/box/a"})
    assert copied.texts("ETag") == [ETAG]
    found = owner.send("GET", "/box/b")
    assert (found.body, found.headers["content-type"]) == (b"hello", "text/x")
    assert found.headers["x-amz-meta-a"] == "1"
    anew = {"x-amz-copy-source": "box/a", "x-amz-metadata-directive": "REPLACE"}
    assert owner.send("PUT", "/box/a", headers={**anew, "x-amz-meta-b": "2"}).status == 200
    found = owner.send("HEAD", "/box/a").headers
    assert "x-amz-meta-a" not in found and found["x-amz-meta-b"] == "2"
    same = owner.send("PUT", "/box/a", headers={"x-amz-copy-source": "/box/a"})
    assert same.code == "InvalidRequest"
    conditional = {"x-amz-copy-source": "/box/a", "x-amz-copy-source-if-none-match": ETAG}
    assert owner.send("PUT", "/box/c", headers=conditional).code == "PreconditionFailed"
    missing = owner.send("PUT", "/box/c", headers={"x-amz-copy-source": "/box/none"})
    assert missing.code == "NoSuchKey"


def test_many_objects_are_deleted_at_once(owner):
    for name in ("a", "b", "c"):
        put(owner, f"/box/{name}")
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>"
    answer = owner.send("POST", "/box?delete", body)
    assert answer.texts("Deleted/Key") == ["a", "none"]
    quiet = b"<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>"
    assert list(owner.send("POST", "/box?delete", quiet).document) == []
    assert owner.send("GET", "/box").texts("Contents/Key") == ["c"]


# --- Lists


@pytest.fixture
def full(owner):
    for name in ("a", "b/1", "b/2", "c%20%26", "d/1/x", "e"):
        put(owner, f"/box/{name}")
    return owner


def test_list_of_version_1(full):
    answer = full.send("GET", "/box?delimiter=%2F&max-keys=3")
    assert answer.texts("Contents/Key") == ["a", "c &"]
    assert answer.texts("CommonPrefixes/Prefix") == ["b/"]
    assert answer.texts("IsTruncated") == ["true"]
    (marker,) = answer.texts("NextMarker")
    rest = full.send("GET", f"/box?delimiter=%2F&marker={quote(marker, safe='')}")
    assert rest.texts("Contents/Key") == ["e"]
    assert rest.texts("CommonPrefixes/Prefix") == ["d/"]
    assert rest.texts("IsTruncated") == ["false"]
    terse = full.send("GET", "/box?terse=1&prefix=b%2F")
    assert [one.tag for entry in terse.document.findall("Contents") for one in entry] == ["Key"] * 2


def test_list_of_version_2(full):
    keys, query = [], ""
    while True:
        answer = full.send("GET", f"/box?list-type=2&max-keys=2{query}")
        assert answer.texts("KeyCount") == [str(len(answer.texts("Contents")))]
        keys += answer.texts("Contents/Key")
        if answer.texts("IsTruncated") == ["false"]:
            break
        query = f"&continuation-token={quote(answer.texts('NextContinuationToken')[0])}"
    assert keys == ["a", "b/1", "b/2", "c &", "d/1/x", "e"]
    later = full.send("GET", "/box?list-type=2&start-after=c&encoding-type=url")
    assert later.texts("Contents/Key") == ["c%20%26", "d/1/x", "e"]
    assert full.send("GET", "/box?list-type=2&max-keys=0").texts("IsTruncated") == ["false"]


@pytest.mark.parametrize(
    "query",
    ["max-keys=x", "max-keys=-1", "list-type=2&continuation-token=%21", "encoding-type=xml"],
)
def test_list_with_a_bad_parameter_is_refused(full, query):
    assert full.send("GET", f"/box?{query}").code == "InvalidArgument"


# --- What bodies are checked against


def test_checksums_are_compared(owner):
    crc = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    answer = put(owner, "/box/a", x_amz_checksum_crc32=crc)
    assert answer.headers["x-amz-checksum-crc32"] == crc
    found = owner.send("GET", "/box/a", headers={"x-amz-checksum-mode": "ENABLED"})
    assert found.headers["x-amz-checksum-crc32"] == crc
    wrong = {"x-amz-checksum-crc32": "AAAAAA=="}
    assert owner.send("PUT", "/box/a", b"other", wrong).code == "BadDigest"
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert owner.send("PUT", "/box/a", b"hello", {"Content-MD5": md5}).code == "BadDigest"
    assert owner.send("PUT", "/box/a", b"hello", {"Content-MD5": "x"}).code == "InvalidDigest"
    assert owner.send("GET", "/box/a").body == b"hello"


def test_ec_01_body_is_the_one_that_was_signed(site, owner):
    request = owner.sign("PUT", "/box/a", b"hello")
    assert owner.deliver(request, b"jello").code == "XAmzContentSHA256Mismatch"
    assert owner.send("GET", "/box/a").code == "NoSuchKey"


def framed(*pieces, trailer=b""):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\n" + trailer + b"\r\n"


def in_chunks(word, length=5, **headers):
    return {
        "X-Amz-Content-SHA256": word,
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": str(length),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }


UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CRC = b"x-amz-checksum-crc32:NhCmhg=="


@pytest.mark.parametrize(
    ("body", "length", "code"),
    [
        pytest.param(framed(b"he", b"llo", trailer=CRC + b"\r\n"), 5, "", id="good"),
        pytest.param(framed(b"he", b"llp", trailer=CRC + b"\r\n"), 5, "BadDigest", id="wrong sum"),
        pytest.param(framed(b"hello"), 5, "MalformedTrailerError", id="no sum"),
        pytest.param(
            framed(b"hello", trailer=CRC + b"\r\n"), 6, "IncompleteBody", id="shorter than said"
        ),
        pytest.param(
            framed(b"hello", trailer=CRC + b"\r\n"), 4, "IncompleteBody", id="longer than said"
        ),
        pytest.param(b"5\r\nhello\r\n", 5, "IncompleteBody", id="no end"),
        pytest.param(b"5\r\nhel", 5, "IncompleteBody", id="broken off"),
        pytest.param(b"x\r\nhello\r\n0\r\n\r\n", 5, "InvalidRequest", id="no size"),
        pytest.param(b"-5\r\nhello\r\n0\r\n\r\n", 5, "InvalidRequest", id="negative size"),
        pytest.param(b"5\r\nhelloo\r\n0\r\n\r\n", 5, "InvalidRequest", id="long chunk"),
        pytest.param(
            framed(b"hello", trailer=CRC + b"\r\n") + b"more", 5, "InvalidRequest", id="bytes after"
        ),
        pytest.param(b"f" * 20 + b"\r\n", 5, "InvalidRequest", id="huge size"),
        pytest.param(b"5;" + b"x" * 9000, 5, "InvalidRequest", id="endless line"),
    ],
)
def test_body_in_chunks_with_a_trailer(owner, body, length, code):
    headers = in_chunks(UNSIGNED, length, X_Amz_Trailer="x-amz-checksum-crc32")
    answer = owner.send("PUT", "/box/a", body, headers)
    assert answer.code == code
    found = owner.send("GET", "/box/a")
    assert (found.body == b"hello") == (code == "")
    assert "content-encoding" not in found.headers


def test_body_in_signed_chunks_is_taken_like_an_unsigned_one(owner):
    signature = b"0" * 64
    body = b"5;chunk-signature=%s\r\nhello\r\n0;chunk-signature=%s\r\n\r\n" % (signature, signature)
    headers = in_chunks("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    assert owner.send("PUT", "/box/a", body, headers).status == 200
    assert owner.send("GET", "/box/a").body == b"hello"
    trailer = CRC + b"\r\nx-amz-trailer-signature:" + signature + b"\r\n"
    headers = in_chunks(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", X_Amz_Trailer="x-amz-checksum-crc32"
    )
    assert owner.send("PUT", "/box/b", framed(b"hello", trailer=trailer), headers).status == 200
    assert owner.send("GET", "/box/b").body == b"hello"


# --- Parts


def uploaded(wire, *parts):
    (upload,) = wire.send("POST", "/box/big?uploads").texts("UploadId")
    etags = [
        put(wire, f"/box/big?partNumber={number}&uploadId={upload}", part).headers["etag"]
        for number, part in enumerate(parts, 1)
    ]
    return upload, etags


def listed(etags):
    parts = (
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    return f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()


FIRST = bytes(5 << 20)


def test_upload_in_parts(owner):
    upload, etags = uploaded(owner, FIRST, b"end")
    answer = owner.send("GET", f"/box/big?uploadId={upload}")
    assert answer.texts("Part/PartNumber") == ["1", "2"]
    page = owner.send("GET", f"/box/big?uploadId={upload}&max-parts=1")
    assert (page.texts("IsTruncated"), page.texts("NextPartNumberMarker")) == (["true"], ["1"])
    assert owner.send("GET", "/box?uploads").texts("Upload/UploadId") == [upload]
    assert owner.send("GET", "/box/big").code == "NoSuchKey"
    answer = owner.send("POST", f"/box/big?uploadId={upload}", listed(etags))
    assert answer.texts("ETag")[0].endswith('-2"')
    assert owner.send("GET", "/box/big").body == FIRST + b"end"
    assert owner.send("GET", "/box?uploads").texts("Upload") == []


def test_upload_in_parts_is_checked_and_dropped(owner):
    upload, etags = uploaded(owner, FIRST, b"end")
    target = f"/box/big?uploadId={upload}"
    assert owner.send("POST", target, listed([etags[1], etags[0]])).code == "InvalidPart"
    assert owner.send("POST", target, b"<CompleteMultipartUpload/>").code == "MalformedXML"
    assert owner.send("POST", target, b"<!DOCTYPE a><a/>").code == "MalformedXML"
    swapped = listed(etags).replace(b">1<", b">3<")
    assert owner.send("POST", target, swapped).code in ("InvalidPartOrder", "InvalidPart")
    assert owner.send("PUT", f"/box/big?partNumber=0&uploadId={upload}").code == "InvalidArgument"
    assert owner.send("DELETE", target).status == 204
    assert owner.send("PUT", f"/box/big?partNumber=1&uploadId={upload}").code == "NoSuchUpload"
    assert owner.send("GET", target).code == "NoSuchUpload"
    assert owner.send("GET", "/box/big?uploadId=..%2F..").code == "NoSuchUpload"


def test_part_is_copied_from_an_object(owner):
    put(owner, "/box/a", b"0123456789")
    (upload,) = owner.send("POST", "/box/big?uploads").texts("UploadId")
    source = {"x-amz-copy-source": "/box/a", "x-amz-copy-source-range": "bytes=2-4"}
    answer = owner.send("PUT", f"/box/big?partNumber=1&uploadId={upload}", headers=source)
    owner.send("POST", f"/box/big?uploadId={upload}", listed(answer.texts("ETag")))
    assert owner.send("GET", "/box/big").body == b"234"
    beyond = {**source, "x-amz-copy-source-range": "bytes=2-10"}
    answer = owner.send("PUT", f"/box/big?partNumber=1&uploadId={upload}", headers=beyond)
    assert answer.code in ("InvalidRange", "NoSuchUpload")


# --- Who may do what


CALLS = [
    ("GET", "/box"),
    ("HEAD", "/box"),
    ("DELETE", "/box"),
    ("GET", "/box?acl"),
    ("PUT", "/box?acl"),
    ("GET", "/box?uploads"),
    ("GET", "/box?policy"),
    ("POST", "/box?delete"),
    ("GET", "/box/a"),
    ("HEAD", "/box/a"),
    ("GET", "/box/none"),
    ("PUT", "/box/a"),
    ("PUT", "/box/new"),
    ("DELETE", "/box/a"),
    ("GET", "/box/a?acl"),
    ("PUT", "/box/a?acl"),
    ("GET", "/box/a?tagging"),
    ("POST", "/box/a?uploads"),
    ("PUT", "/box/a?partNumber=1&uploadId=x"),
    ("POST", "/box/a?uploadId=x"),
    ("DELETE", "/box/a?uploadId=x"),
    ("GET", "/box/a?uploadId=x"),
]


@pytest.mark.parametrize(("method", "target"), CALLS)
@pytest.mark.parametrize("who", ["stranger", "anybody"])
def test_ec_08_bucket_of_another_project_is_out_of_reach(site, owner, method, target, who):
    put(owner, "/box/a")
    wire = (
        site.anybody() if who == "anybody" else site.wire("stranger", "other", "member", "reader")
    )
    answer = wire.send(method, target, headers={"x-amz-acl": "private"} if "acl" in target else {})
    assert (answer.status, answer.code) == (403, "" if method == "HEAD" else "AccessDenied")
    assert owner.send("GET", "/box/a").body == b"hello"
    assert owner.send("GET", "/box").texts("Contents/Key") == ["a"]


def test_ec_08_list_shows_own_buckets_only(site, owner):
    stranger = site.wire("stranger", "other", "member", "reader")
    assert stranger.send("GET", "/").texts("Buckets/Bucket/Name") == []
    assert stranger.send("PUT", "/box").code == "BucketAlreadyExists"
    copied = {"x-amz-copy-source": "/box/a"}
    put(owner, "/box/a")
    assert stranger.send("PUT", "/mine").status == 200
    assert stranger.send("PUT", "/mine/a", headers=copied).code == "AccessDenied"
    assert site.anybody().send("GET", "/").code == "AccessDenied"


def test_administrator_may_do_all(site, owner):
    put(owner, "/box/a")
    admin = site.wire("root", "admin", "admin", "member", "reader")
    assert admin.send("GET", "/box/a").body == b"hello"
    assert admin.send("DELETE", "/box/a").status == 204


def test_reader_reads_only(site, owner):
    put(owner, "/box/a")
    reader = site.wire("reader", "demo", "reader")
    assert reader.send("GET", "/box/a").body == b"hello"
    for method, target in (("PUT", "/box/b"), ("DELETE", "/box/a"), ("PUT", "/new")):
        assert reader.send(method, target).code == "AccessDenied"


def test_public_object_is_for_everybody(site, owner):
    put(owner, "/box/a", x_amz_acl="public-read")
    put(owner, "/box/b")
    for wire in (site.anybody(), site.wire("stranger", "other", "member")):
        assert wire.send("GET", "/box/a").body == b"hello"
        assert wire.send("HEAD", "/box/a").status == 200
        assert wire.send("GET", "/box/b").code == "AccessDenied"
        assert wire.send("GET", "/box").code == "AccessDenied"
        assert wire.send("PUT", "/box/a", b"x").code == "AccessDenied"
        assert wire.send("DELETE", "/box/a").code == "AccessDenied"
    assert site.anybody().send("GET", "/box/a?response-expires=x").code == "InvalidRequest"
    assert owner.send("PUT", "/box/a?acl", headers={"x-amz-acl": "private"}).status == 200
    assert site.anybody().send("GET", "/box/a").code == "AccessDenied"
    assert owner.send("PUT", "/box?acl", headers={"x-amz-acl": "public-read"}).status == 200
    assert site.anybody().send("GET", "/box").texts("Contents/Key") == ["a", "b"]
    assert site.anybody().send("GET", "/box/none").code == "NoSuchKey"
    assert owner.send("PUT", "/box/a?acl", headers={"x-amz-acl": "public-read-write"}).status == 501


def test_access_list_goes_out_and_comes_back(site, owner):
    put(owner, "/box/a", x_amz_acl="public-read")
    shown = owner.send("GET", "/box/a?acl")
    assert shown.texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL", "READ"]
    put(owner, "/box/b")
    assert owner.send("PUT", "/box/b?acl", shown.body).status == 200
    assert site.anybody().send("GET", "/box/b").body == b"hello"


# --- Keys that end, and signatures that are no more than that


def test_ec_04_key_that_keystone_forgets_ends_at_once(site, owner):
    assert owner.send("GET", "/").status == 200
    site.keys.revoke(owner.key)
    assert owner.send("GET", "/").code == "InvalidAccessKeyId"
    assert owner.send("PUT", "/box/a", b"x").code == "InvalidAccessKeyId"


def test_ec_04_nothing_is_remembered_of_a_signature(site, owner):
    before = len(site.keys.asked)
    for _ in range(3):
        owner.send("GET", "/")
    assert len(site.keys.asked) == before + 3


def test_ec_01_wrong_secret_is_refused(site, owner):
    for signer in ("v4", "v2", "v4 query", "v2 query"):
        wire = site.impostor(owner, signer)
        assert wire.send("GET", "/box").code == "SignatureDoesNotMatch"


def test_ec_02_presigned_url_ends(site, owner):
    for signer in ("v4 query", "v2 query"):
        request = site.again(owner, signer).sign("GET", "/box")
        late = AWSRequest(
            "GET",
            request.url.replace("X-Amz-Expires=60", "X-Amz-Expires=0").replace(
                "Expires=1", "Expires=0"
            ),
            {"Host": request.headers["Host"]},
        )
        assert owner.deliver(late).status in (400, 403)


def test_ec_01_unsigned_header_of_amazon_is_refused(owner):
    request = owner.sign("PUT", "/box/a", b"hello")
    request.headers["x-amz-acl"] = "public-read"
    assert owner.deliver(request, b"hello").code == "AccessDenied"


def test_ec_01_document_must_be_signed(owner):
    put(owner, "/box/a")
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    headers = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert owner.send("POST", "/box?delete", body, headers).code == "AccessDenied"
    assert owner.send("GET", "/box/a").status == 200


@pytest.mark.parametrize(
    "key",
    [
        "..%2F..%2Fetc%2Fpasswd",
        "../../etc/passwd",
        ".",
        "..",
        "a/../../b",
        "a//b",
        "a%00b",
        "a/./b",
        "x" * 1024,
        "%C3%A9" * 512,
    ],
)
def test_ec_08_key_is_a_name_and_no_path(site, owner, key, tmp_path):
    before = set(tmp_path.parent.iterdir())
    answer = owner.send("PUT", f"/box/{key}", b"hello")
    if answer.status == 200:
        assert owner.send("GET", f"/box/{key}").body == b"hello"
        assert len(owner.send("GET", "/box?encoding-type=url").texts("Contents/Key")) == 1
    else:
        assert answer.status == 400
    assert set(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/..", "InvalidBucketName"),
        ("/..%2Fetc", "NoSuchBucket"),
        ("/.tmp", "InvalidBucketName"),
        ("/a%00b", "InvalidBucketName"),
        ("/" + "b" * 64, "InvalidBucketName"),
        (f"/box/{'k' * 1025}", "KeyTooLongError"),
        ("/box/%ff", "InvalidURI"),
    ],
)
def test_ec_08_name_that_can_not_be_is_refused(owner, target, code):
    assert owner.send("PUT", target, b"").code == code


def test_ec_09_names_are_text_in_documents(owner):
    put(owner, "/box/%3Cb%3E%26%5D%5D%3E%01x")
    assert owner.send("GET", "/box").texts("Contents/Key") == ["<b>&]]>x"]
    answer = owner.send("GET", "/box/%3Cnone%3E")
    assert answer.texts("Resource") == ["/box/<none>"]


def test_methods_that_do_not_exist_are_refused(owner):
    for method, target in (("PATCH", "/box/a"), ("POST", "/"), ("PUT", "/"), ("OPTIONS", "/box")):
        assert owner.send(method, target).code == "MethodNotAllowed"


def test_ec_03_nothing_of_a_signature_is_logged(site, owner, caplog):
    caplog.set_level("DEBUG")
    logging.getLogger("botocore").setLevel("INFO")
    for signer in ("v4", "v2", "v4 query", "v2 query"):
        wire = site.again(owner, signer)
        request = wire.sign("GET", "/box/none")
        wire.deliver(request)
        signature = site.keys.asked[-1].signature
        assert signature not in caplog.text and owner.key.access not in caplog.text


_NO_DATES = [
    "Fri, 31 Dec 9999 23:59:59 -2300",
    "Mon, 01 Jan 2024 00:00:00 +99999999999999",
    "Mon, 99 Jan 99999999999999999999 00:00:00 GMT",
]


@pytest.mark.parametrize("date", _NO_DATES)
def test_date_beyond_all_calendars_in_a_condition_is_no_condition(owner, date):
    put(owner, "/box/a")
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        assert owner.send("GET", "/box/a", headers={name: date}).status == 200
    part = owner.send("GET", "/box/a", headers={"If-Range": date, "Range": "bytes=0-1"})
    assert part.status == 200


@pytest.mark.parametrize("date", _NO_DATES)
def test_signature_with_a_date_beyond_all_calendars_is_refused(site, owner, date):
    request = site.again(owner, "v2").sign("GET", "/box")
    request.headers["x-amz-date"] = date
    assert owner.deliver(request).code == "AccessDenied"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", "x\r\nSet-Cookie: token=1"),
        ("a\r\nSet-Cookie: token", "1"),
        ("a", "x\x00"),
        ("a", "€"),
        ("€", "a"),
        ("a b", "c"),
    ],
)
@pytest.mark.parametrize("signer", ["v4 query", "v2 query"])
def test_metadata_of_a_presigned_url_makes_no_headers_of_its_own(site, owner, signer, name, value):
    wire = site.again(owner, signer)
    meta = f"x-amz-meta-{quote(name)}={quote(value)}"
    assert wire.send("PUT", f"/box/a?{meta}", b"hello").status in (400, 403)
    assert wire.send("POST", f"/box/a?uploads&{meta}").status in (400, 403)
    assert owner.send("GET", "/box/a").code == "NoSuchKey"


@pytest.mark.parametrize("encoding", [b"bogus", b"zip", b"utf-32"])
def test_document_in_an_encoding_that_is_none_is_malformed(owner, encoding):
    document = b'<?xml version="1.0" encoding="%s"?><Delete/>' % encoding
    assert owner.send("POST", "/box?delete", document).code == "MalformedXML"


def _presigned_as_private(site, owner):
    """Return a URL of version 2, by which its holder may store a private object."""
    request = site.again(owner, "v2 query").sign("PUT", "/box/a", headers={"x-amz-acl": "private"})
    del request.headers["x-amz-acl"]
    assert "x-amz-acl=private" in request.url
    return request


def test_ec_01_header_beside_a_presigned_one_of_its_name_is_refused(site, owner):
    request = _presigned_as_private(site, owner)
    request.headers["x-amz-acl"] = "public-read"
    assert owner.deliver(request, b"hello").status in (400, 403)
    assert owner.send("GET", "/box/a").code == "NoSuchKey"


@pytest.mark.parametrize("name", ["x-amz-acl", "X-Amz-Acl"])
def test_ec_01_parameter_before_a_presigned_one_of_its_name_is_refused(site, owner, name):
    request = _presigned_as_private(site, owner)
    request.url = request.url.replace("?", f"?{name}=public-read&", 1)
    assert owner.deliver(request, b"hello").status in (400, 403)
    assert owner.send("GET", "/box/a").code == "NoSuchKey"


def test_presigned_header_may_be_said_twice(site, owner):
    request = _presigned_as_private(site, owner)
    request.headers["x-amz-acl"] = "private"
    assert owner.deliver(request, b"hello").status == 200


def test_ec_01_presigned_copy_can_not_be_made_an_upload(site, owner):
    put(owner, "/box/source", b"good")
    headers = {"x-amz-copy-source": "/box/source", "x-amz-meta-b": "1"}
    request = site.again(owner, "v2 query").sign("PUT", "/box/a", headers=headers)
    for name in headers:
        del request.headers[name]
    kept = [one for one in request.url.split("&") if "x-amz-" not in one]
    hidden = quote("x-amz-copy-source:/box/source\nx-amz-meta-b")
    request.url = "&".join([*kept, f"{hidden}=1"])
    assert owner.deliver(request, b"evil").status in (400, 403)
    assert owner.send("GET", "/box/a").code == "NoSuchKey"
