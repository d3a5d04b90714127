"""Whatever strangers send to a door: an answer of ours, nothing let in, nothing of theirs in it.

Headers with line breaks, NUL, invalid UTF-8 and right-to-left marks, overlong values, stream
addresses, tokens, JSON; all made, none remembered.
"""

from __future__ import annotations

import json
import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.routes import Refusal, StreamRequest, check_upgrade, parse_stream_target
from bridge.wire.stream_protocol import parse_text
from esl_controller.esl import commands
from esl_controller.esl.dialable import NotDialable, require_dialable
from esl_controller.esl.errors import LocalProtocolError, RemoteProtocolError
from esl_controller.esl.events import ChannelData
from esl_controller.esl.framing import Framer
from esl_controller.routes.identity import InvalidCall, parse_identity
from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.telemetry.metrics import Metrics
from esl_controller.web.access import AdminDoor
from esl_controller.web.pages import HttpPages
from tests.unit.esl.test_linger_notice import switch_url_encode
from tests.unit.test_http import Service

TOKEN = "a-token-of-24-characters"
DOMAIN, CALL = str(uuid.uuid4()), str(uuid.uuid4())
EVIL = st.sampled_from(
    [
        *("\r\n", "\n\n", "\0", "\udcff", "\u202e", "\u0665", "%0D%0A", "..", "/", "?", "&token="),
        *(" ", "Connection: close", "Content-Length: 99", "${system(id)}", "-bleg", "{", "[" * 99),
        "x" * 3000,
    ]
)
hostile = st.lists(st.one_of(EVIL, st.text(max_size=8)), max_size=6).map("".join)
latin1 = hostile.map(lambda text: text.encode("utf-8", "surrogateescape").decode("latin-1"))


@pytest.fixture(autouse=True)
def _no_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esl_controller.web.access.PENALTY_S", 0.0)


@given(st.one_of(hostile, hostile.map(lambda text: f"/stream/{DOMAIN}/{CALL}{text}")), hostile)
def test_a_stream_address_names_a_call_or_is_refused(target: str, token: str) -> None:
    request = parse_stream_target(target, token, "192.0.2.1")
    if isinstance(request, StreamRequest):
        assert str(uuid.UUID(request.domain_uuid)) == request.domain_uuid
        assert str(uuid.UUID(request.call_uuid)) == request.call_uuid
        assert re.fullmatch(r"[A-Za-z0-9._~-]{0,256}", request.token, re.ASCII)
        assert request.token not in repr(request) or len(request.token) < 8
    else:
        assert 400 <= request.status < 500
        assert request.reason.isascii() and request.reason.isprintable()


HEADERS = ("UPGRADE", "CONNECTION", "SEC_WEBSOCKET_VERSION", "SEC_WEBSOCKET_KEY", "ORIGIN")


@given(st.dictionaries(st.sampled_from(HEADERS), latin1))
def test_no_made_up_handshake_is_one(headers: dict[str, str]) -> None:
    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
    environ |= {f"HTTP_{name}": value for name, value in headers.items()}
    assert isinstance(check_upgrade(environ), Refusal)


@settings(deadline=None)
@given(latin1, latin1, st.sampled_from(["GET", "HEAD", "POST", "\r\n"]), latin1)
def test_every_request_gets_a_whole_answer_with_our_headers_alone(
    path: str, authorization: str, method: str, length: str
) -> None:
    pages = HttpPages(Http(admin_token=Secret(TOKEN)), Metrics(), Service())
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": authorization,
        "CONTENT_LENGTH": length,
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(pages(environ, lambda status, headers: started.append((status, headers))))
    ((status, headers),) = started
    assert status[:3].isdecimal()
    assert all(value.isascii() and value.isprintable() for _, value in headers)
    if method != "HEAD":
        assert dict(headers)["Content-Length"] == str(len(body))
        assert json.loads(body)


@given(latin1, st.sampled_from(["Bearer ", "bearer", "Basic ", "", "Bearer\t"]))
def test_no_made_up_token_opens_the_door(token: str, scheme: str) -> None:
    door = AdminDoor(Http(admin_token=Secret(TOKEN)))
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": scheme + token}
    assert door.check(environ) is not None


NAMES = ("Caller-Caller-ID-Name", "Caller-Caller-ID-Number", "Caller-Destination-Number")
VARIABLES = ("variable_domain_uuid", "variable_voice_ai_extension", "variable_sip_h_X-Evil")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*NAMES, *VARIABLES]), hostile))
def test_channel_data_with_hostile_values_is_one_call_or_none(values: dict[str, str]) -> None:
    block = b"".join(
        b"%b: %b\n" % (name.encode(), switch_url_encode(value.encode("utf-8", "surrogateescape")))
        for name, value in values.items()
    )
    framer = Framer()
    framer.receive_data(
        b"Event-Name: CHANNEL_DATA\nUnique-ID: " + CALL.encode() + b"\n"
        b"variable_domain_uuid: "
        + DOMAIN.encode()
        + b"\n"
        + block
        + b"Content-Type: command/reply\nReply-Text: %2BOK%0A\n\n"
    )
    message = framer.next_message()
    assert message is not None and framer.next_message() is None and not framer.buffered_bytes
    channel = ChannelData.parse(message)
    assert (channel.uuid, channel.variable("domain_uuid")) == (CALL, DOMAIN)
    try:
        identity = parse_identity(lambda name: channel.get(name) or None, lambda _: None)
    except InvalidCall:
        return
    assert (identity.call_uuid, identity.domain_uuid) == (CALL, DOMAIN)
    for text in (identity.caller_id_name, identity.caller_id_number, identity.extension):
        assert text == "" or (text.isprintable() and len(text) <= 64)


@given(hostile, hostile)
def test_a_destination_is_one_word_or_is_not_dialled(extension: str, context: str) -> None:
    try:
        require_dialable(extension, context)
    except NotDialable:
        return
    sent = commands.api("uuid_transfer", f"{CALL} {extension} XML {context}").to_bytes()
    assert sent == f"api uuid_transfer {CALL} {extension} XML {context}\n\n".encode()
    assert sent.count(b"\n") == 2 and b" -" not in sent and b"$" not in sent


@given(hostile, hostile)
def test_no_argument_adds_a_line_to_a_command(name: str, argument: str) -> None:
    for make in (commands.api, commands.bgapi):
        try:
            data = make(name, argument).to_bytes()
        except (LocalProtocolError, UnicodeError):
            continue
        assert data.rstrip(b"\n").count(b"\n") <= 1  # Job-UUID is one
        assert b"\r" not in data and b"\0" not in data and b"\n\n" not in data[:-2]


@given(st.one_of(hostile.map(lambda text: text.encode("utf-8", "replace")), st.binary(max_size=99)))
def test_a_text_of_the_stream_is_read_or_ignored(payload: bytes) -> None:
    try:
        parse_text(payload)
    except RemoteProtocolError:
        pytest.fail("a caller's text must not end the stream")
