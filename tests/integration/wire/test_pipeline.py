"""The pipeline by the real host over real sockets: emulated services, the real speech process."""

import gevent
import pytest

from bridge.audio.formats import L16_8K, PCMU_8K
from bridge.providers.base import (
    Audio,
    CallerStarted,
    CallerStopped,
    ErrorKind,
    FunctionCall,
    Heard,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Brief, Conversation, Opening, Speaker, Tool
from bridge.providers.host import Network, ProviderHost
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import Pipeline
from bridge.wire import http_channel
from bridge.wire.keepalive import KeepAlive
from esl_controller.simulator.chat.server import LIMITED, ChatConfig, ChatEmulator, ChatFaults
from esl_controller.simulator.deepgram.hearing import Faults, HearingConfig
from esl_controller.simulator.deepgram.server import DeepgramEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.service.voice import encode, synthetic_speech
from tests.integration.speech_process import speech_process
from tests.wire.ws.peers import until

SCRIPT = Script(
    (Answer("At nine. We close at six."), Answer("Good. Until then.")),
    caller_lines=("when do you open", "thank you"),
)
LONG = Script((Answer("There is a great deal to be told about that. " * 6),))
KEY = "stt=dg-s3cret-s3cret,chat=gsk-s3cret-s3cret"
TOOLS = (Tool("book", "books", {"type": "object", "properties": {}}),)


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    with speech_process(tmp_path_factory.mktemp("speech")) as made:
        yield made


class Owner:
    """Three stages, and whoever owns the host."""

    def __init__(self, speech, script, *, faults=None, chat=None, greeting="", **config):
        keys = {"api_keys": frozenset({"dg-s3cret-s3cret"})}
        self.hearing = DeepgramEmulator(HearingConfig(script=script, **keys), faults)
        self.thinking = ChatEmulator(
            ChatConfig(script=script, api_keys=frozenset({"gsk-s3cret-s3cret"}), **(chat or {}))
        )
        urls = {"stt_url": self.hearing.start(), "base_url": self.thinking.start()}
        self.protocol = Pipeline(PipelineConfig(**{"api_key": KEY, "tts": "tones"} | urls | config))
        opening = Opening.GREET if greeting else Opening.LISTEN
        brief = Brief("Be kind.", greeting, "en", TOOLS)
        self.events = []
        self.host = ProviderHost(
            self.protocol,
            Conversation(PCMU_8K, L16_8K, brief, opening, opening_token="hello"),
            on_events=self.events.extend,
            connect_timeout_s=10.0,
            network=Network(keepalive=KeepAlive(), max_attempts=1, speech=speech),
        )
        self.host.start()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind, count=1):
        until(lambda: len(self.of(kind)) >= count, f"{count} {kind.__name__}: {self.events}")
        return self.of(kind)

    def speak(self, text="when do you open"):
        """The caller's voice, much faster than real, and the silence behind it."""
        audio = encode(synthetic_speech(text), PCMU_8K) + PCMU_8K.silence(600)
        for at in range(0, len(audio), 160):
            self.protocol.send_audio(audio[at : at + 160])
            self.host.flush_audio()

    def do(self, command, *args, **options):
        command(*args, **options)
        self.host.flush()

    def words(self, speaker):
        last = {}
        for event in self.of(Transcript):
            if event.speaker is speaker:
                last[event.item_id] = event.text
        return list(last.values())

    def close(self):
        self.host.close()
        self.hearing.stop()
        self.thinking.stop()


@pytest.fixture
def cascade(process):
    """`cascade(script)` gives an owner whose session is ready."""
    made = []

    def build(script=SCRIPT, *, ready=True, speech=None, **options):
        owner = Owner(speech or str(process.path), script, **options)
        made.append(owner)
        if ready:
            assert owner.wait(SessionReady) == [SessionReady("", PCMU_8K, L16_8K)]
        return owner

    yield build
    for owner in made:
        owner.close()
    http_channel._shared_pool.cache_clear()


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
def test_two_turns_go_through_all_three(cascade, model):
    owner = cascade(stt_model=model, greeting="Hello.")
    assert owner.wait(ResponseDone)[0].spoke
    owner.speak()
    owner.wait(ResponseDone, 2)
    owner.speak("thank you")
    owner.wait(ResponseDone, 3)
    assert owner.words(Speaker.CALLER) == ["when do you open", "thank you"]
    assert owner.words(Speaker.AGENT) == [
        "Hello.",
        "At nine. We close at six.",
        "Good. Until then.",
    ]
    assert len(owner.of(CallerStarted)) == len(owner.of(CallerStopped)) == 2
    assert owner.of(ResponseStarted)[0].token == "hello"
    assert owner.thinking.requests[1]["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "when do you open"},
        {"role": "assistant", "content": "At nine. We close at six."},
        {"role": "user", "content": "thank you"},
    ]
    assert not owner.of(ProviderFailure)
    owner.host.stop()
    assert {usage.vendor for usage in owner.of(Usage)} == {"deepgram", "custom", "tones"}
    until(lambda: owner.hearing.sessions[0].closing == (1000, ""), "it said good-bye")


