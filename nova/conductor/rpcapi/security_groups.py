"""Conductor interface: security groups and their rules."""

from nova.context import RequestContext
from nova.objects.instance import Scope
from nova.objects.security_group import (
    DefaultRule,
    NewSecurityGroup,
    NewSecurityGroupRule,
    ProviderRule,
    SecurityGroup,
    SecurityGroupQuery,
    SecurityGroupRule,
)
from nova.rpc.interface import Interface, call


class ConductorSecurityGroups(Interface):
    """Security groups; each is named by its integer id or by its uuid."""

    topic = "conductor"
    namespace = "security_groups"
    version = "1.1"

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: SecurityGroupQuery) -> tuple[SecurityGroup, ...]:
        """Return one page of groups with their rules.  Raises: InstanceNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, group: str) -> SecurityGroup:
        """Return a group with its rules.  Raises: SecurityGroupNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewSecurityGroup) -> SecurityGroup:
        """Make a group.  Raises: SecurityGroupExists, SecurityGroupInvalid, QuotaExceeded."""

    @call(since="1.0")
    def update(
        self,
        context: RequestContext,
        scope: Scope,
        group: str,
        name: str | None = None,
        description: str | None = None,
    ) -> SecurityGroup:
        """Change name and description.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""

    @call(since="1.0")
    def delete(
        self, context: RequestContext, scope: Scope, group: str, default: bool = False
    ) -> None:
        """Delete a group that no server is in; default: even the group "default" of a project.

        Raises: SecurityGroupNotFound, …Invalid, …InUse.
        """

    @call(since="1.0", retry_safe=True)
    def list_rules(
        self, context: RequestContext, scope: Scope, group: str | None = None
    ) -> tuple[SecurityGroupRule, ...]:
        """Return the rules of a group, or of all in scope."""

    @call(since="1.0", retry_safe=True)
    def get_rule(self, context: RequestContext, scope: Scope, rule: str) -> SecurityGroupRule:
        """Return a rule.  Raises: SecurityGroupRuleNotFound."""

    @call(since="1.0")
    def create_rule(
        self, context: RequestContext, scope: Scope, new: NewSecurityGroupRule
    ) -> SecurityGroupRule:
        """Add a rule and let the hosts of the group's servers know.

        Raises: SecurityGroupNotFound, SecurityGroupRuleInvalid, SecurityGroupRuleExists,
        QuotaExceeded.
        """

    @call(since="1.1")
    def create_rules(
        self, context: RequestContext, scope: Scope, new: tuple[NewSecurityGroupRule, ...]
    ) -> None:
        """Add rules, all of them or none.  Raises: as create_rule()."""

    @call(since="1.1")
    def delete_rules(
        self, context: RequestContext, scope: Scope, wanted: tuple[NewSecurityGroupRule, ...]
    ) -> None:
        """Remove the rules that let just this through, all of them or none.

        Raises: SecurityGroupNotFound, SecurityGroupRuleInvalid, SecurityGroupRuleNotFound.
        """

    @call(since="1.0")
    def delete_rule(self, context: RequestContext, scope: Scope, rule: str) -> None:
        """Remove a rule and let the hosts know.  Raises: SecurityGroupRuleNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_default_rules(self, context: RequestContext) -> tuple[DefaultRule, ...]:
        """Return what new "default" groups get."""

    @call(since="1.0", retry_safe=True)
    def get_default_rule(self, context: RequestContext, rule_id: int) -> DefaultRule:
        """Return one of them.  Raises: SecurityGroupDefaultRuleNotFound."""

    @call(since="1.0")
    def create_default_rule(
        self, context: RequestContext, protocol: str, from_port: int, to_port: int, cidr: str
    ) -> DefaultRule:
        """Add one.  Raises: SecurityGroupDefaultRuleExists."""

    @call(since="1.0")
    def delete_default_rule(self, context: RequestContext, rule_id: int) -> None:
        """Remove one.  Raises: SecurityGroupDefaultRuleNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_provider_rules(self, context: RequestContext) -> tuple[ProviderRule, ...]:
        """Return what the operator keeps from all servers."""

    @call(since="1.0")
    def create_provider_rule(
        self, context: RequestContext, protocol: str, from_port: int, to_port: int, cidr: str
    ) -> ProviderRule:
        """Add such a rule and let all compute hosts know.  Raises: ProviderRuleExists."""

    @call(since="1.0")
    def delete_provider_rule(self, context: RequestContext, rule_id: int) -> None:
        """Remove such a rule and let all hosts know.  Raises: ProviderRuleNotFound."""
