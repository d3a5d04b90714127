import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.routes import (
    Refusal,
    StreamRequest,
    check_upgrade,
    is_stream_target,
    parse_stream_target,
)

DOMAIN = "c60e8d63-f2fa-4e65-92bd-657b2f9acacf"
CALL = "0d1a2b3c-0000-4000-8000-0123456789ab"
PATH = f"/stream/{DOMAIN}/{CALL}"
HANDSHAKE = {
    "REQUEST_METHOD": "GET",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "upgrade",
    "HTTP_SEC_WEBSOCKET_KEY": "mWOq640xJ16Pmq4TWD7L/A==",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
}


@pytest.mark.parametrize(
    ("target", "header", "token"),
    [
        (PATH, "", ""),
        (PATH + "/", "", ""),
        (PATH.upper().replace("STREAM", "stream"), "", ""),
        (PATH, "abc-1_2.3~", "abc-1_2.3~"),
        (PATH, " abc ", "abc"),
        (PATH + "?token=abc", "", "abc"),
        (PATH + "?token=abc", "abc", "abc"),
        (PATH + "?other=1", "abc", "abc"),
        (PATH + "?token=a%62c", "", "abc"),
    ],
)
def test_good_targets(target, header, token):
    request = parse_stream_target(target, header, "192.0.2.1")
    assert request == StreamRequest(DOMAIN, CALL, token, "192.0.2.1")


@pytest.mark.parametrize(
    ("target", "header", "status"),
    [
        ("/stream", "", 404),
        ("/stream/", "", 404),
        (f"/stream/{DOMAIN}", "", 404),
        (f"/stream/{DOMAIN}/{CALL}/more", "", 404),
        (f"/stream/tenant1.example.com/{CALL}", "", 404),
        (f"/stream/{DOMAIN}/{CALL[:-1]}", "", 404),
        (f"/stream/{DOMAIN}/{CALL}\n", "", 404),
        (f"/stream/{DOMAIN}/{CALL[:-1]}٣", "", 404),
        (f"/stream/{DOMAIN}/../{CALL}", "", 404),
        (f"/stream/%63{DOMAIN[1:]}/{CALL}", "", 404),
        (PATH + "?token=abc", "abd", 400),
        (PATH + "?token=abc&token=abd", "", 400),
        (PATH + "?token=", "", 400),
        (PATH + "?token=a%0d%0ab", "", 400),
        (PATH, "abc,abd", 400),
        (PATH, "a" * 257, 400),
        (PATH + "?" + "&".join("a=1" for _ in range(9)), "", 400),
        (PATH + "?token=" + "a" * 1000, "", 414),
    ],
)
def test_bad_targets(target, header, status):
    refusal = parse_stream_target(target, header)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status


@given(st.text(max_size=200), st.text(max_size=50))
def test_hostile_targets_are_refused_or_well_formed(target, header):
    for candidate in (target, f"/stream/{target}", PATH + target):
        request = parse_stream_target(candidate, header)
        if isinstance(request, StreamRequest):
            assert (request.domain_uuid, request.call_uuid) == (DOMAIN, CALL)
            assert request.token.isascii()
            assert len(request.token) <= 256


def test_the_token_does_not_show():
    assert "secret" not in repr(parse_stream_target(PATH, "secret"))


@pytest.mark.parametrize(
    ("target", "ours"),
    [
        (PATH, True),
        ("/stream", True),
        ("/stream?x", True),
        ("/stream/x?y", True),
        ("/streams", False),
        ("/health", False),
        ("/", False),
        ("/x/stream/", False),
    ],
)
def test_which_targets_are_streams(target, ours):
    assert is_stream_target(target) is ours


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"HTTP_UPGRADE": "WebSocket", "HTTP_CONNECTION": "keep-alive, Upgrade"},
        {"HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate"},
        {"HTTP_SEC_WEBSOCKET_PROTOCOL": "audio.drachtio.org"},
        {"CONTENT_LENGTH": "0"},
    ],
)
def test_handshakes(changes):
    assert check_upgrade(HANDSHAKE | changes) is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"REQUEST_METHOD": "POST"}, 405),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, 400),
        ({"CONTENT_LENGTH": "5"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 400),
        ({"HTTP_UPGRADE": "h2c"}, 426),
        ({"HTTP_CONNECTION": "keep-alive"}, 426),
        ({"HTTP_SEC_WEBSOCKET_VERSION": "8"}, 426),
        ({"HTTP_SEC_WEBSOCKET_VERSION": "13,13"}, 426),
        ({"HTTP_SEC_WEBSOCKET_KEY": ""}, 400),
        ({"HTTP_SEC_WEBSOCKET_KEY": "mWOq640xJ16Pmq4TWD7L/A"}, 400),
        ({"HTTP_SEC_WEBSOCKET_KEY": "mWOq640xJ16Pmq4TWD7L/A==,mWOq640xJ16Pmq4TWD7L/A=="}, 400),
        ({"HTTP_SEC_WEBSOCKET_KEY": "AAAA"}, 400),
        ({"HTTP_SEC_WEBSOCKET_KEY": "ééééééééééééééé="}, 400),
    ],
)
def test_what_is_no_handshake(changes, status):
    refusal = check_upgrade(HANDSHAKE | changes)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
