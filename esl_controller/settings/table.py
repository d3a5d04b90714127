"""Every setting of the service: one table, made of frozen structs.

A setting is declared once, with its type, limits, default and meaning. From here come the
variable name (`VOICE_AI_<GROUP>_<NAME>`), the key in the TOML file (`[group] name`), the checks of
`esl_controller.settings.loader` and docs/settings.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from bridge.providers.registry import DEFAULT_KIND, DESCRIPTORS, KINDS
from esl_controller.settings.embedding import Embedding
from esl_controller.settings.group import Group as _Group
from esl_controller.settings.host import Log, Speech, Storage
from esl_controller.settings.mail import Mail
from esl_controller.settings.services import Services
from esl_controller.settings.transfer import Transfer
from esl_controller.settings.types import (
    HOST,
    HOST_OR_EMPTY,
    PATH_OR_EMPTY,
    WORD,
    Port,
    Secret,
    doc,
    each,
    header,
    host_entry,
    long_enough,
    multiple_of_20,
    network,
    one_of,
    variable,
    websocket_url,
    worker_url,
)

PREFIX = "VOICE_AI_"
"""What every variable's name begins with."""


class Esl(_Group, frozen=True):
    """Where FreeSWITCH's `socket` application connects."""

    listen_host: Annotated[str, doc("Address to listen on.", pattern=HOST)] = "127.0.0.1"
    port: Annotated[Port, doc("Port, shared by all workers with SO_REUSEPORT.")] = 8084
    door_port: Annotated[
        int,
        doc(
            "Port of worker 0's own door, where the legs of people it has dialled come, and "
            "callers who return from them; worker n listens on this plus n. 0: any free port.",
            ge=0,
            le=65535,
        ),
    ] = 0
    door_host: Annotated[
        str,
        doc(
            "Host of that door as FreeSWITCH reaches it. Empty: the address FreeSWITCH has "
            "connected to.",
            pattern=HOST_OR_EMPTY,
        ),
    ] = ""
    allow: Annotated[
        tuple[str, ...],
        doc("Networks that may connect; anyone else is closed at once.", check=each(network)),
    ] = ("127.0.0.0/8", "::1/128")
    capacity: Annotated[
        int,
        doc("Calls one worker takes; the next is handed back to the dialplan.", ge=1, le=2000),
    ] = 100
    total_capacity: Annotated[
        int,
        doc(
            "Calls all workers on all hosts take together, counted in the database. "
            "0: no limit but each worker's own.",
            ge=0,
            le=1_000_000,
        ),
    ] = 0
    leave_port_to: Annotated[
        Literal["host", "installation"],
        doc(
            "To whom a full worker leaves new calls, by closing its port: workers of its host at "
            "the same address, or any that has room. `installation` where HAProxy, or several "
            "addresses of `socket`, try the other hosts then."
        ),
    ] = "host"
    connect_timeout_s: Annotated[
        float,
        doc("Longest wait for FreeSWITCH's answer to `connect`.", ge=0.1, le=25),
    ] = 5.0


