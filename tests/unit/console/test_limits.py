import contextlib
import datetime

import pytest

from nova.console.limits import Caps, Limits, TooManySessions
from nova.objects.console import ConsoleConnection, ConsoleTarget, ConsoleType


def target(instance):
    return ConsoleTarget(
        instance_uuid=instance,
        instance_name="n",
        project_id="p",
        console_type=ConsoleType.NOVNC,
        connection=ConsoleConnection(host="h", port=1),
        access_url="http://h/",
        expires=datetime.datetime(2030, 1, 1),
    )


def opened(limits, sessions):
    stack = contextlib.ExitStack()
    for instance, token in sessions:
        stack.enter_context(limits.session(target(instance), token))
    return stack


@pytest.mark.parametrize(
    ("caps", "refused", "admitted"),
    [
        (Caps(per_token=2), ("i1", "t1"), ("i1", "t2")),
        (Caps(per_instance=2), ("i1", "t9"), ("i2", "t9")),
        (Caps(sessions=2), ("i9", "t9"), None),
    ],
)
def test_con_07_caps(caps, refused, admitted):
    limits = Limits(caps)
    with opened(limits, [("i1", "t1"), ("i1", "t1")]):
        with pytest.raises(TooManySessions), limits.session(target(refused[0]), refused[1]):
            pass
        if admitted:
            with limits.session(target(admitted[0]), admitted[1]):
                pass
    with limits.session(target(refused[0]), refused[1]):
        pass
    assert limits.counted == 0


def test_con_07_connections_of_one_address():
    limits = Limits(Caps(per_source=1))
    with contextlib.ExitStack() as stack:
        for source in ("a", "b"):
            stack.enter_context(limits.connection(source))
        with pytest.raises(TooManySessions):
            stack.enter_context(limits.connection("a"))
    assert limits.counted == 0


def test_zero_is_no_limit():
    limits = Limits(Caps(connections=0, per_source=0))
    with contextlib.ExitStack() as stack:
        for _ in range(3000):
            stack.enter_context(limits.connection("a"))
