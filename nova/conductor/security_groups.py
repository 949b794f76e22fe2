"""Security groups and their rules."""

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from nova import clock
from nova.conductor import security_rules
from nova.conductor.checks import require
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import firewall, quotas, security_groups
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    ProviderRuleExists,
    ProviderRuleNotFound,
    QuotaExceeded,
    SecurityGroupDefaultRuleExists,
    SecurityGroupDefaultRuleNotFound,
    SecurityGroupInUse,
    SecurityGroupInvalid,
    SecurityGroupNotFound,
    SecurityGroupRuleExists,
    SecurityGroupRuleNotFound,
)
from nova.objects.instance import Scope
from nova.objects.quota import UNLIMITED
from nova.objects.security_group import (
    DefaultRule,
    NewSecurityGroup,
    NewSecurityGroupRule,
    ProviderRule,
    SecurityGroup,
    SecurityGroupQuery,
    SecurityGroupRule,
)

MAX_PAGE = 1000
MAX_OFFSET = 2**31 - 1
GROUPS = "security_groups"
RULES = "security_group_rules"


class SecurityGroupsEndpoint(ConductorSecurityGroups):
    """Serves the security groups of the database."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def page(self, context: RequestContext, query: SecurityGroupQuery) -> tuple[SecurityGroup, ...]:
        """Return one page of groups, those of a server if one is named."""
        self._ensure_default(query.project_id, query.user_id)
        limit = max(0, min(query.limit, MAX_PAGE))
        bounded = dataclasses.replace(query, limit=limit, offset=min(query.offset, MAX_OFFSET))
        with self.db.reading() as tx:
            if query.instance_uuid is not None:
                require(tx, query.scope, query.instance_uuid)
            return tuple(security_groups.page(tx, bounded))

    def _ensure_default(self, project_id: str | None, user_id: str | None) -> None:
        """Make the group "default" of a project, if there is a project."""
        if not project_id:
            return
        with self.db.reading() as tx:
            known = security_groups.has_default(tx, project_id)
        if not known:
            with self.db.transaction() as tx:
                security_groups.ensure_default(tx, project_id, user_id, clock.utcnow())

    @retried
    def get(self, context: RequestContext, scope: Scope, group: str) -> SecurityGroup:
        """Return a group with its rules."""
        self._ensure_default(scope.project_id, context.user_id)
        with self.db.reading() as tx:
            return _get(tx, scope, group)

    @retried
    def create(self, context: RequestContext, new: NewSecurityGroup) -> SecurityGroup:
        """Make a group without rules."""
        name = security_rules.check_text(new.name, "name")
        description = security_rules.check_text(new.description, "description", empty=True)
        now = clock.utcnow()
        group_uuid = str(uuid.uuid4())
        row = {
            "uuid": group_uuid,
            "name": name,
            "description": description,
            "project_id": new.project_id,
            "user_id": new.user_id,
            "created_at": now,
            "updated_at": now,
        }
        with self.db.transaction() as tx:
            quotas.hold(tx, new.project_id, GROUPS)
            security_groups.ensure_default(tx, new.project_id, new.user_id, now)
            security_groups.create(tx, row)
            limits = quotas.limits(tx, new.project_id, self.settings.quotas, new.user_id)
            count = security_groups.count_of_project(tx, new.project_id)
            if limits[GROUPS] != UNLIMITED and count > limits[GROUPS]:
                raise QuotaExceeded(resource="security groups", allowed=limits[GROUPS])
            return _get(tx, Scope(), group_uuid)

    @retried
    def update(
        self,
        context: RequestContext,
        scope: Scope,
        group: str,
        name: str | None = None,
        description: str | None = None,
    ) -> SecurityGroup:
        """Change name and description."""
        with self.db.transaction() as tx:
            found = _lock(tx, scope, group)
            values = {"name": found.name, "description": found.description}
            if name is not None:
                values["name"] = security_rules.check_text(name, "name")
            if description is not None:
                values["description"] = security_rules.check_text(
                    description, "description", empty=True
                )
            if found.name != values["name"] and security_groups.DEFAULT in (
                found.name,
                values["name"],
            ):
                raise SecurityGroupInvalid(reason="No group is renamed from or to default.")
            changed = {**values, "updated_at": clock.utcnow()}
            security_groups.update(tx, found.id, changed)
            return _get(tx, Scope(), found.uuid)

    @retried
    def delete(
        self, context: RequestContext, scope: Scope, group: str, default: bool = False
    ) -> None:
        """Delete a group that no server is in, and rules of others that name it."""
        with self.db.transaction() as tx:
            found = _lock(tx, scope, group)
            if found.name == security_groups.DEFAULT and not default:
                raise SecurityGroupInvalid(reason="The group default can not be deleted.")
            if security_groups.in_use(tx, found.id):
                raise SecurityGroupInUse(name=found.name)
            # While the rules that name it are there.
            firewall.note_end(tx, found.id)
            security_groups.delete(tx, found.id)

    # --- Rules

    @retried
    def list_rules(
        self, context: RequestContext, scope: Scope, group: str | None = None
    ) -> tuple[SecurityGroupRule, ...]:
        """Return the rules of a group, or of all in scope."""
        with self.db.reading() as tx:
            if group is not None:
                return _get(tx, scope, group).rules
            return tuple(security_groups.list_rules(tx, scope))

    @retried
    def get_rule(self, context: RequestContext, scope: Scope, rule: str) -> SecurityGroupRule:
        """Return a rule."""
        with self.db.reading() as tx:
            return _get_rule(tx, scope, rule)

    @retried
    def create_rule(
        self, context: RequestContext, scope: Scope, new: NewSecurityGroupRule
    ) -> SecurityGroupRule:
        """Add a rule and let the hosts of the group's servers know."""
        self._ensure_default(scope.project_id, context.user_id)
        with self.db.transaction() as tx:
            (row_uuid,) = self._add_rules(tx, scope, new.parent_group, [new])
            return _get_rule(tx, Scope(), row_uuid)

    @retried
    def create_rules(
        self, context: RequestContext, scope: Scope, new: tuple[NewSecurityGroupRule, ...]
    ) -> None:
        """Add rules, all of them or none."""
        self._ensure_default(scope.project_id, context.user_id)
        with self.db.transaction() as tx:
            for group, rules in _by_group(new).items():
                self._add_rules(tx, scope, group, rules)

    def _add_rules(
        self, tx: Transaction, scope: Scope, group: str, new: Sequence[NewSecurityGroupRule]
    ) -> list[str]:
        """Insert rules of a group and return their uuids."""
        matches = [security_rules.normalize(rule) for rule in new]
        parent, sources = _lock(tx, scope, group), _Sources(tx, scope)
        rules = security_groups.rules_of(tx, [parent.id])
        limit = quotas.limits(tx, parent.project_id, self.settings.quotas)[RULES]
        now = clock.utcnow()
        rows: dict[tuple[security_rules.Match, int | None], dict[str, Any]] = {}
        for rule, match in zip(new, matches, strict=True):
            source_id = sources.number_of(rule)
            there = any(security_rules.same(one, match, source_id) for one in rules)
            if there or (match, source_id) in rows:
                raise SecurityGroupRuleExists(group=parent.name)
            if limit != UNLIMITED and len(rules) + len(rows) >= limit:
                raise QuotaExceeded(resource="security group rules", allowed=limit)
            rows[match, source_id] = {
                "uuid": str(uuid.uuid4()),
                "parent_group_id": parent.id,
                "group_id": source_id,
                "description": rule.description,
                "created_at": now,
                "updated_at": now,
                **dataclasses.asdict(match),
            }
        security_groups.create_rules(tx, list(rows.values()))
        firewall.note_group(tx, parent.id)
        return [row["uuid"] for row in rows.values()]

    @retried
    def delete_rules(
        self, context: RequestContext, scope: Scope, wanted: tuple[NewSecurityGroupRule, ...]
    ) -> None:
        """Remove the rules that let just this through, all of them or none."""
        with self.db.transaction() as tx:
            for group, rules in _by_group(wanted).items():
                _remove_rules(tx, scope, group, rules)

    @retried
    def delete_rule(self, context: RequestContext, scope: Scope, rule: str) -> None:
        """Remove a rule and let the hosts of the group's servers know."""
        with self.db.transaction() as tx:
            found = _get_rule(tx, scope, rule)
            if not security_groups.delete_rule(tx, found.id):
                raise SecurityGroupRuleNotFound(rule_id=rule)
            firewall.note_group(tx, found.parent_group_id)

    # --- What new "default" groups get

    @retried
    def list_default_rules(self, context: RequestContext) -> tuple[DefaultRule, ...]:
        """Return what new "default" groups get."""
        with self.db.reading() as tx:
            return tuple(security_groups.list_default_rules(tx))

    @retried
    def get_default_rule(self, context: RequestContext, rule_id: int) -> DefaultRule:
        """Return one of them."""
        with self.db.reading() as tx:
            found = security_groups.find_default_rule(tx, rule_id)
        if found is None:
            raise SecurityGroupDefaultRuleNotFound(rule_id=rule_id)
        return found

    @retried
    def create_default_rule(
        self, context: RequestContext, protocol: str, from_port: int, to_port: int, cidr: str
    ) -> DefaultRule:
        """Add one."""
        row = security_rules.simple_rule(protocol, from_port, to_port, cidr)
        with self.db.transaction() as tx:
            row_id = security_groups.create_default_rule(tx, row, SecurityGroupDefaultRuleExists())
        return DefaultRule(id=row_id, **row)

    @retried
    def delete_default_rule(self, context: RequestContext, rule_id: int) -> None:
        """Remove one."""
        with self.db.transaction() as tx:
            if not security_groups.delete_default_rule(tx, rule_id):
                raise SecurityGroupDefaultRuleNotFound(rule_id=rule_id)

    # --- What the operator keeps from all servers

    @retried
    def list_provider_rules(self, context: RequestContext) -> tuple[ProviderRule, ...]:
        """Return what the operator keeps from all servers."""
        with self.db.reading() as tx:
            return tuple(security_groups.list_provider_rules(tx))

    @retried
    def create_provider_rule(
        self, context: RequestContext, protocol: str, from_port: int, to_port: int, cidr: str
    ) -> ProviderRule:
        """Add such a rule and let all hosts know."""
        row = security_rules.simple_rule(protocol, from_port, to_port, cidr)
        with self.db.transaction() as tx:
            row_id = security_groups.create_provider_rule(tx, row, ProviderRuleExists())
            firewall.note_all(tx)
        return ProviderRule(id=row_id, **row)

    @retried
    def delete_provider_rule(self, context: RequestContext, rule_id: int) -> None:
        """Remove such a rule and let all hosts know."""
        with self.db.transaction() as tx:
            if not security_groups.delete_provider_rule(tx, rule_id):
                raise ProviderRuleNotFound(rule_id=rule_id)
            firewall.note_all(tx)


