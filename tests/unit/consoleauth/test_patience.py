"""Who is waited for while a token is checked."""

import pytest

from nova.compute.rpcapi import ComputeAPI
from nova.conductor.rpcapi.consoles import ConductorConsoles
from nova.consoleauth import identity
from nova.consoleauth.rpcapi import ConsoleAuthAPI
from nova.rpc.interface import methods_of

CHECK_S = methods_of(ConsoleAuthAPI)["check_token"].timeout_s
ATTEMPTS = 2


@pytest.mark.parametrize(
    ("interface", "method"), [(ConductorConsoles, "find"), (ComputeAPI, "validate_console_port")]
)
def test_a_service_that_does_not_answer_is_named_before_the_check_is_over(interface, method):
    """Else the proxy blames nova-consoleauth, and asks it to wait once more."""
    assert ATTEMPTS * methods_of(interface)[method].timeout_s < CHECK_S


def test_keystone_that_does_not_answer_is_named_before_the_check_is_over():
    requests = 2
    assert requests * identity.TIMEOUT_S < CHECK_S
