"""The image service that a configuration describes."""

import pytest
from keystoneauth1 import loading
from oslo_config import cfg

from nova import exception
from nova.image import opts
from nova.image.connect import glance_from_config


def conf(**glance):
    config = cfg.ConfigOpts()
    for group, options in opts.OPTS.items():
        config.register_opts(options, group=group)
    config([])
    for name, value in glance.items():
        config.set_override(name, value, "glance")
    return config


def test_user_tokens_alone_need_an_address():
    assert glance_from_config(conf(api_servers=["http://glance.test"]))
    assert glance_from_config(conf(endpoint_override="http://glance.test"))
    with pytest.raises(exception.ConfigurationError, match="glance"):
        glance_from_config(conf())


@pytest.mark.parametrize("group", ["glance", "service_user"])
def test_credentials_of_either_group_are_used(group):
    config = conf()
    config.register_opts(loading.get_auth_plugin_conf_options("password"), group=group)
    for name, value in {
        "auth_type": "password",
        "auth_url": "http://keystone.test/v3",
        "username": "nova",
        "password": "secret",
    }.items():
        config.set_override(name, value, group)
    assert glance_from_config(config)


def test_unknown_kind_of_credentials_is_a_configuration_error():
    with pytest.raises(exception.ConfigurationError, match="glance"):
        glance_from_config(conf(auth_type="no-such-plugin"))


def test_img_19_session_never_follows_redirects_and_checks_certificates():
    service = glance_from_config(conf(endpoint_override="https://glance.test"))
    session = service._own.session
    assert session.redirect is False
    assert session.verify is True
    assert session.timeout == 60


def test_tls_01_insecure_is_loud(caplog):
    glance_from_config(conf(endpoint_override="https://glance.test", insecure=True))
    assert "insecure" in caplog.text


def test_every_option_has_a_help_text():
    assert all(option.help for options in opts.OPTS.values() for option in options)
