"""Messages that go to the daemons, although the rest of a bus is inside the process."""

import pytest

from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context
from nova.exception import MessagingUnavailable
from nova.network.rpcapi import NetworkAPI
from nova.rpc.local import LocalBus
from nova.rpc.split import SplitBus
from tests.fixtures.conductor import RecordingNetworkHost, make_conductor, seed_network

ADMIN = get_admin_context()


class Daemons:
    """Counts connections to a bus with one host of nova-network; refuses them if told so."""

    def __init__(self, refused=False):
        self.bus = LocalBus()
        self.host = RecordingNetworkHost()
        self.bus.serve("network", "net1", [self.host]).start()
        self.refused = refused
        self.connections = 0
        self.complaints = []

    def connect(self):
        self.connections += 1
        if self.refused:
            raise MessagingUnavailable()
        return self.bus

    def split(self):
        local = LocalBus()
        return SplitBus(
            local, self.connect, frozenset({"network", "compute"}), {}, self.complaints.append
        )


def test_changes_of_networks_reach_the_daemons():
    daemons = Daemons()
    conductor = make_conductor(daemons.split())
    conductor.networks.list_networks(ADMIN)
    assert daemons.connections == 0
    seed_network(conductor)
    seed_network(conductor, label="b", cidr="10.1.0.0/24")
    daemons.bus.run_until_idle()
    assert (daemons.host.changes, daemons.connections, daemons.complaints) == (2, 1, [])


def test_change_stands_when_the_daemons_can_not_be_reached():
    daemons = Daemons(refused=True)
    conductor = make_conductor(daemons.split())
    network = seed_network(conductor)
    seed_network(conductor, label="b", cidr="10.1.0.0/24")
    assert conductor.networks.get(ADMIN, network.uuid) == network
    assert daemons.connections == 1
    assert [type(error) for error in daemons.complaints] == [MessagingUnavailable]


def test_question_to_daemons_that_can_not_be_reached_is_an_error():
    split = Daemons(refused=True).split()
    with pytest.raises(MessagingUnavailable):
        split.client(NetworkAPI).on("net1").refresh(ADMIN)


def test_other_topics_stay_inside_the_process():
    split = Daemons(refused=True).split()
    conductor = make_conductor(split)
    assert split.client(ConductorNetworks).anyone().list_networks(ADMIN) == ()
    assert conductor.networks.list_networks(ADMIN) == ()
