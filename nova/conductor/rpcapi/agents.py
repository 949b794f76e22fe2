"""Conductor interface: builds of guest agents, as administrators announce them."""

from nova.context import RequestContext
from nova.objects.agent import AgentBuild, AgentChange
from nova.rpc.interface import Interface, call


class ConductorAgents(Interface):
    """Builds of guest agents, as administrators announce them."""

    topic = "conductor"
    namespace = "agents"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_builds(
        self, context: RequestContext, hypervisor: str | None = None
    ) -> tuple[AgentBuild, ...]:
        """Return builds in order of their ids, of one kind of hypervisor if one is named."""

    @call(since="1.0")
    def create(self, context: RequestContext, build: AgentBuild) -> AgentBuild:
        """Store a build.  Raises: AgentBuildExists."""

    @call(since="1.0")
    def update(self, context: RequestContext, build_id: int, change: AgentChange) -> None:
        """Change a build.  Raises: AgentBuildNotFound."""

    @call(since="1.0")
    def delete(self, context: RequestContext, build_id: int) -> None:
        """Forget a build.  Raises: AgentBuildNotFound."""
