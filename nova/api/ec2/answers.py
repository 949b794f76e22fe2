"""Answers as HTTP responses."""

import webob

from nova.api.ec2 import faults, xml
from nova.api.ec2.faults import Fault


def of_text(text: str, status: int = 200) -> webob.Response:
    """Return the response with a text of XML."""
    return webob.Response(
        status=status,
        body=text.encode(),
        headerlist=[
            ("Content-Type", f"{xml.CONTENT_TYPE};charset=UTF-8"),
            ("Cache-Control", "no-store"),
        ],
    )


def of_fault(fault: Fault, request_id: str) -> webob.Response:
    """Return the response that tells a fault."""
    return of_text(xml.fault(fault.code, fault.message, request_id), fault.status)


def of_error(error: Exception, request_id: str, is_admin: bool = False) -> webob.Response:
    """Return the response that tells an error, which the log is told too if need be."""
    faults.note(error)
    return of_fault(faults.fault_of(error, is_admin), request_id)
