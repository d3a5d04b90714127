"""Settings of e-mail."""

from __future__ import annotations

from typing import Annotated, Literal

from esl_controller.settings.group import Group
from esl_controller.settings.types import HOST_OR_EMPTY, Port, Secret, doc


class Mail(Group, frozen=True):
    """The mail server that takes e-mails of calls and messages."""

    host: Annotated[str, doc("SMTP server. Empty: no e-mail is sent.", pattern=HOST_OR_EMPTY)] = ""
    port: Annotated[Port, doc("Its port: 587 for submission, 465 with `tls`.")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        doc(
            "How the connection is kept private; the server's certificate is verified. `none` "
            "sends no password."
        ),
    ] = "starttls"
    username: Annotated[str, doc("User name. Empty: the server asks for none.")] = ""
    password: Annotated[Secret, doc("Its password; better `file:/path`.")] = Secret()
    sender: Annotated[
        str,
        doc(
            "Address e-mails come from.",
            pattern=r"^([A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253})?\Z",
        ),
    ] = ""
    ca_file: Annotated[str, doc("CA certificates to trust instead of the system's (PEM file).")] = (
        ""
    )
    timeout_s: Annotated[float, doc("Longest wait for one answer.", ge=0.1, le=120)] = 10.0
