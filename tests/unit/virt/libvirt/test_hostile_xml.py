"""XML of the hypervisor is read without entities, DTD and network."""

import pathlib
import re
from collections.abc import Callable

import pytest
from defusedxml.common import DefusedXmlException

import nova
from nova.virt.libvirt import capabilities, definition, host_traits

BOMB = (
    '<!DOCTYPE d [<!ENTITY a "{}">'.format("x" * 1000)
    + "".join(
        f'<!ENTITY {name} "{("&" + before + ";") * 20}">'
        for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    + "]><d>&g;</d>"
)


def _readers() -> list[Callable[[str], object]]:
    return [
        lambda text: definition.ElementTree.fromstring(text),
        lambda text: capabilities.ElementTree.fromstring(text),
        lambda text: host_traits.ElementTree.fromstring(text),
    ]


@pytest.mark.parametrize("reader", _readers())
def test_in_02_entities_that_grow_are_refused(reader: Callable[[str], object]) -> None:
    with pytest.raises(DefusedXmlException):
        reader(BOMB)


@pytest.mark.parametrize("reader", _readers())
@pytest.mark.parametrize("kind", ["ENTITY", "ENTITY %"])
def test_in_02_files_and_addresses_are_not_read(
    tmp_path: pathlib.Path, reader: Callable[[str], object], kind: str
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("canary")
    for place in (canary.as_uri(), "http://127.0.0.1:1/x"):
        use = "%e;" if "%" in kind else ""
        text = f'<!DOCTYPE d [<!{kind} e SYSTEM "{place}">{use}]><d>&e;</d>'
        with pytest.raises(DefusedXmlException):
            reader(text)


def test_in_02_no_other_parser_of_xml_is_used() -> None:
    """The standard parser may build documents, it may not read them."""
    root = pathlib.Path(nova.__file__).parent
    found = []
    for path in root.rglob("*.py"):
        text = path.read_text()
        if re.search(r"^\s*(?:import|from) (?:lxml|xml\.(?:sax|dom|parsers)|xmlrpc)", text, re.M):
            found.append(path.name)
        plain = re.search(r"^from xml\.etree import ElementTree|^import xml", text, re.M)
        if plain and re.search(r"ElementTree\.(?:fromstring|parse|XML|iterparse)\(", text):
            found.append(path.name)
    assert found == []
