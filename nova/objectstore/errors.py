"""What the object store refuses, in the words of S3; nova.objectstore.faults knows the status."""

from nova import exception


class Refusal(exception.Invalid):
    """A request that is refused; code: one of S3's."""

    message = "{reason}"

    @property
    def code(self) -> str:
        """The code of the answer."""
        return str(self.kwargs["code"])


def refuse(code: str, reason: str) -> Refusal:
    """Return the refusal to raise."""
    return Refusal(code=code, reason=reason)
