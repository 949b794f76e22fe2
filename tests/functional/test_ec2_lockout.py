"""The lockout filter of the EC2 API: who guesses at signatures has to wait."""

import dataclasses

import pytest
from oslo_config import cfg

from nova import config
from nova.api.ec2.lockout import LockoutSettings
from nova.api.ec2.settings import Ec2Settings
from nova.api.settings import ApiSettings
from tests.fixtures.ec2 import make_ec2_site, parse, refusal

HERE, THERE = "192.0.2.1", "192.0.2.2"
UNKNOWN = "AK999999999999999999"


@pytest.fixture
def site(cloud, frozen_clock):
    return make_ec2_site(cloud, lockout=LockoutSettings(attempts=3, window_minutes=2, minutes=5))


def _send(ec2, address=HERE):
    request = ec2.post("DescribeRegions")
    request.remote_addr = address
    return ec2.send(request)


def _refused(ec2, address=HERE):
    error = refusal(_send(ec2, address))
    return error.code, error.status


def _guessing(site):
    """Return who knows the id of the access key, but not its secret."""
    return site.ec2.using(dataclasses.replace(site.ec2.key, secret="wrong"))


def test_who_guesses_is_locked_out_and_keystone_is_left_alone(site, frozen_clock):
    guessing = _guessing(site)
    assert [_refused(guessing) for _ in range(3)] == [("AuthFailure", 401)] * 3
    asked = len(site.keystone.asked)
    error = refusal(_send(guessing))
    assert (error.code, error.status) == ("AuthFailure", 403)
    assert error.message == "Too many failed authentications."
    assert _refused(site.ec2) == ("AuthFailure", 403)
    assert len(site.keystone.asked) == asked
    frozen_clock.advance(300)
    assert parse("DescribeRegions", _send(site.ec2))["Regions"]


def test_the_owner_of_a_key_goes_on_while_others_guess_elsewhere(site):
    guessing = _guessing(site)
    for _ in range(5):
        _refused(guessing, THERE)
    assert _refused(guessing, THERE) == ("AuthFailure", 403)
    assert parse("DescribeRegions", _send(site.ec2))["Regions"]
    assert parse("DescribeRegions", _send(site.mallory, THERE))["Regions"]


def test_unknown_keys_are_locked_out_too(site):
    unknown = site.ec2.using(dataclasses.replace(site.ec2.key, access=UNKNOWN))
    assert [_refused(unknown)[1] for _ in range(4)] == [401, 401, 401, 403]


def test_what_is_no_guess_is_not_counted(site):
    site.ec2.key.roles = ("observer",)
    for number in range(5):
        request = site.ec2.post("TerminateInstances", InstanceId=["i-1"], Unique=number)
        request.remote_addr = HERE
        assert refusal(site.ec2.send(request)).status == 403
    site.keystone.fails = 503
    assert [_refused(site.ec2)[1] for _ in range(5)] == [503] * 5
    site.keystone.fails = None
    assert parse("DescribeRegions", _send(site.ec2))["Regions"]


def test_it_is_off_by_default(cloud):
    site = make_ec2_site(cloud)
    assert {_refused(_guessing(site)) for _ in range(20)} == {("AuthFailure", 401)}


def test_options():
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    assert Ec2Settings.from_conf(conf, ApiSettings()).lockout is None
    conf.set_override("ec2_lockout", True)
    assert Ec2Settings.from_conf(conf, ApiSettings()).lockout == LockoutSettings()
