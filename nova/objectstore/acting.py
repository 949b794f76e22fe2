"""Requests of a service in the name of a project: nova-api reads bundles of images so.

See doc/decisions, "Bundles are read in the project's name".
"""

import re

from nova.context import RequestContext
from nova.objectstore import sigv4
from nova.objectstore.claim import Claim
from nova.objectstore.errors import refuse
from nova.objectstore.request import Request

PROJECT_HEADER = "x-nova-project-id"
SERVICE_ROLE = "service"

_PROJECT_ID = re.compile(r"[A-Za-z0-9_.-]{1,255}")


def in_name_of_project(
    context: RequestContext | None, claim: Claim | None, request: Request
) -> RequestContext | None:
    """Return as whom to treat a caller: as a reader of the project that a service names.

    The header must have been signed, which only version 4 in a header does.  Raises: Refusal.
    """
    project_id = request.headers.get(PROJECT_HEADER)
    if project_id is None:
        return context
    signed = claim is not None and not claim.is_presigned and _is_v4(claim)
    if context is None or not signed or SERVICE_ROLE not in context.roles:
        raise refuse("AccessDenied", "Only services may name a project.")
    if not _PROJECT_ID.fullmatch(project_id):
        raise refuse("InvalidArgument", "The project's id can not be one.")
    return RequestContext(
        user_id=context.user_id,
        user_name=context.user_name,
        project_id=project_id,
        roles=("reader",),
    )


def _is_v4(claim: Claim) -> bool:
    return claim.string_to_sign.startswith(sigv4.ALGORITHM)
