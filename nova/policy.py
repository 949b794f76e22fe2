"""Who may do what: the rule engine behind one object."""

from collections.abc import Hashable, Mapping

from oslo_config import cfg
from oslo_policy import policy as oslo_policy

from nova import clock, exception
from nova.context import RequestContext

# Default rules in the words of the engine; resources name one of them for each rule.
ADMIN = "rule:context_is_admin"
MANAGER = "rule:project_manager_or_admin"
MEMBER = "rule:project_member_or_admin"
READER = "rule:project_reader_or_admin"
SERVICE = "rule:service_or_admin"
OWNER = "rule:admin_or_user"
ANY = "@"
NOBODY = "!"

BASE_RULES: Mapping[str, str] = {
    "context_is_admin": "role:admin",
    "project_manager_or_admin": f"{ADMIN} or (role:manager and project_id:%(project_id)s)",
    "project_member_or_admin": f"{ADMIN} or (role:member and project_id:%(project_id)s)",
    "project_reader_or_admin": f"{ADMIN} or (role:reader and project_id:%(project_id)s)",
    "service_or_admin": f"{ADMIN} or role:service",
    "admin_or_user": f"{ADMIN} or user_id:%(user_id)s",
    "all_projects": ADMIN,
}

NAMESPACE = "os_compute_api"
# Rules of the Networking API that stands before nova-network.
NETWORKING = "networking"
_NAMESPACES = (f"{NAMESPACE}:", f"{NETWORKING}:", "compute:", "network:")

# How often the policy file is looked at, and for how long decisions by it are remembered.
LOOK_AGAIN_S = 1.0


def full_name(rule: str, prefix: str) -> str:
    """Return a rule's whole name; a name that begins with a known space is whole already."""
    if rule.startswith(_NAMESPACES):
        return rule
    return f"{prefix}:{rule}" if rule else prefix


class Policy:
    """Default rules of the program, overridden by the operator's policy file.

    The engine looks at the file and inspects its own functions at each question, which costs
    more than the rest of a request: so it is asked once per caller, rule and owner until the
    file is looked at again.
    """

    def __init__(self, conf: cfg.ConfigOpts, rules: Mapping[str, str]) -> None:
        self._enforcer = oslo_policy.Enforcer(conf)
        self._enforcer.register_defaults(
            [
                oslo_policy.RuleDefault(name, check)
                for name, check in {**BASE_RULES, **rules}.items()
            ]
        )
        self._decisions: dict[Hashable, bool] = {}
        self._look_at_files()

    def check(self, context: RequestContext, rule: str, target: Mapping[str, str | None]) -> bool:
        """Tell whether the caller may do what a rule is about to a target.

        Owners that the target leaves empty match nobody, a token without project neither.
        Raises: KeyError for a rule that nobody declared.
        """
        if rule not in self._enforcer.registered_rules:
            raise KeyError(rule)
        if clock.monotonic() - self._looked_at >= LOOK_AGAIN_S:
            self._look_at_files()
        owner = {key: value for key, value in target.items() if value}
        credentials = _credentials(context)
        question = (rule, tuple(owner.items()), *map(_hashable, credentials.values()))
        decisions = self._decisions
        if question not in decisions:
            decisions[question] = bool(self._enforcer.enforce(rule, owner, credentials))
        return decisions[question]

    def _look_at_files(self) -> None:
        """Read the files if they have changed; forget what was decided by them."""
        self._enforcer.use_conf = True
        self._enforcer.load_rules()
        # From now on the engine leaves the files alone.
        self._enforcer.use_conf = False
        self._decisions = {}
        self._looked_at = clock.monotonic()

    def authorize(
        self, context: RequestContext, rule: str, target: Mapping[str, str | None]
    ) -> None:
        """Let the caller pass, or not.

        Raises: PolicyNotAuthorized.
        """
        if not self.check(context, rule, target):
            raise exception.PolicyNotAuthorized(rule=rule)

    def reaches_all_projects(self, context: RequestContext, rule: str) -> bool:
        """Tell whether a rule lets the caller at objects of any project.

        The rule must pass without looking at the owner, and so must all_projects: a rule
        that merely forgets to compare projects opens nothing.
        """
        return self.check(context, rule, {}) and self.check(context, "all_projects", {})


def own_target(context: RequestContext) -> dict[str, str | None]:
    """Return the target that stands for what belongs to the caller."""
    return {"project_id": context.project_id, "user_id": context.user_id}


def _hashable(value: object) -> Hashable:
    return tuple(value) if isinstance(value, list) else value


def _credentials(context: RequestContext) -> dict[str, object]:
    return {
        "user_id": context.user_id,
        "project_id": context.project_id,
        "user_domain_id": context.user_domain_id,
        "project_domain_id": context.project_domain_id,
        "system_scope": context.system_scope,
        "roles": list(context.roles),
        "service_roles": list(context.service_roles),
        "is_admin": context.is_admin,
    }
