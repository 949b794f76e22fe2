"""Action rebuild: a server is made anew in its place.

Source: compute-api-routes (rebuild, SERVER representation).
"""

from typing import Any

from nova.api.core import images, passwords
from nova.api.openstack.answers import Extended, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Reply, Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import (
    BOOL,
    DESCRIPTION,
    DISK_CONFIG,
    FQDN,
    HOSTNAME,
    IPV4,
    IPV6,
    METADATA,
    NAME,
    STRING,
    UUID,
)
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.server_schemas import PERSONALITY, TRUSTED_CERTIFICATES, USER_DATA
from nova.api.openstack.server_views import UPDATED
from nova.api.openstack.validation import boolean
from nova.api.openstack.values import canonical_address
from nova.api.openstack.views import Field
from nova.exception import CertificatesNotValidated, InvalidInput
from nova.objects.action_request import ActionRequest, RebuildRequest
from nova.objects.instance import InjectedFile
from nova.objects.unset import UNSET
from nova.policy import MEMBER

rebuild = Resource("servers", rules={"rebuild": MEMBER, "rebuild:trusted_certs": MEMBER})

_TRUSTED_CERTS = "servers:rebuild:trusted_certs"
_NAME_OR_NULL: Json = {"type": ["string", "null"], "minLength": 1, "maxLength": 255}
_USER_DATA_OR_NULL: Json = {**USER_DATA, "type": ["string", "null"]}

REBUILD = Object(
    Key(
        "rebuild",
        Object(
            Key("imageRef", UUID, required=True),
            Key("name", NAME),
            Key("adminPass", STRING),
            Key("metadata", METADATA),
            Key("preserve_ephemeral", BOOL),
            Key("OS-DCF:diskConfig", DISK_CONFIG),
            Key("accessIPv4", IPV4),
            Key("accessIPv6", IPV6),
            Key("personality", PERSONALITY, until="2.56"),
            Key("description", DESCRIPTION, since="2.19"),
            Key("key_name", _NAME_OR_NULL, since="2.54"),
            Key("user_data", _USER_DATA_OR_NULL, since="2.57"),
            Key("trusted_image_certificates", TRUSTED_CERTIFICATES, since="2.63"),
            Key("hostname", HOSTNAME, since="2.90", until="2.93"),
            Key("hostname", FQDN, since="2.94"),
        ),
        required=True,
    )
)

REBUILT = UPDATED.extended(
    Field("key_name", since="2.54", until="2.74"),
    Field("user_data", since="2.57"),
)
ANSWER = named(REBUILT.name, Extended(REBUILT, Key("adminPass", STRING)))


@rebuild.route(
    "POST /servers/{id}/action rebuild",
    policy="rebuild",
    ok=202,
    body=REBUILD,
    errors=409,
    answer=ANSWER,
)
def rebuild_server(call: Call) -> Reply:
    """Make a server anew from an image; its id, its host and its addresses stay."""
    wanted = call.body["rebuild"]
    uuid = server_uuid(call, "id")
    if wanted.get("trusted_image_certificates"):
        call.authorize(_TRUSTED_CERTS)
        raise CertificatesNotValidated()
    password = wanted.get("adminPass") or passwords.generate(call.settings.password_length)
    server = call.conductor.instances.begin_action(
        call.context,
        call.scope,
        uuid,
        "rebuild",
        request=ActionRequest(rebuild=_request(call, wanted)),
        admin_password=password,
    )
    document = REBUILT.item(server, call)
    if call.settings.enable_instance_password:
        document["adminPass"] = password
    location = call.links.self_link("servers", uuid)
    return Reply(body={"server": document}, location=location)


def _request(call: Call, wanted: dict[str, Any]) -> RebuildRequest:
    """Return what is asked for, with the image looked up.  Raises: InvalidInput."""
    disk_config = wanted.get("OS-DCF:diskConfig")
    return RebuildRequest(
        image=images.choice(call.token, wanted["imageRef"], call.services.images),
        display_name=wanted.get("name", UNSET),
        display_description=wanted.get("description", UNSET),
        hostname=wanted.get("hostname", UNSET),
        metadata=wanted.get("metadata", UNSET),
        key_name=wanted.get("key_name", UNSET),
        user_data=wanted.get("user_data", UNSET),
        access_ip_v4=wanted.get("accessIPv4", UNSET),
        access_ip_v6=canonical_address(wanted.get("accessIPv6", UNSET)),
        auto_disk_config=UNSET if disk_config is None else disk_config == "AUTO",
        injected_files=_files(wanted.get("personality", ())),
        preserve_ephemeral=boolean(wanted.get("preserve_ephemeral", False)),
    )


def _files(wanted: Any) -> tuple[InjectedFile, ...]:
    if any(not entry.get("path") or "contents" not in entry for entry in wanted):
        raise InvalidInput(reason="Each entry of personality needs a path and contents.")
    return tuple(InjectedFile(path=entry["path"], contents=entry["contents"]) for entry in wanted)
