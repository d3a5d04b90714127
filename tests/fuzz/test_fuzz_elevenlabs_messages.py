from __future__ import annotations

import random
from pathlib import Path

import pytest

from . import fuzz_elevenlabs_messages
from .fuzz_elevenlabs_messages import SEPARATOR
from .test_fuzz_openai_messages import damaged

FOLDER = Path(__file__).parents[1] / "wire" / "elevenlabs"
CORPUS = {
    path.stem: [line[2:] for line in path.read_bytes().splitlines() if line[:2] in (b"< ", b"> ")]
    for path in sorted(FOLDER.glob("*.txt"))
}
CORPUS["client"] = [
    b'{"type":"conversation_initiation_client_data","conversation_config_override":{"agent":'
    b'{"prompt":{"prompt":"x"},"first_message":"Hello"},"tts":{"voice_id":"v"}},'
    b'"dynamic_variables":{"a":1}}',
    b'{"user_audio_chunk":"AAAA"}',
    b'{"type":"pong","event_id":1}',
    b'{"type":"user_message","text":"hello"}',
    b'{"type":"contextual_update","text":"x"}',
    b'{"type":"user_activity"}',
    b'{"type":"client_tool_result","tool_call_id":"c","result":"x","is_error":false}',
    b'{"type":"feedback","event_id":1,"score":"like"}',
]


@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name: str) -> None:
    fuzz_elevenlabs_messages.test_one_input(SEPARATOR.join(CORPUS[name]))


@pytest.mark.parametrize("name", CORPUS)
def test_damaged(name: str) -> None:
    """Values replaced inside messages that are otherwise sound."""
    dice = random.Random(name)
    for _ in range(25):
        lines = [damaged(line, dice) for line in CORPUS[name]]
        fuzz_elevenlabs_messages.test_one_input(SEPARATOR.join(lines))
