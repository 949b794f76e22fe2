"""Answers as XML.

Source: ec2-api, sections 1 and 1.2.
"""

import datetime
import re
import xml.etree.ElementTree as etree
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "text/xml"
NAMESPACE = "http://ec2.amazonaws.com/doc/{version}/"

# What XML 1.0 has no place for, in no notation.
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_VERSION = 64


def answer(action: str, version: str, request_id: str, result: Mapping[str, Any] | None) -> str:
    """Return the text of a successful answer; no result stands for "done"."""
    root = etree.Element(f"{action}Response")
    root.set("xmlns", NAMESPACE.format(version=_clean(version[:_LONGEST_VERSION])))
    etree.SubElement(root, "requestId").text = request_id
    _fill(root, {"return": True} if result is None else result)
    return etree.tostring(root, encoding="unicode")


def fault(code: str, message: str, request_id: str) -> str:
    """Return the text of an error."""
    root = etree.Element("Response")
    error = etree.SubElement(etree.SubElement(root, "Errors"), "Error")
    etree.SubElement(error, "Code").text = code
    etree.SubElement(error, "Message").text = _clean(message)
    etree.SubElement(root, "RequestID").text = request_id
    return f'<?xml version="1.0"?>\n{etree.tostring(root, encoding="unicode")}'


def moment(value: datetime.datetime) -> str:
    """Return the wire form of a time."""
    return f"{value.isoformat(timespec='milliseconds')}Z"


def can_hold(text: str) -> bool:
    """Tell whether an answer can tell of a text without leaving something out."""
    return _NO_CHARACTER.search(text) is None


def _clean(text: str) -> str:
    """Return a text without what XML can not hold."""
    return _NO_CHARACTER.sub("", text)


def _fill(parent: etree.Element, values: Mapping[str, Any]) -> None:
    """Append an element for each value; an unknown one has none.

    Clients take an empty element of a time or a number for a mistake.
    """
    for name, value in values.items():
        if value is not None:
            _render(etree.SubElement(parent, name), value)


def _render(element: etree.Element, value: Any) -> None:
    match value:
        case bool():
            element.text = "true" if value else "false"
        case str():
            element.text = _clean(value)
        case int():
            element.text = str(value)
        case datetime.datetime():
            element.text = moment(value)
        case Mapping():
            _fill(element, value)
        case list() | tuple():
            for item in value:
                _render(etree.SubElement(element, "item"), item)
        case _:
            raise TypeError(f"{element.tag}: {type(value).__name__} has no form in XML")
