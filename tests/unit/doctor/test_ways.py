"""What doctor says of encryption, doors and secret files."""

from __future__ import annotations

import ssl
from pathlib import Path

import gevent
import msgspec
import pytest
from gevent import server

from esl_controller.doctor import database_way, doors, streams
from esl_controller.doctor.finding import Finding, State
from esl_controller.settings.host import Storage
from esl_controller.settings.table import Esl, Freeswitch, Media, Settings, Worker

FAR = Freeswitch(host="10.0.0.2")


def told(found: object) -> dict[str, list[Finding]]:
    by_check: dict[str, list[Finding]] = {}
    for one in found:  # type: ignore[attr-defined]
        by_check.setdefault(one.check, []).append(one)
    return by_check


def test_on_one_host_nothing_leaves_the_loopback() -> None:
    assert list(streams.look(Settings())) == []


def test_what_goes_to_freeswitch_elsewhere_in_clear() -> None:
    found = told(streams.look(Settings(freeswitch=FAR)))["encryption of calls"]
    assert [one.state for one in found] == [State.WARNING, State.WARNING, State.NOTE]
    media = Media(flavour="1.0.3", playback="binary")
    assert (
        len(told(streams.look(Settings(freeswitch=FAR, media=media)))["encryption of calls"]) == 2
    )


def test_an_address_in_place_of_a_name_cannot_be_verified() -> None:
    media = Media(public_url="wss://10.0.0.5:8443/worker/{index}")
    (found,) = streams.look(Settings(media=media))
    assert (found.state, "names alone" in found.detail) == (State.FAILED, True)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", State.OK),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", State.WARNING),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", State.FAILED),
        (b"220 mail.example.com\r\n", State.FAILED),
        (b"", State.FAILED),
    ],
)
def test_what_answers_at_each_worker_s_address(answer: bytes, state: State) -> None:
    asked: list[bytes] = []

    def answers(sock: gevent.socket.socket, _address: object) -> None:
        asked.append(sock.recv(4096).split(b"\r\n")[0])
        sock.sendall(answer)
        sock.close()

    listener = server.StreamServer(("127.0.0.1", 0), answers)
    listener.start()
    url = f"ws://localhost:{listener.server_port}/worker/{{index}}"
    settings = Settings(media=Media(public_url=url), worker=Worker(count=2))
    found = list(streams.look(settings))
    listener.stop()
    assert [one.state for one in found] == [state, state]
    assert asked[1].startswith(b"GET /worker/1/stream/0000")


def test_nothing_there() -> None:
    media = Media(public_url="wss://localhost:1/worker/{index}")
    (found,) = streams.look(Settings(media=media))
    assert (found.state, found.check) == (State.FAILED, "stream address")


def row(client: str, tls: bool) -> dict[str, object]:
    return {"client": client, "tls": tls}


@pytest.mark.parametrize(
    ("client", "tls", "dsn", "state"),
    [
        ("10.0.0.5", False, "host=db sslmode=prefer", State.WARNING),
        ("10.0.0.5", True, "host=db sslmode=require", State.WARNING),
        ("10.0.0.5", True, "host=db", State.WARNING),
        ("10.0.0.5", True, "host=db sslmode=verify-full", State.OK),
    ],
)
def test_the_way_to_the_database(
    monkeypatch: pytest.MonkeyPatch, client: str, tls: bool, dsn: str, state: State
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    (found,) = database_way.look(row(client, tls), dsn)
    assert (found.check, found.state) == ("database way", state)


@pytest.mark.parametrize("client", ["", "127.0.0.1", "::1"])
def test_on_the_same_host_the_way_is_short(client: str) -> None:
    assert list(database_way.look(row(client, tls=False), "host=/run/postgresql")) == []


def test_the_database_s_certificate_is_asked_for_as_libpq_does(tmp_path: Path) -> None:
    """With SSLRequest first; a server without TLS says N."""
    requests: list[bytes] = []

    def answers(sock: gevent.socket.socket, _address: object) -> None:
        requests.append(sock.recv(8))
        sock.sendall(b"N")

    listener = server.StreamServer(("127.0.0.1", 0), answers)
    listener.start()
    root = ssl.get_default_verify_paths().cafile or ""
    dsn = f"host=localhost port={listener.server_port} sslmode=verify-full sslrootcert={root}"
    found = told(database_way.look(row("10.0.0.5", tls=True), dsn))
    listener.stop()
    assert requests == [database_way.SSL_REQUEST]
    assert found["database certificate"][0].detail.endswith("the server has no TLS")


def test_doors() -> None:
    assert doors._doors(Settings()).state is State.OK
    wide = Settings(esl=Esl(listen_host="0.0.0.0", allow=("0.0.0.0/0",)))
    assert doors._doors(wide).state is State.WARNING
    some = Settings(esl=Esl(listen_host="10.0.0.5", allow=("10.0.0.0/24",)))
    assert doors._doors(some).state is State.NOTE


def test_secret_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, keys = tmp_path / "voice-ai.toml", tmp_path / "keys"
    keys.mkdir()
    (keys / "openai").write_text("key")
    (keys / "openai").chmod(0o600)
    config.write_text("")
    config.chmod(0o600)
    monkeypatch.setenv("VOICE_AI_CONFIG", str(config))
    storage = Storage(secret_key_file=str(tmp_path / "secret.key"), key_dir=str(keys))
    settings = msgspec.structs.replace(Settings(), storage=storage)
    assert doors._files(settings).state is State.OK
    (keys / "openai").chmod(0o644)
    found = doors._files(settings)
    assert found.state is State.WARNING
    assert found.advice == f"chmod 600 {keys / 'openai'}"
