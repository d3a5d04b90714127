"""The address FreeSWITCH is told to open its streams at."""

from __future__ import annotations

import msgspec
import pytest

from esl_controller.calls.caller_stream import _CANNOT_CONNECT
from esl_controller.calls.media_site import media_site, stream_base_url
from esl_controller.settings.loader import SettingsError, load_settings
from esl_controller.settings.table import Settings, Worker

BEHIND = "wss://voice.example.com:8443/worker/{index}"


def settings(**media: str) -> Settings:
    plain = Settings()
    return msgspec.structs.replace(
        plain,
        media=msgspec.structs.replace(plain.media, **media),
        worker=Worker(index=3, count=4),
    )


@pytest.mark.parametrize(
    ("media", "address"),
    [
        ({}, "ws://10.0.0.5:8088/stream"),
        ({"public_host": "voice.lan"}, "ws://voice.lan:8088/stream"),
        ({"public_url": BEHIND}, "wss://voice.example.com:8443/worker/3/stream"),
        ({"public_url": BEHIND + "/"}, "wss://voice.example.com:8443/worker/3/stream"),
    ],
)
def test_the_address(media: dict[str, str], address: str) -> None:
    assert stream_base_url(settings(**media), "10.0.0.5", 8088) == address


def test_freeswitch_is_told_whom_to_trust() -> None:
    own = media_site(settings(tls_ca_file="/etc/voice-ai/tls/ca.pem"), "127.0.0.1", 8085)
    assert ("STREAM_TLS_CA_FILE", "/etc/voice-ai/tls/ca.pem") in own.stream_variables()
    its = media_site(settings(), "127.0.0.1", 8085)
    assert its.stream_variables() == [("STREAM_BUFFER_SIZE", "20")]


@pytest.mark.parametrize(
    "url",
    [
        "wss://voice.example.com:8443/worker",
        "https://voice.example.com/worker/{index}",
        "wss://voice.example.com/{index}/{index}",
        "wss://voice.example.com/worker/{index}?token=x",
        "wss://voice.example.com/worker/{index} mono",
        "wss://user:pass@voice.example.com/worker/{index}",
        "wss://{index}.example.com/",
    ],
)
def test_an_address_that_is_none_or_not_each_worker_s_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="worker's number"):
        load_settings({"VOICE_AI_MEDIA_PUBLIC_URL": url})


def test_no_certificate_is_left_unverified() -> None:
    """NONE would turn the module's verification off (WebSocketTLSContext.cpp)."""
    for word in ("NONE", "SYSTEM", "ca.pem", "/etc/ca.pem x"):
        with pytest.raises(SettingsError):
            load_settings({"VOICE_AI_MEDIA_TLS_CA_FILE": word})


@pytest.mark.parametrize(
    ("said", "at_once"),
    [
        ('{"status":"error","message":{"code":6,"error":"refused"}}', True),
        ('{"status":"error","message":{"code": 8,"error":"TLS certificate error: …"}}', True),
        (
            '{"status":"error","message":{"code":9,"error":"TLS error: error:0A000086:SSL '
            'routines::certificate verify failed"}}',
            True,
        ),
        ('{"status":"error","message":{"code":9,"error":"TLS error: unexpected eof"}}', False),
        ('{"status":"error","message":{"code":1,"error":"reset"}}', False),
    ],
)
def test_what_says_that_the_module_cannot_connect(said: str, at_once: bool) -> None:
    """Of 9 only the certificate: the other errors of TLS may be an older connection's."""
    assert (_CANNOT_CONNECT.search(said) is not None) is at_once
