"""What the EC2 API remembers of requests."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The answer to a signed request, kept to be given again."""

    status: int
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BegunRequest:
    """Whether a signature is seen for the first time; if not, the answer that it had, if any."""

    is_new: bool
    answer: KeptAnswer | None = None