class Media(_Group, frozen=True):
    """How audio travels between FreeSWITCH and a worker."""

    listen_host: Annotated[str, doc("Address of the media and HTTP listener.", pattern=HOST)] = (
        "127.0.0.1"
    )
    port: Annotated[
        Port,
        doc(
            "Port of worker 0; worker n listens on this plus n. "
            "Not 8080: FusionPBX's own WebSocket server has it."
        ),
    ] = 8085
    public_host: Annotated[
        str,
        doc(
            "Host put into the stream address given to FreeSWITCH. Empty: `listen_host`.",
            pattern=HOST_OR_EMPTY,
        ),
    ] = ""
    public_url: Annotated[
        str,
        doc(
            "Address FreeSWITCH opens its streams at, where nginx stands before the workers "
            "(docs/security.md): `wss://voice.example.com:8443/worker/{index}`; `{index}` becomes "
            "the worker's number. Empty: `ws://<public_host>:<port>`, in clear.",
            check=worker_url,
        ),
    ] = ""
    tls_ca_file: Annotated[
        str,
        doc(
            "CA certificates by which FreeSWITCH judges that address, a file on its host "
            "(STREAM_TLS_CA_FILE). Empty: those of its system.",
            pattern=PATH_OR_EMPTY,
        ),
    ] = ""
    input: Annotated[
        Literal["mod_audio_stream", "unicast"],
        doc("How the caller's audio comes: the module, or FreeSWITCH's own `unicast`."),
    ] = "mod_audio_stream"
    playback: Annotated[
        Literal["auto", "unicast", "binary", "json", "file"],
        doc("How the answer reaches the caller. `auto`: as the module plays best."),
    ] = "auto"
    flavour: Annotated[
        Literal[
            "auto",
            "open",
            "1.0.3",
            "1.1.0",
            "voxcom-us",
            "cloudfieldcz",
            "julianotarga",
            "alchemilla",
            "earshot",
        ],
        doc("Edition of mod_audio_stream; `auto` asks FreeSWITCH as `doctor` does."),
    ] = "auto"
    buffer_ms: Annotated[
        int,
        doc(
            "STREAM_BUFFER_SIZE: milliseconds in one message from FreeSWITCH, a multiple of 20.",
            check=multiple_of_20,
            ge=20,
            le=200,
        ),
    ] = 20
    stream_rate_hz: Annotated[
        Literal[0, 8000, 16000, 24000],
        doc(
            "Rate asked of mod_audio_stream. 0: the provider's own where it differs from the "
            "call's, so that FreeSWITCH resamples and the worker need not. A call of other "
            "packets than 20 ms is always asked for at its own: the module would drop the rest."
        ),
    ] = 0
    compiled: Annotated[
        bool, doc("Use the compiled core where it is installed; `false`: Python alone.")
    ] = True
    unicast_host: Annotated[
        str,
        doc(
            "FreeSWITCH's address for unicast datagrams, as a worker reaches it. Empty: the "
            "address its Event Socket connection comes from, so several FreeSWITCH hosts may "
            "share the workers.",
            pattern=HOST_OR_EMPTY,
        ),
    ] = ""
    unicast_port_first: Annotated[
        int, doc("First UDP port of the unicast range.", ge=1024, le=65535)
    ] = 61000
    unicast_port_last: Annotated[
        int,
        doc(
            "Last UDP port of the unicast range; a call takes one, workers share them out.",
            ge=1024,
            le=65535,
        ),
    ] = 62999


class Freeswitch(_Group, frozen=True):
    """FreeSWITCH's inbound Event Socket: originate, queries, second legs."""

    host: Annotated[str, doc("Host of mod_event_socket.", pattern=HOST)] = "127.0.0.1"
    port: Annotated[Port, doc("Port of mod_event_socket.")] = 8021
    password: Annotated[Secret, doc("Password of mod_event_socket.")] = Secret("ClueCon")
    timeout_s: Annotated[float, doc("Longest wait for a reply.", ge=0.1, le=60)] = 5.0
    recordings_dir: Annotated[
        str,
        doc("Where it keeps recordings; workers know it by that name.", pattern=r"^/[^\s\x00]*\Z"),
    ] = "/var/lib/freeswitch/recordings"


class Database(_Group, frozen=True):
    """FusionPBX's PostgreSQL."""

    dsn: Annotated[
        Secret,
        doc(
            "libpq connection string or `postgresql://` address. Needed by every command but "
            "`demo` and `serve --embedded-db`, which start the packaged PostgreSQL."
        ),
    ] = Secret()
    pool_size: Annotated[int, doc("Connections one worker may hold.", ge=1, le=50)] = 4
    connect_timeout_s: Annotated[float, doc("Longest wait to connect.", ge=0.1, le=60)] = 5.0
    statement_timeout_s: Annotated[
        float, doc("Longest time a statement may run.", ge=0.1, le=300)
    ] = 5.0


class Provider(_Group, frozen=True):
    """The voice used by tenants that chose nothing of their own."""

    name: Annotated[str, doc(f"Kind of provider: {', '.join(KINDS)}.", check=one_of(*KINDS))] = (
        DEFAULT_KIND
    )
    base_url: Annotated[
        str, doc("WebSocket address; gateways and look-alikes work too.", check=websocket_url)
    ] = "wss://api.openai.com/v1/realtime"
    model: Annotated[str, doc("Model to ask for.", pattern=WORD)] = "gpt-realtime-2.1"
    voice: Annotated[str, doc("Voice to ask for.", pattern=WORD)] = "marin"
    api_key: Annotated[
        Secret,
        doc(
            "API key; a pipeline's as `stt=…,chat=…`. Empty: at the vendor's own address what its "
            "own tools read, such as OPENAI_API_KEY, ELEVENLABS_API_KEY, GEMINI_API_KEY or "
            "GOOGLE_API_KEY, DEEPGRAM_API_KEY and GROQ_API_KEY; nowhere else."
        ),
    ] = Secret()
    key_variables: Annotated[
        tuple[str, ...],
        doc(
            "Environment variables a provider row of any domain may name as `env:NAME`.",
            check=each(variable),
        ),
    ] = tuple(
        name
        for one in DESCRIPTORS.values()
        for names in one.key_variables.values()
        for name in names
    )
    allowed_hosts: Annotated[
        tuple[str, ...],
        doc(
            "Where provider rows of tenants may be, besides the providers' own addresses and "
            "`base_url`: hosts, `*.example.com`, addresses, networks; `:port` limits to a port. "
            "`*` is every public host; what is not public must be named.",
            check=each(host_entry),
        ),
    ] = ("*",)
    headers: Annotated[
        tuple[Secret, ...],
        doc("Further headers of the handshake, `Name: value`.", check=each(header)),
    ] = ()
    breaker_failures: Annotated[
        int,
        doc(
            "So many failures in a row, in all calls of a worker, and a tenant's provider is "
            "passed over for a while. 0: never.",
            ge=0,
            le=1000,
        ),
    ] = 5
    breaker_window_s: Annotated[
        float, doc("The failures must lie within this time.", ge=1, le=3600)
    ] = 60.0
    breaker_open_s: Annotated[
        float,
        doc("It is passed over for so long; then one call tries it.", ge=1, le=3600),
    ] = 30.0
    ca_file: Annotated[str, doc("CA certificates to trust instead of the system's (PEM file).")] = (
        ""
    )


