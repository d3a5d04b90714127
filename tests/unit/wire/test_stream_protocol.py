import base64
import io
import json
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import (
    L16_8K,
    L16_16K,
    L16_24K,
    L16_48K,
    PCMA_8K,
    PCMU_8K,
    AudioFormat,
    Encoding,
)
from bridge.errors import LocalProtocolError
from bridge.wire import stream_protocol as protocol
from bridge.wire.stream_protocol import Dtmf, FreeText, Hangup, Metadata, Oversized

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            b'{"uuid":"c60e8d63","domain":"tenant1.example.com","caller":"5551000"}',
            Metadata({"uuid": "c60e8d63", "domain": "tenant1.example.com", "caller": "5551000"}),
        ),
        (
            b'{"type":"metadata","caller_id":"5551000","timestamp":1.5}',
            Metadata({"caller_id": "5551000", "timestamp": "1.5"}),
        ),
        (b'{"type":"metadata","data":{"caller_id":"1"}}', Metadata({"caller_id": "1"})),
        (b'{"a":null,"b":[1],"c":{"d":1},"e":true,"f":2}', Metadata({"f": "2"})),
        (b'{"type":"dtmf","digit":"5"}', Dtmf("5")),
        (b'{"type":"dtmf","digit":5}', Dtmf("5")),
        (b'{"type":"dtmf","digit":"a"}', Dtmf("A")),
        (b'{"type":"dtmf","data":{"digit":"#"}}', Dtmf("#")),
        (b'{"type":"dtmf","digit":"55"}', FreeText('{"type":"dtmf","digit":"55"}')),
        (b'{"type":"dtmf"}', FreeText('{"type":"dtmf"}')),
        (b'{"type":"hangup","reason":"bye"}', Hangup("bye")),
        (b'{"type":"hangup"}', Hangup("")),
        (b'{"type":"hangup","reason":["bye"]}', Hangup("")),
        # mod_audio_stream eats the backslashes of {"name":"Bob \"B\""}
        (b'{"name":"Bob "B""}', FreeText('{"name":"Bob "B""}')),
        (b"[1,2]", FreeText("[1,2]")),
        (b"plain words", FreeText("plain words")),
        (b"two\r\nlines\x00\x1b[31m", FreeText("twolines[31m")),
        (b"\xff\xfe", FreeText("\ufffd\ufffd")),
        (b"", FreeText("")),
        (b"x" * 20000, Oversized(20000)),
        (b"[" * 16000, FreeText("[" * 256)),
    ],
)
def test_texts_from_the_switch(payload, expected):
    assert protocol.parse_text(payload) == expected


@given(st.one_of(st.binary(max_size=500), st.builds(lambda v: json.dumps(v).encode(), json_values)))
def test_no_text_does_harm(payload):
    text = protocol.parse_text(payload)
    if isinstance(text, Metadata):
        assert len(text.fields) <= protocol.MAX_FIELDS
        values = [*text.fields, *text.fields.values()]
    elif isinstance(text, Dtmf):
        values = [text.digit]
    else:
        values = [text.reason if isinstance(text, Hangup) else text.text]
    assert all(len(v) <= protocol.MAX_VALUE_CHARS and (v.isprintable() or not v) for v in values)


def test_too_many_fields_are_cut():
    fields = {str(i): "x" for i in range(100)}
    parsed = protocol.parse_text(json.dumps(fields).encode())
    assert isinstance(parsed, Metadata)
    assert len(parsed.fields) == protocol.MAX_FIELDS


@pytest.mark.parametrize(
    ("audio_format", "kind"),
    [(L16_8K, "raw"), (L16_16K, "raw"), (PCMU_8K, "pcmu"), (PCMA_8K, "pcma")],
)
def test_stream_audio_as_it_is(audio_format, kind):
    data = audio_format.silence(20)
    assert json.loads(protocol.stream_audio(audio_format, data, 3, 7)) == {
        "type": "streamAudio",
        "data": {
            "audioDataType": kind,
            "sampleRate": audio_format.rate_hz,
            "generation": 3,
            "seq": 7,
            "audioData": base64.b64encode(data).decode(),
        },
    }


@pytest.mark.parametrize("audio_format", [L16_24K, L16_48K, AudioFormat(Encoding.L16, 32000)])
def test_rates_that_raw_would_play_as_noise_go_as_wav(audio_format):
    data = bytes(range(256)) * 2
    message = json.loads(protocol.stream_audio(audio_format, data, 0, 0))["data"]
    assert message["audioDataType"] == "wav"
    with wave.open(io.BytesIO(base64.b64decode(message["audioData"]))) as written:
        assert written.getparams()[:4] == (1, 2, audio_format.rate_hz, 256)
        assert written.readframes(1000) == data


def test_formats_nobody_plays_are_our_mistake():
    with pytest.raises(LocalProtocolError):
        protocol.stream_audio(AudioFormat(Encoding.PCMU, 16000), b"", 0, 0)
    with pytest.raises(LocalProtocolError):
        protocol.wav(PCMU_8K, b"")


def test_commands():
    header = json.loads(protocol.raw_audio_header(16000))
    assert header == {"type": "rawAudio", "data": {"sampleRate": 16000}}
    commands = (protocol.clear_audio(), protocol.kill_audio(), protocol.stop_audio())
    assert [json.loads(c)["type"] for c in commands] == ["clearAudio", "killAudio", "stopAudio"]
