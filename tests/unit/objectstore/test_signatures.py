"""What was signed, from what was sent: published vectors, and everything that breaks them."""

import datetime

import pytest

from nova.objectstore import auth, sigv2, sigv4
from nova.objectstore.errors import Refusal
from nova.objectstore.request import from_environ
from tests.fixtures.s3_keys import expected_signature

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ACCESS = "AKIAIOSFODNN7EXAMPLE"
HOST = "examplebucket.s3.amazonaws.com"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
V4_NOW = datetime.datetime(2013, 5, 24, 0, 3)
SCOPE = f"{ACCESS}/20130524/us-east-1/s3/aws4_request"


def request(method, target, headers):
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": path,
        "QUERY_STRING": query,
        "wsgi.input": None,
    }
    for name, value in headers.items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return from_environ(environ)


def v4(method="GET", target="/test.txt", signature="0" * 64, signed=None, scope=SCOPE, **changes):
    headers = {"host": HOST, "x-amz-content-sha256": EMPTY, "x-amz-date": "20130524T000000Z"}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    signed = signed or ";".join(sorted(headers))
    words = f"Credential={scope},SignedHeaders={signed},Signature={signature}"
    headers = {name: value for name, value in headers.items() if value is not None}
    return request(method, target, {**headers, "authorization": f"AWS4-HMAC-SHA256 {words}"})


def good(claim):
    return expected_signature(claim, SECRET) == claim.signature


@pytest.mark.parametrize(
    ("signed", "signature"),
    [
        pytest.param(
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            id="get",
        ),
        pytest.param(
            {
                "method": "PUT",
                "target": "/test%24file.text",
                "date": "Fri, 24 May 2013 00:00:00 GMT",
                "x_amz_storage_class": "REDUCED_REDUNDANCY",
                "x_amz_content_sha256": "44ce7dd67c959e0d3524ffac1771dfbb"
                "a87d2b6b4b4e99e42034a8b803f8b072",
            },
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            id="put",
        ),
        pytest.param(
            {"target": "/?lifecycle"},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            id="parameter without value",
        ),
        pytest.param(
            {"target": "/?max-keys=2&prefix=J"},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            id="parameters",
        ),
    ],
)
def test_ec_01_published_vectors_of_version_4(signed, signature):
    assert good(sigv4.header_claim(v4(signature=signature, **signed), V4_NOW))


PRESIGNED = (
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def test_ec_01_published_vector_of_a_presigned_url():
    claim = sigv4.query_claim(request("GET", PRESIGNED, {"host": HOST}), V4_NOW)
    assert good(claim) and claim.is_presigned


@pytest.mark.parametrize(
    ("method", "target", "headers", "signature"),
    [
        pytest.param(
            "GET",
            "/johnsmith/photos/puppy.jpg",
            {"date": "Tue, 27 Mar 2007 19:36:42 +0000"},
            "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
            id="get",
        ),
        pytest.param(
            "PUT",
            "/johnsmith/photos/puppy.jpg",
            {"date": "Tue, 27 Mar 2007 21:15:45 +0000", "content-type": "image/jpeg"},
            "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
            id="put",
        ),
        pytest.param(
            "GET",
            "/johnsmith/?prefix=photos&max-keys=50&marker=puppy",
            {"date": "Tue, 27 Mar 2007 19:42:41 +0000"},
            "htDYFYduRNen8P9ZfE/s9SuKy0U=",
            id="list",
        ),
        pytest.param(
            "GET",
            "/johnsmith/?acl",
            {"date": "Tue, 27 Mar 2007 19:44:46 +0000"},
            "c2WLPFtWHVgbEmeEG93a4cG37dM=",
            id="acl",
        ),
    ],
)
def test_ec_01_published_vectors_of_version_2(method, target, headers, signature):
    signed = {**headers, "authorization": f"AWS {ACCESS}:{signature}"}
    now = datetime.datetime(2007, 3, 27, 20, 0) if "21:" not in headers["date"] else None
    now = now or datetime.datetime(2007, 3, 27, 21, 15)
    moments = {"19:36": 36, "19:42": 42, "19:44": 44}
    for text, minute in moments.items():
        if text in headers["date"]:
            now = datetime.datetime(2007, 3, 27, 19, minute)
    assert good(sigv2.header_claim(request(method, target, signed), now))


GOOD = {
    "target": "/test.txt?a=1&b=2",
    "range": "bytes=0-9",
}


def signed_anew(**changes):
    """Return the claim of a request whose signature is right, then changed."""
    claim = sigv4.header_claim(v4(**GOOD), V4_NOW)
    signature = expected_signature(claim, SECRET)
    signed = "host;range;x-amz-content-sha256;x-amz-date"
    return sigv4.header_claim(
        v4(**{**GOOD, "signature": signature, "signed": signed, **changes}), V4_NOW
    )


def test_ec_01_good_signature_is_good():
    assert good(signed_anew())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"method": "PUT"}, id="other method"),
        pytest.param({"target": "/test2.txt?a=1&b=2"}, id="other path"),
        pytest.param({"target": "/%74est.txt?a=1&b=2&c=3"}, id="added parameter"),
        pytest.param({"target": "/test.txt?a=1"}, id="removed parameter"),
        pytest.param({"target": "/test.txt?a=1&a=1&b=2"}, id="doubled parameter"),
        pytest.param({"target": "/test.txt?a=2&b=1"}, id="exchanged values"),
        pytest.param({"target": "/test%252Etxt?a=1&b=2"}, id="encoded twice"),
        pytest.param({"target": "/test.txt/?a=1&b=2"}, id="added slash"),
        pytest.param({"target": "//test.txt?a=1&b=2"}, id="doubled slash"),
        pytest.param({"target": "/./test.txt?a=1&b=2"}, id="dot"),
        pytest.param({"host": "other"}, id="other host"),
        pytest.param({"range": "bytes=0-8"}, id="other header"),
        pytest.param({"range": None}, id="removed header"),
        pytest.param({"x_amz_content_sha256": "UNSIGNED-PAYLOAD"}, id="payload made unsigned"),
        pytest.param({"x_amz_date": "20130524T000001Z"}, id="other date"),
        pytest.param({"scope": SCOPE.replace("us-east-1", "eu-west-1")}, id="other region"),
        pytest.param(
            {"signed": "host;x-amz-content-sha256;x-amz-date"}, id="header left out of the list"
        ),
    ],
)
def test_ec_01_changed_request_is_not_what_was_signed(changes):
    assert not good(signed_anew(**changes))


