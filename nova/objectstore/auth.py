"""Who sends a request: a signature of either version in a header or in the query, or nobody."""

import dataclasses

from nova import clock
from nova.context import RequestContext
from nova.objectstore import sigv2, sigv4
from nova.objectstore.claim import Claim
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.identity import Identity
from nova.objectstore.request import Request
from nova.policy import Policy


def claim_of(request: Request) -> Claim | None:
    """Return what a request claims by its signature; None without one.  Raises: Refusal."""
    header = request.headers.get("authorization")
    names = {name for name, _ in request.query}
    in_query = names & {"X-Amz-Signature", "X-Amz-Algorithm", "Signature", "AWSAccessKeyId"}
    if header is not None and in_query:
        raise refuse("InvalidArgument", "Only one way to authenticate is allowed.")
    now = clock.utcnow()
    if header is not None:
        if header.startswith(f"{sigv4.ALGORITHM} "):
            return sigv4.header_claim(request, now)
        if header.startswith(sigv2.SCHEME):
            return sigv2.header_claim(request, now)
        raise refuse("InvalidArgument", "Unsupported Authorization Type")
    if not in_query:
        return None
    if any(name.startswith("X-Amz-") for name in in_query):
        return sigv4.query_claim(request, now)
    return sigv2.query_claim(request, now)


class Authenticator:
    """Turns claims into callers."""

    def __init__(self, identity: Identity, policy: Policy) -> None:
        self._identity = identity
        self._policy = policy

    def caller(self, claim: Claim | None) -> RequestContext | None:
        """Return who asks; None stands for anybody.  Raises: Refusal."""
        if claim is None:
            return None
        context = self._verified(claim)
        if self._policy.check(context, "context_is_admin", {}):
            return context.elevated()
        return context

    def _verified(self, claim: Claim) -> RequestContext:
        try:
            return self._identity.verify(claim)
        except Refusal as error:
            if claim.also is None or error.code != "SignatureDoesNotMatch":
                raise
        return self._identity.verify(dataclasses.replace(claim, string_to_sign=claim.also))
