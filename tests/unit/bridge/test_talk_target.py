"""What a browser's request to talk must look like, and how its sound is played."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K
from bridge.playout.browser import CLEAR, BrowserPlayout
from bridge.routes import Refusal, TalkRequest, is_talk_target, parse_talk_target

DOMAIN = "AAAAAAAA-0000-4000-8000-000000000001"


def test_domain_number_ticket_and_rate_are_read() -> None:
    request = parse_talk_target(f"/talk/{DOMAIN}/%2A80?ticket=1.a-_b&rate=48000")
    assert request == TalkRequest(DOMAIN.lower(), "*80", "1.a-_b", 48000)
    assert "1.a-_b" not in repr(request)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"/talk/{DOMAIN}", 404),
        (f"/talk/{DOMAIN}/8001/more?ticket=a", 404),
        (f"/talk/{DOMAIN}/8001", 401),
        (f"/talk/{DOMAIN}/8001?ticket=a&ticket=a", 401),
        (f"/talk/{DOMAIN}/8001?ticket=a%20b", 401),
        (f"/talk/{DOMAIN}/8001?ticket=a&rate=1", 400),
        (f"/talk/{DOMAIN}/8001?ticket=a&rate=", 400),
        (f"/talk/{DOMAIN}/8001?{'a=1&' * 9}ticket=a", 400),
        (f"/talk/{DOMAIN}/8001?ticket={'a' * 2000}", 414),
    ],
)
def test_anything_else_is_refused(target: str, status: int) -> None:
    refused = parse_talk_target(target)
    assert isinstance(refused, Refusal)
    assert refused.status == status


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert isinstance(parse_talk_target(f"/talk/{text}"), TalkRequest | Refusal)
    assert is_talk_target(f"/talk/{text}")


def test_what_is_interrupted_is_dropped_by_the_browser() -> None:
    sound: list[bytes] = []
    texts: list[bytes] = []
    playout = BrowserPlayout(L16_8K, sound.append, texts.append)
    playout.play(b"\1\0" * 160, 1)
    playout.clear(1, 0.0)
    assert (sound, texts) == ([b"\1\0" * 160], [CLEAR])
    assert playout.recalls
