"""Builds of guest agents, as administrators announce them."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgentBuild:
    """Where the agent for one kind of guest is found; id 0 before it is stored."""

    hypervisor: str
    os: str
    architecture: str
    version: str
    url: str
    md5hash: str
    id: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgentChange:
    """What changes when a new agent comes out."""

    version: str
    url: str
    md5hash: str
