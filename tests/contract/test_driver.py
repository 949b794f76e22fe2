import itertools
import uuid

import pytest

from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState
from nova.virt.fake import FakeDriver
from tests.fixtures.driver_live_suite import DriverInterfaceSuite
from tests.fixtures.driver_suite import DriverCase, DriverSuite
from tests.fixtures.guests import make_instance


class TestFakeDriver(DriverSuite, DriverInterfaceSuite):
    """The conformance suite on the driver in memory."""

    @pytest.fixture
    def case(self):
        driver = FakeDriver(sleep=lambda seconds: None)
        numbers = itertools.count(1)

        def detail():
            instance = make_instance(id=next(numbers), uuid=str(uuid.uuid4()))
            return InstanceDetail(instance=instance)

        def shut_down_inside(detail):
            driver.emit(detail.instance.uuid, PowerState.SHUTDOWN)

        def lose_agent(detail):
            driver.guests[detail.instance.uuid].has_agent = False

        return DriverCase(
            driver=driver,
            detail=detail,
            shut_down_inside=shut_down_inside,
            lose_agent=lose_agent,
        )
