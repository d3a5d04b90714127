"""What a caller's SDP says about hearing us."""

from __future__ import annotations

import pytest

from esl_controller.calls.offered_hold import holds

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
AUDIO = "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"


@pytest.mark.parametrize(
    ("sdp", "held"),
    [
        ("", False),
        (HEAD + AUDIO, False),
        (HEAD + AUDIO + "a=sendrecv\r\n", False),
        (HEAD + AUDIO + "a=recvonly\r\n", False),
        (HEAD + AUDIO + "a=sendonly\r\n", True),
        (HEAD + AUDIO + "a=inactive\n", True),
        (HEAD + "a=sendonly\r\n" + AUDIO, True),
        (HEAD + "a=sendonly\r\n" + AUDIO + "a=sendrecv\r\n", False),
        (HEAD + AUDIO + "m=video 4002 RTP/AVP 96\r\na=inactive\r\n", False),
        (HEAD.replace("IP4 127.0.0.1\r\nt", "IP4 0.0.0.0\r\nt") + AUDIO, True),
        (HEAD + AUDIO + "c=IN IP4 0.0.0.0\r\n", True),
        ("a=sendonly" * 10_000, False),
        ("m=audio\x00\r\na=fmtp:a=sendonly\r\n", False),
    ],
)
def test_whether_the_caller_wants_to_hear_us(sdp, held):
    assert holds(sdp) is held
