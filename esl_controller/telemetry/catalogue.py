"""Every metric of the service, once: name, kind, meaning, labels, buckets.

Labels take few, known values, told here: counters of them start at 0, so that a rate sees the first
event too. Nothing of a caller is ever a label, and of a tenant the UUID of its domain alone, in
`BUDGET_USED`: others have no limit, and metrics have readers who must not see them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bridge.providers.registry import KINDS


class Kind(enum.Enum):
    """How values of a metric combine."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric. Each exists once and is its own key: hashing its fields would cost more."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()
    """The values of each label, in the order of `labels`."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in the unit of the name (seconds)."""

    @property
    def statsd_name(self) -> str:
        """Its name there: StatsD adds type and unit by itself, durations being milliseconds."""
        name = self.name.removeprefix(_PREFIX)
        if self.kind is Kind.COUNTER:
            return name.removesuffix("_total")
        return name.removesuffix("_seconds") if self.kind is Kind.HISTOGRAM else name


_PREFIX = "voice_ai_realtime_"
_LATENCY_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3, 1.6, 2.0, 3.0, 5.0, 10.0)
_FAST_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)
_LENGTH_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


_OUTCOMES = ("completed", "transferred", "abandoned", "timeout", "failed", "fallback")
_REFUSALS = (
    *("turn_based", "not_ours", "invalid", "overflow", "closed", "budget"),
    *("unavailable", "failed", "transfer_failed"),
)
_ERROR_KINDS = (
    *("authentication", "quota", "rate_limit", "invalid_request"),
    *("session_expired", "server", "connection", "protocol", "ours"),
)
_RESULTS = ("completed", "failed", "timeout", "refused")
_TRANSFERS = (
    "completed",
    "returned",
    "passed_on",
    "no_answer",
    "busy",
    "declined",
    "unreachable",
    "no_verdict",
    "human_left",
    "failed",
    "cancelled",
)
_CODES = (*(f"REALTIME_{number:03}" for number in range(1, 11)), "INTERNAL")


def _counter(name: str, text: str, **labels: tuple[str, ...]) -> Metric:
    name = f"{_PREFIX}{name}_total"
    return Metric(name, Kind.COUNTER, text, tuple(labels), tuple(labels.values()))


