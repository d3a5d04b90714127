"""What goes between bridge and speech process, and what hostile bytes become."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteProtocolError
from bridge.speech.messages import (
    MAX_TEXT_CHARS,
    Cancel,
    Reply,
    Say,
    Told,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

NUMBERS = st.integers(0, 2**32 - 1)


@given(NUMBERS, st.text(max_size=MAX_TEXT_CHARS))
def test_requests_survive(number: int, text: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):  # a lone surrogate is no text
        assert decode_request(encode_request(Say(number, text))) == Say(number, text)
    assert isinstance(decode_request(encode_request(Cancel())), Cancel)


@given(st.sampled_from(Told), NUMBERS, st.binary(max_size=50))
def test_replies_survive(told: Told, number: int, data: bytes) -> None:
    assert decode_reply(encode_reply(told, number, data)) == Reply(told, number, data)


@given(st.binary(max_size=60))
def test_nonsense_is_one_kind_of_error(data: bytes) -> None:
    for decode in (decode_reply, decode_request):
        with contextlib.suppress(RemoteProtocolError):
            decode(data)


@pytest.mark.parametrize("data", [b"", b"A", b"X\0\0\0\1", b"{}", b'{"say":-1}', b'{"say":"1"}'])
def test_what_is_not_understood_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        (decode_request if data.startswith(b"{") else decode_reply)(data)
