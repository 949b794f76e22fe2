"""Documents of S3: written with a library, so that text stays text, and read with care.

Source: AWS, S3 API reference; control characters can not be in XML 1.0 and are left out.
"""

import datetime
import re
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from nova.objectstore.errors import Refusal, refuse

NAMESPACE = "http://doc.s3.amazonaws.com/2006-03-01"
CONTENT_TYPE = "application/xml; charset=UTF-8"

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *content: "Element | str | int | bool | None") -> Element:
    """Return an element of elements, or of a text; None leaves it out or empty."""
    made = Element(name)
    for one in content:
        if isinstance(one, Element):
            made.append(one)
        elif one is not None:
            made.text = _text(one)
    return made


def _text(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_XML.sub("", str(value))


def render(root: Element, namespace: str = NAMESPACE) -> bytes:
    """Return the document of an element."""
    if namespace:
        root.set("xmlns", namespace)
    return _DECLARATION + tostring(root, encoding="unicode").encode()


def parse(document: bytes, root: str) -> Element:
    """Return the root of a document, with bare names.  Raises: Refusal."""
    try:
        found: Element = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # The last one tells of an encoding that is none.
        raise _malformed() from error
    for one in found.iter():
        one.tag = one.tag.rpartition("}")[2]
    if found.tag != root:
        raise _malformed()
    return found


def required(parent: Element, name: str) -> str:
    """Return the text of a part that must be there.  Raises: Refusal."""
    text = parent.findtext(name)
    if text is None:
        raise _malformed()
    return text


def _malformed() -> Refusal:
    return refuse(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def timestamp(moment: datetime.datetime) -> str:
    """Return a time as documents have it."""
    # Rounded up: clients that synchronise compare it with the times of their own files, which
    # are older than the object.
    later = moment + datetime.timedelta(microseconds=999)
    return f"{later:%Y-%m-%dT%H:%M:%S}.{later.microsecond // 1000:03}Z"