class Timeouts(_Group, frozen=True):
    """How long a call waits."""

    answer_ceiling_s: Annotated[
        float, doc("A ringing call is answered by then, ready or not.", ge=0, le=20)
    ] = 2.0
    provider_connect_s: Annotated[
        float, doc("Longest wait for a provider to be ready.", ge=0.1, le=60)
    ] = 5.0
    stream_start_s: Annotated[
        float, doc("Longest wait for FreeSWITCH's stream.", ge=0.1, le=30)
    ] = 3.0
    tool_s: Annotated[float, doc("Longest run of a function of the AI.", ge=0.1, le=120)] = 10.0
    max_call_s: Annotated[
        float, doc("Longest call, whatever the secretary allows.", ge=10, le=86400)
    ] = 3600.0


class Worker(_Group, frozen=True):
    """One process of the service; supervisord starts `count` of them."""

    index: Annotated[int, doc("Number of this worker, from 0.", ge=0, le=255)] = 0
    count: Annotated[int, doc("Workers on this host.", ge=1, le=256)] = 1
    drain_deadline_s: Annotated[
        float, doc("After SIGTERM running calls may go on this long.", ge=0, le=7200)
    ] = 300.0


class Http(_Group, frozen=True):
    """The HTTP pages on a worker's media port."""

    admin_token: Annotated[
        Secret,
        doc("Bearer token of /admin/… and /api/…. Empty: both are closed.", check=long_enough),
    ] = Secret()
    admin_allow: Annotated[
        tuple[str, ...], doc("Networks that may ask for /admin/… and /api/….", check=each(network))
    ] = ("127.0.0.0/8", "::1/128")


class Statsd(_Group, frozen=True):
    """Where the metrics of docs/metrics.md are sent, besides /metrics."""

    host: Annotated[str, doc("StatsD host. Empty: nothing is sent.", pattern=HOST_OR_EMPTY)] = ""
    port: Annotated[int, doc("StatsD port (UDP).", ge=1, le=65535)] = 8125
    prefix: Annotated[str, doc("Put before every name.", pattern=r"^[0-9A-Za-z_.\-]*\Z")] = (
        "voice_ai"
    )


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration, validated. Made by `settings_loader.load_settings`."""

    esl: Esl = Esl()
    media: Media = Media()
    freeswitch: Freeswitch = Freeswitch()
    database: Database = Database()
    provider: Provider = Provider()
    timeouts: Timeouts = Timeouts()
    worker: Worker = Worker()
    http: Http = Http()
    statsd: Statsd = Statsd()
    storage: Storage = Storage()
    speech: Speech = Speech()
    transfer: Transfer = Transfer()
    mail: Mail = Mail()
    services: Services = Services()
    embedding: Embedding = Embedding()
    log: Log = Log()


class Setting(NamedTuple):
    """One row of the table."""

    group: str
    name: str
    kind: Any
    """Its annotated type."""
    default: Any

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"{PREFIX}{self.group}_{self.name}".upper()

    @property
    def is_secret(self) -> bool:
        """Its value must not be shown."""
        return "Secret" in str(self.kind.__origin__)

    @property
    def meta(self) -> msgspec.Meta:
        """What it means, and its check."""
        meta: msgspec.Meta = self.kind.__metadata__[-1]
        return meta


def every_setting() -> Iterator[Setting]:
    """Rows of the table in order."""
    for group in msgspec.structs.fields(Settings):
        for row in msgspec.structs.fields(group.type):
            yield Setting(group.name, row.name, row.type, row.default)
