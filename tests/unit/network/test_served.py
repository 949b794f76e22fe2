"""Networks that change while they are being read."""

from nova.network.served import ServedNetworks
from tests.fixtures.networks import make_binding, make_network, make_served


def loaded(*bindings: object) -> ServedNetworks:
    served = ServedNetworks()
    served.end_reading(served.begin_reading(), [make_served(bindings=tuple(bindings))])
    return served


def addresses(served: ServedNetworks) -> list[str]:
    found = served.find(1)
    assert found is not None
    return [one.address for one in found.bindings]


def test_change_during_reading_is_not_lost() -> None:
    served = loaded(make_binding(5))
    place = served.begin_reading()
    served.set_bindings(1, "guest-6", [make_binding(6)])
    served.set_bindings(1, "guest-5", [])
    served.end_reading(place, [make_served(bindings=(make_binding(5),))])
    assert addresses(served) == ["10.0.1.6"]


def test_change_before_reading_is_superseded() -> None:
    served = loaded(make_binding(5))
    other = served.begin_reading()
    served.set_bindings(1, "guest-6", [make_binding(6)])
    place = served.begin_reading()
    served.end_reading(other, None)
    served.end_reading(place, [make_served()])
    assert addresses(served) == []


def test_failed_reading_keeps_what_is_known() -> None:
    served = loaded(make_binding(5))
    served.end_reading(served.begin_reading(), None)
    assert addresses(served) == ["10.0.1.5"]


def test_network_that_came_meanwhile_gets_its_bindings() -> None:
    served = ServedNetworks()
    place = served.begin_reading()
    served.set_bindings(1, "guest-5", [make_binding(5)])
    served.end_reading(place, [make_served()])
    assert addresses(served) == ["10.0.1.5"]


def test_repeated_set_up_keeps_the_lease() -> None:
    served = loaded(make_binding(5))
    served.set_leased("10.0.1.5", "FA:16:3E:00:00:05", True)
    served.set_bindings(1, "guest-5", [make_binding(5)])
    assert served.all()[0].bindings == (make_binding(5, leased=True),)


def test_networks_in_order_of_id() -> None:
    served = ServedNetworks()
    both = [make_served(make_network(2)), make_served()]
    served.end_reading(served.begin_reading(), both)
    assert [one.network.id for one in served.all()] == [1, 2]
