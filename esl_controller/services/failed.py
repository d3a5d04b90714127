"""What went wrong with a tenant's own system. Pure."""

from __future__ import annotations


class ServiceFailed(Exception):
    """A tenant's system did not do it.

    `reason` is refused (by us, nothing was sent), timeout, unreachable, status, too_large or
    malformed. `words` are for the operator; they hold nothing that was sent.
    """

    def __init__(self, reason: str, words: str, *, status: int = 0, sent: bool = True) -> None:
        """`sent`: something may have been, or it is not known."""
        super().__init__(words)
        self._sent = sent
        self.reason = reason
        self.words = words
        self.status = status
        """Of the answer, where the reason is `status`."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether the other side may have acted all the same."""
        return self._sent and self.reason != "refused"
