"""Actions resize, confirmResize and revertResize: a server gets another flavor.

Source: compute-api-routes (resize, confirmResize, revertResize).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING, DISK_CONFIG
from nova.api.openstack.server_begin import begin
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.server_schemas import FLAVOR_REF
from nova.objects.action_request import ActionRequest, ResizeRequest
from nova.objects.unset import UNSET
from nova.policy import MEMBER

resize = Resource(
    "servers", rules={"resize": MEMBER, "confirm_resize": MEMBER, "revert_resize": MEMBER}
)

RESIZE = Object(
    Key(
        "resize",
        Object(Key("flavorRef", FLAVOR_REF, required=True), Key("OS-DCF:diskConfig", DISK_CONFIG)),
        required=True,
    )
)
CONFIRM = Object(Key("confirmResize", ANYTHING, required=True))
REVERT = Object(Key("revertResize", ANYTHING, required=True))


@resize.route("POST /servers/{id}/action resize", policy="resize", ok=202, body=RESIZE, errors=409)
def resize_server(call: Call) -> None:
    """Give a server another flavor; it may be confirmed or reverted afterwards."""
    wanted = call.body["resize"]
    disk_config = wanted.get("OS-DCF:diskConfig")
    request = ResizeRequest(
        flavorid=str(wanted["flavorRef"]).rstrip("/").rpartition("/")[2],
        auto_disk_config=UNSET if disk_config is None else disk_config == "AUTO",
    )
    call.conductor.instances.begin_action(
        call.context,
        call.scope,
        server_uuid(call, "id"),
        "resize",
        request=ActionRequest(resize=request),
    )


@resize.route(
    "POST /servers/{id}/action confirmResize",
    policy="confirm_resize",
    ok=204,
    body=CONFIRM,
    errors=409,
)
def confirm(call: Call) -> None:
    """Keep the new flavor for good."""
    begin(call, "confirmResize")


@resize.route(
    "POST /servers/{id}/action revertResize",
    policy="revert_resize",
    ok=202,
    body=REVERT,
    errors=409,
)
def revert(call: Call) -> None:
    """Go back to the old flavor."""
    begin(call, "revertResize")
