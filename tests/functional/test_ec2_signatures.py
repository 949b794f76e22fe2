"""Who may ask: signatures, their age, and Keystone's word."""

import re

import pytest
import requests

from tests.fixtures.ec2 import make_ec2_site, parse, refusal

FORMS = {
    "version 4": lambda ec2, **params: ec2.post("DescribeRegions", **params),
    "version 4 GET": lambda ec2, **params: ec2.get("DescribeRegions", **params),
    "presigned": lambda ec2, **params: ec2.presigned("DescribeRegions", **params),
    "version 2 GET": lambda ec2, **params: ec2.version_2("GET", "DescribeRegions", **params),
    "version 2 POST": lambda ec2, **params: ec2.version_2("POST", "DescribeRegions", **params),
}


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


def test_each_kind_of_signature_is_accepted(site, form):
    odd = [{"Name": "region-name", "Value": ["a b+c/d~é", "nova"]}]
    answer = site.ec2.send(form(site.ec2, Filter=odd))
    assert parse("DescribeRegions", answer)["Regions"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def _refused(site, request):
    error = refusal(site.ec2.send(request))
    return error.status, error.code


def test_ec_01_a_parameter_that_is_changed_after_signing_is_refused(site, form):
    request = form(site.ec2, RegionName=["nova"])
    _rewrite(request, lambda text: text.replace("RegionName.1=nova", "RegionName.1=mars"))
    assert _refused(site, request) == (401, "AuthFailure")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"{text}&MaxResults=5",
        lambda text: text.replace("&RegionName.1=nova", ""),
    ],
)
def test_ec_01_a_parameter_that_is_added_or_taken_away_is_refused(site, form, change):
    request = form(site.ec2, RegionName=["nova"])
    _rewrite(request, change)
    assert _refused(site, request) == (401, "AuthFailure")


def test_ec_01_a_parameter_that_is_given_twice_is_refused(site, form):
    request = form(site.ec2, RegionName=["nova"])
    _rewrite(request, lambda text: f"{text}&RegionName.1=nova")
    assert _refused(site, request)[0] in (400, 401)


def test_ec_01_a_query_outside_of_the_signature_is_refused(site):
    request = site.ec2.post("DescribeRegions")
    request.query_string = "Action=TerminateInstances"
    assert _refused(site, request) == (400, "InvalidRequest")


def _rewrite(request, change):
    if request.method == "POST":
        before = request.body
        request.body = change(before.decode()).encode()
        assert request.body != before
    else:
        before = request.query_string
        request.query_string = change(before)
        assert request.query_string != before


@pytest.mark.parametrize("seconds", [-301, 301])
def test_ec_02_requests_of_another_time_are_refused(site, form, frozen_clock, seconds):
    request = form(site.ec2)
    frozen_clock.advance(seconds)
    assert _refused(site, request) == (403, "RequestExpired")


def test_ec_02_expires_is_honoured(site, frozen_clock):
    early = site.ec2.version_2("GET", "DescribeRegions", Expires="2026-01-01T12:10:00Z")
    del early
    presigned = site.ec2.presigned("DescribeRegions", life_s=30)
    frozen_clock.advance(31)
    assert _refused(site, presigned) == (403, "RequestExpired")


def test_ec_03_no_token_comes_back(site, form):
    answer = site.ec2.send(form(site.ec2))
    assert "token-of-alice" not in answer.text
    assert not any("token-of" in value for value in answer.headers.values())


def test_ec_04_a_lost_role_ends_a_key_at_once(site):
    assert site.ec2.call("DescribeRegions")["Regions"]
    site.ec2.key.roles = ()
    assert site.ec2.refused("DescribeRegions") == ("AuthFailure", 401)


def test_ec_04_a_disabled_user_ends_a_key_at_once(site):
    site.ec2.key.enabled = False
    assert site.ec2.refused("DescribeRegions") == ("AuthFailure", 401)


def test_an_unknown_access_key_is_refused(site):
    del site.keystone.keys[site.ec2.key.access]
    assert site.ec2.refused("DescribeRegions") == ("AuthFailure", 401)


def test_without_a_signature(site):
    request = site.ec2.post("DescribeRegions")
    del request.headers["Authorization"]
    assert _refused(site, request) == (401, "AuthFailure")


@pytest.mark.parametrize("failure", [503, 500, requests.ConnectionError("no route")])
def test_a_keystone_that_is_away(site, failure):
    site.keystone.fails = failure
    assert site.ec2.refused("DescribeRegions") == ("Unavailable", 503)


def test_a_keystone_that_refuses_the_service_itself(site, caplog):
    site.keystone.fails = 403
    assert site.ec2.refused("DescribeRegions") == ("InternalError", 500)
    assert "role service" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("form", ["version 4", "version 4 GET", "presigned", "version 2 GET"])
def test_a_path_that_is_no_text_is_no_fault_of_ours(site, form):
    request = FORMS[form](site.ec2)
    request.environ["PATH_INFO"] = "/\xff"
    assert _refused(site, request) == (400, "InvalidRequest")


@pytest.mark.parametrize("date", ["99991231T235959Z", "00010101T000000Z"])
def test_a_presigned_date_at_the_end_of_the_calendar_is_expired(site, date):
    request = site.ec2.presigned("DescribeRegions", life_s=604800)
    _rewrite(request, lambda text: re.sub("X-Amz-Date=[^&]*", f"X-Amz-Date={date}", text))
    assert _refused(site, request) == (403, "RequestExpired")
