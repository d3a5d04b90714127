"""Keys in use never come back out in a provider's own words."""

from __future__ import annotations

import pytest

from bridge.providers.actions import Endpoint, HttpRequest, SpeechService, Target
from bridge.providers.base import Ended, ErrorKind, ProviderEvent, ProviderFailure, ResponseDone
from bridge.providers.cleaning import Cleaner
from bridge.wire.channel import ChannelEnd, Ender

KEY = "0123456789abcdef0123456789abcdef"
TARGETS: list[Target] = [
    Endpoint("wss://x", (("Authorization", f"Bearer {KEY}"),)),
    Endpoint("wss://x", (("api-key", KEY),)),
    Endpoint(f"wss://x/y?agent=1&conversation_signature={KEY}&z=2"),
    HttpRequest("GET", "https://x", (("xi-api-key", KEY),)),
    HttpRequest("GET", f"https://x/?api_key={KEY}"),
]


def cleaner(target: Target) -> Cleaner:
    made = Cleaner()
    made.learn(target)
    return made


def failure(code: str = "c", message: str = "m") -> ProviderFailure:
    return ProviderFailure(ErrorKind.AUTHENTICATION, code, message, True, False)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize(
    "event",
    [
        failure(message=f"Incorrect API key provided: {KEY}."),
        failure(message=f"Incorrect API key provided: {KEY[:20]}"),
        failure(message=f"Key {KEY.upper()} is unknown"),
        failure(message=f"{KEY[:20]}… is unknown, as is …{KEY[-12:]}."),
        failure(code=KEY),
        ResponseDone("r", "failed", KEY),
        Ended(f"because {KEY}"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_the_key_in_use_is_replaced(target: Target, event: ProviderEvent) -> None:
    shown = repr(cleaner(target).event(event))
    assert KEY[:8] not in shown
    assert "hidden" in shown


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_ends_of_channels_are_clean(target: Target) -> None:
    body = b'{"error":{"code":"' + KEY.encode() + b'"}}\xff'
    end = cleaner(target).end(ChannelEnd(Ender.PEER, "http", 401, f"no: {KEY}", body))
    assert KEY not in end.reason
    assert KEY.encode() not in end.body
    assert end.body.endswith(b'"}}\xff')


def test_a_key_with_odd_letters_is_found_in_a_code() -> None:
    key = "ab+cd/ef==gh"
    cleaned = cleaner(Endpoint("wss://x", (("api-key", key),))).event(failure(code="ab_cd/ef_gh"))
    assert isinstance(cleaned, ProviderFailure)
    assert cleaned.code == "hidden"


def test_what_is_no_secret_stays() -> None:
    target = Endpoint(
        "wss://x/realtime?model=gpt-realtime-2.1",
        (("api-key", KEY), ("OpenAI-Beta", "realtime=v1"), ("X", "short")),
    )
    text = "model gpt-realtime-2.1 does not exist, realtime=v1, short"
    assert cleaner(target).text(text) == text
    assert cleaner(SpeechService("piper")).text(KEY) == KEY


def test_nothing_but_the_key_is_taken_out() -> None:
    shown = cleaner(TARGETS[0]).text(f"The key {KEY[:24]}*** is bad; Bearer {KEY}, please")
    assert shown == "The key [hidden]*** is bad; Bearer [hidden], please"


def test_a_failures_code_is_short_and_harmless() -> None:
    cleaned = Cleaner().event(failure(code="bad\n code" * 20))
    assert isinstance(cleaned, ProviderFailure)
    assert len(cleaned.code) == 64
    assert cleaned.code.isprintable()
    assert " " not in cleaned.code