def test_barge_in_drops_the_model_and_silences_the_voice(cascade):
    owner = cascade(LONG, chat={"word_s": 0.05})
    owner.speak()
    owner.wait(Audio)
    owner.do(owner.protocol.cut, [Heard("p1", 400)], 0.0)
    until(lambda: owner.thinking.open == 0, "the model's connection is dropped")
    owner.speak()
    owner.wait(ResponseStarted, 2)
    until(lambda: len(owner.thinking.requests) == 2)
    told = owner.thinking.requests[1]["messages"]
    assert told[-2]["content"].endswith("…")
    assert len(told[-2]["content"]) < 60
    assert {event.response_id for event in owner.of(Audio)} == {"p1"}


@pytest.mark.parametrize("fragments", [True, False])
def test_two_functions_are_answered_once(cascade, fragments):
    calls = tuple(ScriptedCall("book", f'{{"at":{n}}}') for n in (9, 10))
    script = Script((Answer("Wait.", calls),))
    owner = cascade(script, chat={"fragments": fragments})
    owner.speak()
    found = owner.wait(FunctionCall, 2)
    assert [call.arguments for call in found] == ['{"at":9}', '{"at":10}']
    for call in found:
        owner.do(owner.protocol.send_function_result, call.call_id, "ok", failed=False, now=0.0)
    owner.wait(ResponseDone, 2)
    assert owner.words(Speaker.AGENT) == ["Wait.", "All right, that is done: ok"]
    assert len(owner.thinking.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind", "wait_s", "spoke"),
    [
        (LIMITED, ErrorKind.RATE_LIMIT, 1.5, False),
        (ChatFaults(refuse_status=401, code="invalid_api_key"), ErrorKind.AUTHENTICATION, None, 0),
        (ChatFaults(cut_after_chunks=4), ErrorKind.CONNECTION, None, True),
        (ChatFaults(garbage_after_chunks=1), ErrorKind.PROTOCOL, None, False),
        (ChatFaults(error_after_chunks=1), ErrorKind.RATE_LIMIT, 1.5, False),
    ],
)
def test_a_model_that_fails_costs_the_answer_only(cascade, fault, kind, wait_s, spoke):
    owner = cascade()
    owner.thinking.queue_faults(fault)
    owner.speak()
    (done,) = owner.wait(ResponseDone)
    assert (done.status, done.error_kind, done.retry_in_s) == ("failed", kind, wait_s)
    owner.do(owner.protocol.answer, 0.0)
    assert owner.wait(ResponseDone, 2)[1].status == "completed"


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        (Faults(refuse_status=401), "INVALID_AUTH", ErrorKind.AUTHENTICATION),
        (Faults(refuse_status=429), "TOO_MANY_REQUESTS", ErrorKind.RATE_LIMIT),
    ],
)
def test_hearing_that_is_refused_ends_it_all(cascade, fault, code, kind):
    owner = cascade(ready=False, faults=fault)
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.kind, failure.code, failure.fatal) == (kind, code, True)
    assert "s3cret" not in repr(owner.events)


def test_hearing_that_ends_in_a_call_ends_it_all(cascade):
    owner = cascade(faults=Faults(close_after_s=1.0, close_reason="NET-0000"))
    owner.speak()
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.code, failure.retryable) == ("stt_server", True)
    assert owner.host.is_over
    assert "deepgram" in {usage.vendor for usage in owner.of(Usage)}


def test_garbage_is_told_and_survived(cascade):
    owner = cascade(faults=Faults(garbage_after_s=1.0))
    owner.speak()
    owner.wait(ResponseDone)
    assert {failure.code for failure in owner.of(ProviderFailure)} == {"malformed_message"}
    owner.speak()
    owner.wait(ResponseDone, 2)


def test_a_speech_process_that_dies_costs_no_word(cascade, tmp_path):
    with speech_process(tmp_path) as first:
        owner = cascade(speech=str(first.path))
        first.end(9)
        owner.speak()
        until(lambda: owner.thinking.requests)
        gevent.sleep(0)
    with speech_process(tmp_path):
        (done,) = owner.wait(ResponseDone)
        assert done.status == "completed"
        assert owner.words(Speaker.AGENT) == ["At nine. We close at six."]


def test_without_a_speech_process_there_is_no_pipeline(cascade, tmp_path):
    owner = cascade(ready=False, speech=str(tmp_path / "nobody"))
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.kind, failure.code) == (ErrorKind.OURS, "speech_lost")