def _gauge(name: str, text: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(f"{_PREFIX}{name}", Kind.GAUGE, text, tuple(labels), tuple(labels.values()))


def _histogram(
    name: str, text: str, buckets: tuple[float, ...], **labels: tuple[str, ...]
) -> Metric:
    values = tuple(labels.values())
    return Metric(f"{_PREFIX}{name}_seconds", Kind.HISTOGRAM, text, tuple(labels), values, buckets)


# Calls
CALLS = _counter("calls", "Calls taken, by how they ended.", provider=KINDS, outcome=_OUTCOMES)
CALLS_REFUSED = _counter(
    "calls_refused", "Calls handed back to the dialplan, by reason.", reason=_REFUSALS
)
CALLS_BROKEN = _counter("calls_broken", "Calls that a fault of the worker's own ended.")
ACTIVE_SESSIONS = _gauge("active_sessions", "Conversations going on in this worker.")
CAPACITY = _gauge("capacity", "Calls this worker takes at most.")
DRAINING = _gauge("draining", "1 while the worker takes no new calls, because it is to end.")
LISTENING = _gauge(
    "listening", "1 while the Event Socket port is open; a full worker leaves it to others."
)
PORT_PAUSES = _counter("port_pauses", "Times a full worker left the Event Socket port to others.")
CALL_DURATION = _histogram("call_duration", "Length of calls, answer to end.", _LENGTH_S)
ANSWER_TO_GREETING = _histogram(
    "answer_to_greeting",
    "Answer to the greeting's first audio frame sent.",
    _LATENCY_S,
    provider=KINDS,
)
DEAD_AIR = _histogram(
    "dead_air",
    "The longest silence of each conversation in which something was due to the caller.",
    (0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0),
)
COVERS = _counter("covers", "Times an answer was so late that words of ours covered the silence.")
ORPHANED_SESSIONS = _gauge(
    "orphaned_sessions", "Conversations of this worker whose call it no longer has."
)
TURNS = _counter("turns", "Answers of the AI that reached the caller.", provider=KINDS)
INTERRUPTIONS = _counter("interruptions", "Answers cut off by the caller.", provider=KINDS)
RESUMPTIONS = _counter(
    "resumptions",
    "Answers gone on with after a sound that was no interruption: noise, back_channel, echo.",
    provider=KINDS,
    why=("noise", "back_channel", "echo"),
)
TRANSFERS = _counter("transfers", "Calls passed on to a person, by result.", result=_TRANSFERS)
LEGS_REFUSED = _counter("legs_refused", "Legs at a worker's own door that nobody expected.")
CALLERS_AWAY = _gauge("callers_away", "Callers who talk with a human and are to come back.")
DTMF = _counter("dtmf", "Keys pressed by callers.")

# Latency of a turn and its parts
RESPONSE_LATENCY = _histogram(
    "response_latency",
    "Caller stopped speaking to the first frame of the answer sent.",
    _LATENCY_S,
    provider=KINDS,
)
LATENCY_PART = _histogram(
    "latency_part",
    "Where the response latency went: network, model, buffer, playout.",
    (0.005, 0.01, 0.02, 0.05, *_LATENCY_S),
    part=("network", "model", "buffer", "playout"),
)
BARGE_IN = _histogram("barge_in", "Speech detected to last audio frame sent.", _FAST_S)
RESUMED_AFTER = _histogram(
    "resumed_after", "Silence before an answer that was not interrupted went on.", _LATENCY_S
)
ECHO_DELAY = _histogram(
    "echo_delay",
    "How late our own voice came back from a caller's line, for each call in which it did.",
    (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6),
)
ECHOES = _counter(
    "echoes",
    "Calls in which our own voice came back, by its level: loud (over -15 dB), faint (under -25).",
    level=("loud", "middling", "faint"),
)

# Media: counted on the objects that move it and sampled once a second
AUDIO_CHUNKS = _counter(
    "audio_chunks",
    "Audio messages: caller_in from FreeSWITCH, provider_in from the provider, caller_out sent.",
    direction=("caller_in", "provider_in", "caller_out"),
)
LATE_FRAMES = _counter("late_frames", "Frames sent more than 40 ms after their time.")
UNDERRUNS = _counter("underruns", "Gaps the caller heard inside an answer.")
DROPPED_BYTES = _counter(
    "dropped_audio_bytes",
    "Audio thrown away at a limit: before_provider, before_line, answer.",
    place=("before_provider", "before_line", "answer"),
)
RING_DEPTH = _gauge("ring_depth_seconds", "Longest answer waiting to be played now.")

# Failures
ERRORS = _counter(
    "errors", "Failures by code, REALTIME_001 to REALTIME_010, and INTERNAL.", code=_CODES
)
PROVIDER_READY = _counter(
    "provider_ready", "Times a provider took a session's settings.", provider=KINDS
)
PROVIDER_FAILURES = _counter(
    "provider_failures",
    "Failures told by providers.",
    provider=KINDS,
    kind=_ERROR_KINDS,
)
CIRCUITS_OPEN = _gauge(
    "circuits_open",
    "Providers of tenants that are passed over, or tried by one call: they failed too often.",
    provider=KINDS,
)
CIRCUITS_OPENED = _counter(
    "circuits_opened",
    "Times a tenant's provider had failed too often and was passed over from then on.",
    provider=KINDS,
)
PASSED_OVER = _counter(
    "providers_passed_over",
    "Times a call did not try a provider that had failed too often.",
    provider=KINDS,
)
FALLBACKS = _counter(
    "fallbacks", "Times a call went on elsewhere, by target.", target=("extension",)
)
STREAM_RESTARTS = _counter("stream_restarts", "Lost caller streams started again.")
UNICAST_LOST = _counter("unicast_lost", "Calls in which `unicast` did not start or ended early.")
CODEC_CHANGES = _counter("codec_changes", "Changes of codec or packet time during a call.")
CALLER_STALLS = _counter(
    "caller_stalls",
    "Quarter-seconds in which FreeSWITCH read nothing of a caller while we played.",
)
PROTOCOL_ERRORS = _counter(
    "protocol_errors", "Messages that broke the protocol.", peer=("freeswitch", "http")
)
ACCEPTED = _counter(
    "accepted_connections",
    "Connections taken, by listener; `stream`: audio of a call.",
    listener=("media", "stream", "esl"),
)
REJECTED = _counter(
    "rejected_connections",
    "Connections refused, by listener and why.",
    listener=("media", "esl"),
    reason=("refused", "evicted", "overloaded", "address", "silent", "no_connect"),
)

# Event Socket, tools
ESL_COMMANDS = _counter("esl_commands", "Commands sent to FreeSWITCH.")
ESL_MESSAGES = _counter("esl_messages", "Replies and events received from FreeSWITCH.")
FUNCTION_CALLS = _counter("function_calls", "Functions run for the AI, by result.", result=_RESULTS)
FUNCTION_LATENCY = _histogram("function_run", "Time functions of the AI took.", _LATENCY_S)

# Use
TOKENS = _counter(
    "tokens",
    "Tokens counted by providers.",
    provider=KINDS,
    direction=("input", "output"),
    modality=("text", "audio"),
)
USAGE_UNPRICED = _counter(
    "usage_unpriced",
    "Usage of models without a price: no budget knows of it.",
    provider=KINDS,
)
COST = _counter("cost_usd", "US dollars that usage cost, by the prices in use.", provider=KINDS)
BUDGET_USED = _gauge(
    "budget_used_ratio",
    "Spent share of a budget, 1 being all, of domains that called in the last ten minutes.",
    domain=(),
    period=("day", "month"),
)
BUDGETS_REACHED = _counter(
    "budgets_reached",
    "Budgets of tenants seen by this worker to reach their warning, or to be used up.",
    level=("warning", "exhausted"),
)

# The speech process of this host
SPEECH_UP = _gauge("speech_up", "1 while the host's speech process answers this worker.")
SPEECH_CPU = _gauge(
    "speech_cpu_cores",
    "Cores the host's speech process keeps busy, with what it runs; the same at every worker.",
)
SPEECH_WAITING = _gauge(
    "speech_waiting",
    "Sentences and pieces of audio that wait there, of all workers; the same at every worker.",
)
SPEECH_STARTS = _counter("speech_starts", "Times this worker started the speech process.")
SPEECH_LOST = _counter("speech_lost", "Times the speech process went away under this worker.")
SPEECH_SENTENCES = _counter(
    "speech_sentences",
    "Sentences this worker had spoken: begun, cancelled, failed.",
    result=("begun", "cancelled", "failed"),
)
SPEECH_TURNS = _counter("speech_turns", "Turns of callers it understood for this worker.")
SPEECH_REFUSED = _counter(
    "speech_refused", "Times it had no such voice or recogniser for this worker."
)
SPEECH_DROPPED = _counter(
    "speech_dropped_audio_seconds", "Audio of callers it could not keep up with and threw away."
)
SPEECH_FIRST_SOUND = _histogram(
    "speech_first_sound", "A sentence's request to its first sound, queue included.", _LATENCY_S
)
SPEECH_RECOGNITION = _histogram(
    "speech_recognition", "The last audio of a turn to its words, queue included.", _LATENCY_S
)

# Process
HUB_LAG = _histogram("hub_lag", "Lateness of a timer: how long the hub was blocked.", _FAST_S)
JOURNAL = _counter(
    "journal_records",
    "Conversation records: durable on disk, stored in the database, rejected, dropped.",
    result=("durable", "stored", "rejected", "dropped"),
)
JOURNAL_FAILURES = _counter(
    "journal_failures", "Failed writes of the journal.", target=("spool", "database")
)
SPOOL_BYTES = _gauge("spool_bytes", "Journal not yet in the database.")
_ERRANDS = ("ticket", "message", "webhook", "email", "summary", "embedding", "other")
ERRANDS = _counter(
    "errands",
    "Attempts to deliver errands: delivered, retried, dead, lost to another worker.",
    kind=_ERRANDS,
    result=("delivered", "retried", "dead", "lost"),
)
ERRANDS_OPEN = _gauge(
    "errands_open",
    "Errands of every domain that are not delivered, as any worker counts them in the database.",
    state=("queued", "running", "dead"),
)
SPOOL_FREE_BYTES = _gauge("spool_free_bytes", "Free space of the disk the spool is on.")
DATABASE_CONNECTIONS = _gauge(
    "database_connections",
    "Connections: in_use, idle; calls that are waiting for one.",
    state=("in_use", "idle", "waiting"),
)
DATABASE_FAILURES = _counter(
    "database_failures",
    "Connections that failed, by how.",
    reason=("connect", "no_connection_free", "discarded"),
)
CONFIG_LOADS = _counter(
    "config_loads",
    "Reads of a secretary: loaded, failed, last_known_good used.",
    result=("loaded", "failed", "last_known_good"),
)
CONFIG_CHANGES = _counter("config_changes", "Changes of settings heard from the database.")
CONFIG_LISTENING = _gauge(
    "config_listening", "1 while changes of settings are heard, else 0: they then take seconds."
)
API_REQUESTS = _counter(
    "api_requests", "Requests of pages to /api, by answer.", status=("2xx", "4xx", "5xx")
)
API_VIEWERS = _gauge("api_viewers", "Viewers of live transcripts.")
TELEMETRY_DROPPED = _counter(
    "telemetry_dropped", "Timings and log lines not written because of a limit."
)

BACKGROUND_FAILURES = _counter(
    "background_failures",
    "Work beside the calls that broke off and was begun again, by task.",
    task=(
        *("journal_writer", "journal_flusher", "spool_adoption", "config_listener"),
        *("live_listener", "leases", "register", "shared_port", "heartbeat"),
        *("retention", "statsd", "hub_lag", "speech", "outbound"),
    ),
)
WORKERS_LOST = _counter("workers_lost", "Workers this one found lost, and closed the calls of.")
BUILD_INFO = _gauge("build_info", "Always 1; the labels say what runs.", version=(), python=())
MEDIA_CORE_INFO = _gauge(
    "media_core_info", "Always 1; the label says what works on callers' audio.", core=()
)

METRICS: tuple[Metric, ...] = tuple(
    value for value in globals().copy().values() if isinstance(value, Metric)
)
"""All of them, in order."""


class ErrorCode(enum.Enum):
    """Failure classes of the product's specification."""

    PROVIDER_UNAVAILABLE = "REALTIME_001"
    AUDIO_FORMAT = "REALTIME_002"
    SESSION_TIMEOUT = "REALTIME_003"
    MAX_DURATION = "REALTIME_004"
    RATE_LIMIT = "REALTIME_005"
    INVALID_DOMAIN = "REALTIME_006"
    CONFIG_NOT_FOUND = "REALTIME_007"
    FUNCTION_CALL_FAILED = "REALTIME_008"
    TRANSFER_FAILED = "REALTIME_009"
    WEBSOCKET = "REALTIME_010"


class OwnError(enum.Enum):
    """Failure classes the specification has no code for."""

    INTERNAL = "INTERNAL"
    """A bug of ours: the log has its traceback."""
