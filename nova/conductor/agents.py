"""Builds of guest agents."""

import dataclasses

from nova import clock
from nova.conductor.rpcapi.agents import ConductorAgents
from nova.context import RequestContext
from nova.db import agent_builds
from nova.db.duplicates import refused_as
from nova.db.engine import Database, retried
from nova.exception import AgentBuildExists, AgentBuildNotFound
from nova.objects.agent import AgentBuild, AgentChange


class AgentsEndpoint(ConductorAgents):
    """Serves the agent builds of the database."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def list_builds(
        self, context: RequestContext, hypervisor: str | None = None
    ) -> tuple[AgentBuild, ...]:
        """Return builds in order of their ids."""
        with self.db.reading() as tx:
            return tuple(agent_builds.list_all(tx, hypervisor))

    @retried
    def create(self, context: RequestContext, build: AgentBuild) -> AgentBuild:
        """Store a build."""
        error = AgentBuildExists(
            hypervisor=build.hypervisor, os=build.os, architecture=build.architecture
        )
        with self.db.transaction() as tx, refused_as(error):
            build_id = agent_builds.create(tx, build, clock.utcnow())
        return dataclasses.replace(build, id=build_id)

    @retried
    def update(self, context: RequestContext, build_id: int, change: AgentChange) -> None:
        """Change a build."""
        with self.db.transaction() as tx:
            if not agent_builds.update(tx, build_id, dataclasses.asdict(change), clock.utcnow()):
                raise AgentBuildNotFound(build_id=build_id)

    @retried
    def delete(self, context: RequestContext, build_id: int) -> None:
        """Forget a build."""
        with self.db.transaction() as tx:
            if not agent_builds.delete(tx, build_id):
                raise AgentBuildNotFound(build_id=build_id)
