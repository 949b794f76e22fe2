import pytest

from nova.objects.image_fit import compare_versions
from nova.scheduler.filters.operators import matches


@pytest.mark.parametrize(
    ("value", "requirement", "expected"),
    [
        ("4", "4", True),
        ("4", "5", False),
        ("8", "= 4", True),
        ("3", "= 4", False),
        ("4", "== 4.0", True),
        ("5", "!= 4", True),
        ("5", ">= 5", True),
        ("5", "<= 4", False),
        ("five", ">= 4", False),
        ("4", ">=", False),
        ("b", "s> a", True),
        ("a", "s< a", False),
        ("a", "s== a", True),
        ("a", "s!= a", False),
        ("sse avx vmx", "<in> avx", True),
        ("sse vmx", "<in> avx", False),
        ("sse avx vmx", "<all-in> avx vmx", True),
        ("sse avx", "<all-in> avx vmx", False),
        ("kvm", "<or> qemu <or> kvm", True),
        ("xen", "<or> qemu <or> kvm", False),
        ("two words", "two words", True),
        ("", "", True),
    ],
)
def test_value_meets_requirement(value, requirement, expected):
    assert matches(value, requirement) is expected


@pytest.mark.parametrize(
    ("have", "symbol", "wanted", "expected"),
    [
        ("7.2.0", ">=", "7.2", True),
        ("7.2.0", "==", "7.2", True),
        ("7.10.0", ">", "7.9.9", True),
        ("7.2.0", "<", "7.2.0", False),
        ("7.2.0", "!=", "7.2.1", True),
    ],
)
def test_versions_compare_by_their_parts(have, symbol, wanted, expected):
    assert compare_versions(have, symbol, wanted) is expected
