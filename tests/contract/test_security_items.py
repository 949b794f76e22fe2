"""Every item of the security checklist that this table lists is in the name of a test there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "doc" / "contributor" / "security-tests.md"
SECTIONS = (("CON", 11), ("AZ", 12), ("IN", 18), ("EC", 12), ("NET", 16))
ITEMS = [f"{area}-{number:02}" for area, last in SECTIONS for number in range(1, last + 1)]
_ROW = re.compile(r"^\| ([A-Z]+-\d\d) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"def test_([a-z]+)_(\d\d)_")


def _rows() -> dict[str, set[str]]:
    return {
        item: set(re.findall(r"`([^`]+)`", files))
        for item, files in _ROW.findall(TABLE.read_text())
    }


def _named() -> dict[str, set[str]]:
    """Return the files below tests/ with a test named after each item."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for area, number in _TEST.findall(path.read_text()):
            name = str(path.relative_to(ROOT / "tests"))
            found.setdefault(f"{area.upper()}-{number}", set()).add(name)
    return found


def test_the_table_has_every_item_once() -> None:
    assert [item for item, _files in _ROW.findall(TABLE.read_text())] == ITEMS


@pytest.mark.parametrize("item", ITEMS)
def test_files_in_the_table_have_tests_named_after_the_item(item: str) -> None:
    files = _rows()[item]
    assert files
    assert files <= _named().get(item, set())
