from __future__ import annotations

import random
from pathlib import Path

import pytest

from . import fuzz_openai_messages
from .fuzz_openai_messages import SEPARATOR

FOLDER = Path(__file__).parents[1] / "wire" / "openai"
CORPUS = {
    path.stem: [
        line[2:].removesuffix(b" ...")
        for line in path.read_bytes().splitlines()
        if line[:2] in (b"< ", b"> ")
    ]
    for path in sorted(FOLDER.glob("*.txt"))
}
CORPUS["client"] = [
    b'{"type":"session.update","session":{"type":"realtime","audio":{"input":{"format":'
    b'{"type":"audio/pcmu"},"turn_detection":{"type":"server_vad","threshold":0.5},'
    b'"transcription":{"model":"x"}},"output":{"voice":{"id":"v"},"speed":1.0}},"tools":'
    b'[{"type":"function","name":"x"}],"tool_choice":"auto","max_output_tokens":5}}',
    b'{"type":"input_audio_buffer.append","audio":"AAAA"}',
    b'{"type":"conversation.item.create","previous_item_id":"root","item":{"id":"a","type":'
    b'"message","role":"user","content":[{"type":"input_text","text":"x"}]}}',
    b'{"type":"response.create","response":{"instructions":"Say x:\\n\\nhi","metadata":{}}}',
    b'{"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":5}',
    b'{"type":"response.cancel","response_id":"x"}',
    b'{"type":"conversation.item.create","item":{"type":"function_call","call_id":"c",'
    b'"name":"n","arguments":"{}"}}',
    b'{"type":"conversation.item.create","item":{"type":"function_call_output",'
    b'"call_id":"c","output":"x"}}',
    b'{"type":"response.create"}',
    b'{"type":"conversation.item.retrieve","item_id":"a"}',
    b'{"type":"conversation.item.delete","item_id":"a"}',
    b'{"type":"input_audio_buffer.commit"}',
    b'{"type":"input_audio_buffer.clear"}',
]
SPLICES = [b"null", b"{}", b"[]", b'"', b"-1", b"1e99", b"\xff", b"[" * 2000, b"", b"true", b"\\u"]


@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name: str) -> None:
    fuzz_openai_messages.test_one_input(SEPARATOR.join(CORPUS[name]))


@pytest.mark.parametrize("name", CORPUS)
def test_damaged(name: str) -> None:
    """Values replaced inside messages that are otherwise sound."""
    dice = random.Random(name)
    for _ in range(15):
        lines = [damaged(line, dice) for line in CORPUS[name]]
        fuzz_openai_messages.test_one_input(SEPARATOR.join(lines))


def damaged(line: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.5:
        return line
    places = [at for at, byte in enumerate(line) if byte in b':,["{']
    begin = dice.choice(places) + 1
    end = min(len(line), begin + dice.choice([0, 1, 4, 12]))
    return line[:begin] + dice.choice(SPLICES) + line[end:]
