"""The EC2 API behind authentication: action, parameters, policy, handler.

Order of the checks: version, action, parameters, policy, dry run, repetition.
"""

from collections.abc import Mapping
from typing import Any

import webob
import webob.dec

from nova import exception
from nova.api.core.bundles import Bundles
from nova.api.core.caller import Services
from nova.api.ec2 import answers, params, xml
from nova.api.ec2.action import Action, Ec2Call
from nova.api.ec2.auth import signed_of
from nova.api.ec2.faults import fault_of, note
from nova.api.ec2.settings import Ec2Settings
from nova.api.ec2.signatures import Signed
from nova.api.openstack.environment import CONTEXT_KEY, TOKEN_KEY
from nova.conductor.rpcapi.ec2 import ConductorEc2
from nova.context import RequestContext
from nova.objects.ec2 import KeptAnswer


class Ec2Dispatcher:
    """WSGI application of all actions, at any path."""

    def __init__(
        self,
        actions: Mapping[str, Action],
        services: Services,
        ec2: ConductorEc2,
        bundles: Bundles,
        settings: Ec2Settings,
    ) -> None:
        self._actions = actions
        self._services = services
        self._ec2 = ec2
        self._bundles = bundles
        self._settings = settings

    @webob.dec.wsgify
    def __call__(self, request: webob.Request) -> webob.Response:
        """Answer a request whose caller is known."""
        context: RequestContext = request.environ[CONTEXT_KEY]
        signed = signed_of(request.environ)
        try:
            call = self._call(request, context, signed)
            kept = self._once(call, signed) if call.action.changes else self._run(call, signed)
        except exception.NovaException as error:
            return answers.of_error(error, context.request_id, context.is_admin)
        return answers.of_text(kept.text, kept.status)

    def _call(self, request: webob.Request, context: RequestContext, signed: Signed) -> Ec2Call:
        """Return a request with its parameters, when the caller may make it.

        Raises: NovaException.
        """
        action = self._action(signed.action)
        call = Ec2Call(
            context=context,
            services=self._services,
            rule=action.rule,
            token=request.environ[TOKEN_KEY],
            action=action,
            settings_ec2=self._settings,
            ec2=self._ec2,
            bundles=self._bundles,
            params=params.decode(action.params, signed.action),
        )
        if action.rule is not None:
            call.authorize()
        if call.params["DryRun"]:
            raise exception.Ec2DryRun()
        return call

    def _action(self, given: Mapping[str, str]) -> Action:
        for name in ("Action", "Version"):
            if not given.get(name):
                raise exception.Ec2ParameterMissing(name=name)
        action = self._actions.get(given["Action"])
        if action is None:
            raise exception.Ec2ActionUnknown(action=given["Action"][:64])
        return action

    def _once(self, call: Ec2Call, signed: Signed) -> KeptAnswer:
        """Return the answer to a request that acts once for its signature, however often sent.

        Raises: Ec2RequestRepeated while the first one is under way, or with a secret answer.
        """
        begun = self._ec2.begin_request(call.context, signed.digest, signed.expires_at)
        if not begun.is_new:
            if begun.answer is None:
                raise exception.Ec2RequestRepeated()
            return begun.answer
        kept = self._outcome(call, signed)
        if not call.action.secret:
            self._ec2.finish_request(call.context, signed.digest, kept)
        return kept

    def _outcome(self, call: Ec2Call, signed: Signed) -> KeptAnswer:
        """Return what comes of a request, be it an error that a repetition would tell too."""
        try:
            return self._run(call, signed)
        except exception.NovaException as error:
            note(error)
            fault = fault_of(error, call.context.is_admin)
            text = xml.fault(fault.code, fault.message, call.context.request_id)
            return KeptAnswer(status=fault.status, text=text)

    def _run(self, call: Ec2Call, signed: Signed) -> KeptAnswer:
        result: Mapping[str, Any] | None = call.action.handler(call)
        version = signed.action["Version"]
        text = xml.answer(call.action.name, version, call.context.request_id, result)
        return KeptAnswer(status=200, text=text)
