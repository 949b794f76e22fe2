"""os-certificates: certificates of users, and that of the authority that signs them.

Source: compute-api-routes (Cells v1, cloudpipe, certificates); objectstore-cert section 3.4.
"""

from nova import exception
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import NULL, STRING
from nova.policy import MEMBER, READER

certificates = Resource("os-certificates", rules={"show": READER, "create": MEMBER})

ANYTHING = Object(extra=True, optional=True)


def _answer(private_key: object) -> Object:
    return named(
        "certificate",
        Object(
            Key("data", STRING, required=True),
            Key("private_key", private_key, required=True),  # type: ignore[arg-type]
        ),
    )


@certificates.route(
    "GET /os-certificates/{id}", policy="show", errors=(404, 501), answer=_answer(NULL)
)
def show(call: Call) -> dict[str, object]:
    """Show the certificate of the authority that signs for the caller's project."""
    if call.args["id"] != "root":
        raise exception.NotSupported(reason="Only the root certificate can be retrieved.")
    data = call.services.cert.fetch_ca(call.context, _project(call))
    return {"certificate": {"data": data, "private_key": None}}


@certificates.route("POST /os-certificates", policy="create", body=ANYTHING, answer=_answer(STRING))
def create(call: Call) -> dict[str, object]:
    """Make a key and its certificate for the caller; the key is not kept."""
    user_id = call.context.user_id or ""
    made = call.services.cert.generate_x509_cert(call.context, user_id, _project(call))
    private_key, data = made
    return {"certificate": {"data": data, "private_key": private_key}}


def _project(call: Call) -> str:
    """Return the caller's project.  Raises: PolicyNotAuthorized without one."""
    if not call.context.project_id:
        raise exception.PolicyNotAuthorized(rule=call.rule)
    return call.context.project_id