@pytest.mark.parametrize("target", ["/test.txt?b=2&a=1", "/%74est.txt?a=1&b=2"])
def test_ec_01_order_and_spelling_of_parameters_do_not_count(target):
    assert good(signed_anew(target=target))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signed": "range;x-amz-content-sha256;x-amz-date"}, "AccessDenied"),
        ({"signed": "host;range;x-amz-content-sha256"}, "AccessDenied"),
        ({"signed": "host;x-amz-date;x-amz-content-sha256"}, "AuthorizationHeaderMalformed"),
        ({"signed": "host;host;x-amz-content-sha256;x-amz-date"}, "AuthorizationHeaderMalformed"),
        ({"x_amz_copy_source": "/a/b"}, "AccessDenied"),
        ({"x_amz_content_sha256": "none"}, "InvalidArgument"),
        ({"x_amz_content_sha256": None, "signed": "host;x-amz-date"}, "InvalidRequest"),
        ({"x_amz_date": "yesterday"}, "AccessDenied"),
        ({"signature": "0" * 63}, "AuthorizationHeaderMalformed"),
        ({"scope": SCOPE.replace("/s3/", "/ec2/")}, "AuthorizationHeaderMalformed"),
        ({"scope": SCOPE.replace("20130524", "20130523")}, "AuthorizationHeaderMalformed"),
        ({"scope": "a/b"}, "AuthorizationHeaderMalformed"),
    ],
)
def test_ec_01_signature_that_leaves_out_too_much_is_refused(changes, code):
    with pytest.raises(Refusal) as caught:
        signed_anew(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize("minutes", [-16, 16])
def test_ec_02_request_of_another_time_is_refused(minutes):
    with pytest.raises(Refusal) as caught:
        sigv4.header_claim(
            v4(), datetime.datetime(2013, 5, 24) + datetime.timedelta(minutes=minutes)
        )
    assert caught.value.code == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("change", "now", "code"),
    [
        ("", datetime.datetime(2013, 5, 25, 0, 0, 1), "AccessDenied"),
        ("", datetime.datetime(2013, 5, 23, 23, 44), "AccessDenied"),
        ("Expires=604801", V4_NOW, "AuthorizationQueryParametersError"),
        ("Expires=-1", V4_NOW, "AuthorizationQueryParametersError"),
        ("SignedHeaders=date", V4_NOW, "AccessDenied"),
        ("Algorithm=AWS4-HMAC-SHA1", V4_NOW, "AuthorizationQueryParametersError"),
    ],
)
def test_ec_02_presigned_url_has_its_time_and_form(change, now, code):
    name = change.partition("=")[0]
    query = "&".join(
        f"X-Amz-{change}" if change and part.startswith(f"X-Amz-{name}=") else part
        for part in PRESIGNED.partition("?")[2].split("&")
    )
    with pytest.raises(Refusal) as caught:
        sigv4.query_claim(request("GET", f"/test.txt?{query}", {"host": HOST}), now)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "header", ["AWS4-HMAC-SHA512 Credential=a", "Bearer x", "AWS4-HMAC-SHA256", "Basic YTpi"]
)
def test_ec_01_algorithm_is_not_the_choice_of_the_client(header):
    with pytest.raises(Refusal) as caught:
        auth.claim_of(request("GET", "/", {"host": HOST, "authorization": header}))
    assert caught.value.code == "InvalidArgument"


def test_ec_01_two_signatures_at_once_are_refused():
    both = {"host": HOST, "authorization": "AWS a:b"}
    with pytest.raises(Refusal) as caught:
        auth.claim_of(request("GET", PRESIGNED, both))
    assert caught.value.code == "InvalidArgument"
