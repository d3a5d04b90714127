"""Errors of the Event Socket layer: who broke the rules, and whether the call is still there."""


class EslError(Exception):
    """Base of every error this layer raises on purpose."""


class RemoteProtocolError(EslError):
    """The peer sent what FreeSWITCH never sends; the connection cannot be trusted any more."""


class LocalProtocolError(EslError):
    """We tried to send something the protocol cannot carry, or used an object out of turn."""


class CallGone(EslError):
    """The call, or the connection that controls it, ended while something was waiting for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CommandTimeout(EslError):
    """FreeSWITCH did not answer in the time given; the connection itself is still in step."""

    def __init__(self, what: str, timeout_s: float) -> None:
        super().__init__(f"{what}: nothing within {timeout_s:g} s")
        self.what = what
        self.timeout_s = timeout_s


class CommandFailed(EslError):
    """FreeSWITCH refused a command; `text` is its own answer, such as ``-ERR No such channel!``."""

    def __init__(self, command: str, text: str) -> None:
        super().__init__(f"{command}: {text}")
        self.command = command
        self.text = text
