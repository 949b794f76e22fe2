"""extensions: a fixed list that old clients read to find out what there is.

Source: api-conventions section 10.
"""

from nova import exception
from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.links import LINKS
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import STRING
from nova.api.openstack.versions import LEGACY
from nova.policy import ANY

extensions = Resource("extensions", rules={"": ANY})

UPDATED = "2014-12-03T00:00:00Z"
ALIASES = (
    "NMN",
    "OS-DCF",
    "OS-EXT-AZ",
    "OS-EXT-IMG-SIZE",
    "OS-EXT-IPS",
    "OS-EXT-IPS-MAC",
    "OS-EXT-SRV-ATTR",
    "OS-EXT-STS",
    "OS-FLV-DISABLED",
    "OS-FLV-EXT-DATA",
    "OS-SCH-HNT",
    "OS-SRV-USG",
    "os-access-ips",
    "os-admin-actions",
    "os-admin-password",
    "os-agents",
    "os-aggregates",
    "os-assisted-volume-snapshots",
    "os-attach-interfaces",
    "os-availability-zone",
    "os-baremetal-ext-status",
    "os-baremetal-nodes",
    "os-block-device-mapping",
    "os-block-device-mapping-v2-boot",
    "os-cell-capacities",
    "os-cells",
    "os-certificates",
    "os-cloudpipe",
    "os-cloudpipe-update",
    "os-config-drive",
    "os-console-auth-tokens",
    "os-console-output",
    "os-consoles",
    "os-create-backup",
    "os-create-server-ext",
    "os-deferred-delete",
    "os-evacuate",
    "os-extended-evacuate-find-host",
    "os-extended-floating-ips",
    "os-extended-hypervisors",
    "os-extended-networks",
    "os-extended-quotas",
    "os-extended-rescue-with-image",
    "os-extended-services",
    "os-extended-services-delete",
    "os-extended-status",
    "os-extended-volumes",
    "os-fixed-ips",
    "os-flavor-access",
    "os-flavor-extra-specs",
    "os-flavor-manage",
    "os-flavor-rxtx",
    "os-flavor-swap",
    "os-floating-ip-dns",
    "os-floating-ip-pools",
    "os-floating-ips",
    "os-floating-ips-bulk",
    "os-fping",
    "os-hide-server-addresses",
    "os-hosts",
    "os-hypervisor-status",
    "os-hypervisors",
    "os-instance-actions",
    "os-instance_usage_audit_log",
    "os-keypairs",
    "os-lock-server",
    "os-migrate-server",
    "os-migrations",
    "os-multiple-create",
    "os-networks",
    "os-networks-associate",
    "os-pause-server",
    "os-personality",
    "os-preserve-ephemeral-rebuild",
    "os-quota-class-sets",
    "os-quota-sets",
    "os-rescue",
    "os-security-group-default-rules",
    "os-security-groups",
    "os-server-diagnostics",
    "os-server-external-events",
    "os-server-group-quotas",
    "os-server-groups",
    "os-server-list-multi-status",
    "os-server-password",
    "os-server-sort-keys",
    "os-server-start-stop",
    "os-services",
    "os-shelve",
    "os-simple-tenant-usage",
    "os-suspend-server",
    "os-tenant-networks",
    "os-used-limits",
    "os-used-limits-for-admin",
    "os-user-data",
    "os-user-quotas",
    "os-virtual-interfaces",
    "os-volume-attachment-update",
    "os-volumes",
)


LEGACY_ALIASES = (*ALIASES, "OS-EXT-VIF-NET")


SHOWN = Object(
    *(
        Key(name, STRING, required=True)
        for name in ("alias", "name", "description", "namespace", "updated")
    ),
    Key("links", LINKS, required=True),
)


def _aliases(call: Call) -> tuple[str, ...]:
    return LEGACY_ALIASES if call.version == LEGACY else ALIASES


def _document(alias: str) -> dict[str, object]:
    words = alias.removeprefix("os-").replace("_", "-").split("-")
    return {
        "alias": alias,
        "name": "".join(word[:1].upper() + word[1:] for word in words),
        "description": f"Part of the Compute API since version 2.1 ({alias}).",
        "namespace": "",
        "updated": UPDATED,
        "links": [],
    }


@extensions.route("GET /extensions", policy="", answer=items("extensions", SHOWN))
def index(call: Call) -> dict[str, object]:
    """List all extensions."""
    return {"extensions": [_document(alias) for alias in _aliases(call)]}


@extensions.route("GET /extensions/{id}", policy="", answer=named("extension", SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show one extension."""
    alias = call.args["id"]
    if alias not in _aliases(call):
        raise exception.ExtensionNotFound(alias=alias)
    return {"extension": _document(alias)}
