"""The compiled splitting of a read and its twin find the same."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import core
from bridge.wire.whole_messages import splitter, whole_messages
from tests.unit.bridge.test_whole_messages import read

pytestmark = pytest.mark.compiled


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 1 << 32))
def test_reads_are_split_alike(seed: int) -> None:
    data = read(random.Random(seed))
    assert splitter() is core.module.whole_messages
    assert splitter()(data) == whole_messages(data)


@given(st.binary(max_size=40))
def test_any_bytes_are_split_alike(data: bytes) -> None:
    for one in (data, b"\x81" + data, b"\x82\x7e" + data):
        assert splitter()(one) == whole_messages(one)


def test_what_is_no_bytes_is_refused() -> None:
    with pytest.raises(TypeError):
        core.module.whole_messages("text")