def _get(tx: Transaction, scope: Scope, group: str) -> SecurityGroup:
    found = security_groups.find(tx, scope, group)
    if found is None:
        raise SecurityGroupNotFound(name=group)
    return found


def _lock(tx: Transaction, scope: Scope, group: str) -> SecurityGroup:
    """Return a group without its rules, and keep others from changing it."""
    found = security_groups.find_bare(tx, scope, group, lock=True)
    if found is None:
        raise SecurityGroupNotFound(name=group)
    return found


def _by_group(rules: Iterable[NewSecurityGroupRule]) -> dict[str, list[NewSecurityGroupRule]]:
    found: dict[str, list[NewSecurityGroupRule]] = {}
    for rule in rules:
        found.setdefault(rule.parent_group, []).append(rule)
    return found


class _Sources:
    """Groups that rules name as their sources, looked up once each."""

    def __init__(self, tx: Transaction, scope: Scope) -> None:
        self._tx = tx
        self._scope = scope
        self._known: dict[str, int] = {}

    def number_of(self, rule: NewSecurityGroupRule) -> int | None:
        """Return the number of a rule's source group, None for none.

        Raises: SecurityGroupNotFound.
        """
        if rule.group is None:
            return None
        if rule.group not in self._known:
            source = security_groups.find_bare(self._tx, self._scope, rule.group)
            if source is None:
                raise SecurityGroupNotFound(name=rule.group)
            self._known[rule.group] = source.id
        return self._known[rule.group]


def _remove_rules(
    tx: Transaction, scope: Scope, group: str, wanted: Sequence[NewSecurityGroupRule]
) -> None:
    """Remove rules of a group.  Raises: as delete_rules()."""
    matches = [security_rules.normalize(rule) for rule in wanted]
    parent, sources = _lock(tx, scope, group), _Sources(tx, scope)
    left = {rule.id: rule for rule in security_groups.rules_of(tx, [parent.id])}
    ended = []
    for rule, match in zip(wanted, matches, strict=True):
        source_id = sources.number_of(rule)
        found = [one for one in left.values() if security_rules.same(one, match, source_id)]
        if not found:
            raise SecurityGroupRuleNotFound(rule_id=security_rules.words(match))
        ended.append(left.pop(found[0].id).id)
    security_groups.delete_rules(tx, ended)
    firewall.note_group(tx, parent.id)


def _get_rule(tx: Transaction, scope: Scope, rule: str) -> SecurityGroupRule:
    found = security_groups.find_rule(tx, scope, rule)
    if found is None:
        raise SecurityGroupRuleNotFound(rule_id=rule)
    return found
