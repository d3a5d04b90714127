"""`originate`: a real call, made by FreeSWITCH, to somebody who then talks to the AI."""

from __future__ import annotations

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.simulated import domain_of
from esl_controller.esl import dialstring
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.esl.errors import CommandFailed, EslError, LocalProtocolError
from esl_controller.esl.inbound import InboundClient
from esl_controller.settings.table import Freeswitch


@click.command()
@click.argument("endpoint")
@click.argument("extension")
@click.option("--context", help="Dialplan context.  [default: the domain of a user/… endpoint]")
@click.option(
    "--domain", help="Name or UUID of the tenant's domain, where the context does not set it."
)
@click.option("--caller-id", default="", help="Number to show to who is called.")
@click.option(
    "--timeout",
    "timeout_s",
    default=60.0,
    show_default=True,
    type=click.FloatRange(1, 600),
    help="Seconds to ring.",
)
@with_shell
def command(
    shell: Shell,
    endpoint: str,
    extension: str,
    context: str | None,
    domain: str | None,
    caller_id: str,
    timeout_s: float,
) -> None:
    """Let FreeSWITCH call ENDPOINT, and send it to EXTENSION once it answers.

    ENDPOINT is FreeSWITCH's: user/1001@pbx.example.com, sofia/gateway/NAME/NUMBER,
    loopback/EXTENSION/CONTEXT. EXTENSION is the number the secretary answers.
    """
    settings = shell.settings()
    at = settings.freeswitch
    domain_uuid = domain_of(shell, settings, domain) if domain is not None else ""
    dial, target = _dial(shell, endpoint, extension, context, domain_uuid, caller_id, timeout_s)
    client = InboundClient((at.host, at.port), at.password.reveal(), timeout_s=at.timeout_s)
    try:
        with shell.step(f"Calling {endpoint}"):
            _log_in(shell, client, at)
            try:
                call_uuid = client.originate(dial, target, timeout_s + at.timeout_s)
            except CommandFailed as error:
                cause = error.text.removeprefix("-ERR").strip()
                raise shell.fail(f"{endpoint} was not reached: {cause}") from error
    except EslError as error:
        raise shell.fail(str(error)) from error
    finally:
        client.close()
    shell.result({"call_uuid": call_uuid}, f"Answered; the call is {call_uuid}.")


def _log_in(shell: Shell, client: InboundClient, at: Freeswitch) -> None:
    try:
        client.connect(at.timeout_s)
    except EslError as error:
        raise shell.fail(
            f"FreeSWITCH's event socket at {at.host}:{at.port} (VOICE_AI_FREESWITCH_HOST, _PORT, "
            f"_PASSWORD): {error}"
        ) from error


def _dial(
    shell: Shell,
    endpoint: str,
    extension: str,
    context: str | None,
    domain_uuid: str,
    caller_id: str,
    timeout_s: float,
) -> tuple[DialString, str]:
    domain = endpoint.rpartition("@")[2] if endpoint.startswith("user/") else "default"
    variables = {
        "originate_timeout": f"{timeout_s:.0f}",
        "origination_caller_id_number": caller_id,
        "domain_uuid": domain_uuid,
    }
    try:
        dial = DialString([Leg(endpoint)], variables)
        return dial, dialstring.extension(extension, context or domain)
    except LocalProtocolError as error:
        raise shell.fail(str(error)) from error
