"""Ids: a prefix and a number in hexadecimal digits."""

import pytest

from nova import exception
from nova.api.ec2 import ids


@pytest.mark.parametrize("number", [0, 1, 255, 2**31 - 1])
def test_what_is_composed_can_be_read(number):
    assert ids.number_of(ids.INSTANCE, ids.compose(ids.INSTANCE, number)) == number


def test_form():
    assert ids.compose(ids.MACHINE, 1) == "ami-00000001"
    assert ids.number_of(ids.INSTANCE, "i-0000000000000000a") == 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        "i",
        "i-",
        "-1",
        "1",
        "I-1",
        "ami-00000001",
        "i-0x1",
        "i--1",
        "i-1_0",
        "i-1 ",
        "i-\u0661",
        "x-i-1",
        "i-" + "f" * 18,
        "i-1\n",
    ],
)
def test_ec_12_malformed(text):
    with pytest.raises(exception.Ec2IdMalformed):
        ids.number_of(ids.INSTANCE, text)


def test_ec_12_a_number_that_no_row_can_have_is_nobodys():
    assert ids.number_of(ids.INSTANCE, "i-ffffffffffffffff") == 0


def test_prefixes_of_images():
    assert [ids.image_prefix(text) for text in ("aki", "ari", "ami", "bare", None)] == [
        "aki",
        "ari",
        "ami",
        "ami",
        "ami",
    ]
    assert ids.number_of(ids.MACHINE, "aki-2", others=(ids.KERNEL,)) == 2


def test_errors_name_the_ec2_id():
    for uuid, told in (("uuid-1", "i-00000001"), ("uuid-2", "uuid-2")):
        with (
            pytest.raises(exception.InstanceIsLocked, match=told),
            ids.instances_named({"uuid-1": "i-00000001"}),
        ):
            raise exception.InstanceIsLocked(instance_uuid=uuid)
