"""Actions of administrators: os-resetState, injectNetworkInfo, resetNetwork.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING, NULL
from nova.api.openstack.server_begin import begin
from nova.api.openstack.server_ids import server_uuid
from nova.exception import InstanceIsLocked
from nova.objects.lifecycle import VmState
from nova.policy import ADMIN

admin_actions = Resource(
    "os-admin-actions",
    rules={"reset_state": ADMIN, "inject_network_info": ADMIN, "reset_network": ADMIN},
)

RESET_STATE = Object(
    Key(
        "os-resetState",
        Object(Key("state", {"enum": ["active", "error"]}, required=True)),
        required=True,
    )
)
INJECT_NETWORK_INFO = Object(Key("injectNetworkInfo", ANYTHING, required=True))
RESET_NETWORK = Object(Key("resetNetwork", NULL, required=True))


@admin_actions.route(
    "POST /servers/{id}/action os-resetState", policy="reset_state", ok=202, body=RESET_STATE
)
def reset_state(call: Call) -> None:
    """Make a server active or error, whatever it is doing."""
    vm_state = VmState(call.body["os-resetState"]["state"])
    call.conductor.instances.reset_state(
        call.context, call.scope, server_uuid(call, "id"), vm_state
    )


@admin_actions.route(
    "POST /servers/{id}/action injectNetworkInfo",
    policy="inject_network_info",
    ok=202,
    body=INJECT_NETWORK_INFO,
    errors=409,
)
def inject_network_info(call: Call) -> None:
    """Write anew on the host what the server's networks need."""
    begin(call, "inject_network_info")


@admin_actions.route(
    "POST /servers/{id}/action resetNetwork",
    policy="reset_network",
    ok=202,
    body=RESET_NETWORK,
    errors=409,
)
def reset_network(call: Call) -> None:
    """Do nothing: only guests of a hypervisor that is gone had an agent for it.

    Raises: InstanceIsLocked.
    """
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call, "id"))
    if server.locked_by is not None and not call.context.is_admin:
        raise InstanceIsLocked(instance_uuid=server.uuid)
