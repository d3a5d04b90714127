"""Settings of what the service has on its own host: files, voices, logs."""

from __future__ import annotations

from typing import Annotated, Literal

from esl_controller.settings.group import Group
from esl_controller.settings.types import PATH_OR_EMPTY, doc


class Storage(Group, frozen=True):
    """Files of the service."""

    state_dir: Annotated[
        str,
        doc(
            "Directory of everything below. Empty: /var/lib/voice-ai for root, "
            "else ~/.local/state/voice-ai."
        ),
    ] = ""
    spool_dir: Annotated[
        str, doc("Conversations not yet in the database. Empty: `<state_dir>/spool`.")
    ] = ""
    secret_key_file: Annotated[
        str, doc("Key that opens sealed provider keys. Empty: `<state_dir>/secret.key`.")
    ] = ""
    key_dir: Annotated[
        str,
        doc(
            "Directory of the key files a provider row may name as `file:/path`. Files in its "
            "subdirectory `<domain_uuid>` are for that domain alone. Empty: `<state_dir>/keys`."
        ),
    ] = ""
    database_dir: Annotated[
        str, doc("Data of the packaged PostgreSQL. Empty: `<state_dir>/postgresql`.")
    ] = ""
    price_file: Annotated[
        str,
        doc(
            "Your own prices (JSON, see operations), over the built-in ones; read at start. "
            "Empty: the built-in ones alone."
        ),
    ] = ""


class Speech(Group, frozen=True):
    """The speech process, which makes voices on this host and hears; only the pipeline needs it. A
    worker starts it where nobody has."""

    socket: Annotated[
        str, doc("Where it listens, and workers find it. Empty: `<state_dir>/speech/socket`.")
    ] = ""
    voices_dir: Annotated[
        str, doc("Directory of Piper's voices (`*.onnx`). Empty: `<state_dir>/voices`.")
    ] = ""
    models_dir: Annotated[
        str,
        doc("Directory of Whisper's models, each a directory. Empty: `<state_dir>/models`."),
    ] = ""
    turn_model: Annotated[
        str,
        doc(
            "ONNX model that hears whether a caller has finished (docs/turns.md), for secretaries "
            "with `turn_detector = own` and `vad_mode = semantic`. Empty: silence ends their turns."
        ),
    ] = ""
    workers: Annotated[
        int, doc("Sentences it makes at a time. 0: one for each core.", ge=0, le=256)
    ] = 0


class Log(Group, frozen=True):
    """What is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], doc("Least level.")] = "info"
    format: Annotated[
        Literal["auto", "json", "console"], doc("`auto`: console on a terminal, else JSON.")
    ] = "auto"
    directory: Annotated[
        str,
        doc(
            "Directory in which each worker keeps a file, `worker-0.log`, instead of standard "
            "error; logrotate may move it away (deploy/logrotate). Empty: standard error.",
            pattern=PATH_OR_EMPTY,
        ),
    ] = ""
    redact_phone_numbers: Annotated[
        bool, doc("Hide all but the last two digits of telephone numbers.")
    ] = False
