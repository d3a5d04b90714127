"""Whether a mod_audio_stream streams: `prove_audio.py MODULE.so FREESWITCH MODULES FS_CLI`.

A FreeSWITCH of its own is started on this host's loopback with the module and little else; a
channel without a caller is parked, and its sound asked for at a WebSocket of ours. The FreeSWITCH
that carries calls is not touched. Says what came and ends with 0, or what is wrong and ends with 1.
Needs nothing but Python: it runs where FreeSWITCH does.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
START_S = 20.0
WAIT_S = 5.0
SOUND_BYTES = 1600  # five frames: 20 ms each, 8 kHz, 16 bits
BINARY = 0x82
NEEDED = ("mod_event_socket", "mod_commands", "mod_dptools", "mod_loopback")
CONFIGURATION = """\
<document type="freeswitch/xml"><section name="configuration">
<configuration name="switch.conf"><settings><param name="loglevel" value="warning"/></settings>
</configuration>
<configuration name="event_socket.conf"><settings><param name="listen-ip" value="127.0.0.1"/>
<param name="listen-port" value="{port}"/><param name="password" value="{password}"/></settings>
</configuration>
<configuration name="modules.conf"><modules>{modules}</modules></configuration>
</section></document>
"""


class NotProven(Exception):
    """With what is wrong."""


class Refused(NotProven):
    """The module does not accept our certificate."""


def main(module: str, freeswitch: str, modules: str, fs_cli: str) -> int:
    """Prove it once."""
    try:
        with own_freeswitch(Path(module), freeswitch, Path(modules), fs_cli) as command:
            sound = streamed(command)
            print(
                f"mod_audio_stream joined a WebSocket by TLS, sent {sound} bytes of sound, "
                "and refused one whose certificate it does not know"
            )
    except (OSError, NotProven, subprocess.SubprocessError) as error:
        print(error)
        return 1
    return 0


@contextmanager
def own_freeswitch(
    module: Path, freeswitch: str, modules: Path, fs_cli: str
) -> Iterator[list[str]]:
    """Run one with the module; yields how it is told something. Raises NotProven."""
    with tempfile.TemporaryDirectory(prefix="prove-audio") as directory:
        at = Path(directory)
        port, password = free_port(), secrets.token_hex(8)
        configure(at, module, modules, port, password)
        options = [f"-{name}" for name in ("nf", "nc", "np", "nonat")]
        for name in ("conf", "log", "run", "db", "mod", "temp", "storage", "cache"):
            options += [f"-{name}", directory]
        process = subprocess.Popen(
            [freeswitch, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        command = [fs_cli, "-H", "127.0.0.1", "-P", str(port), "-p", password, "-x"]
        try:
            await_module(process, command)
            yield command
        finally:
            process.terminate()
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def configure(at: Path, module: Path, modules: Path, port: int, password: str) -> None:
    """Its configuration, and the few modules it loads."""
    for name in NEEDED:
        (at / f"{name}.so").symlink_to(modules / f"{name}.so")
    (at / "mod_audio_stream.so").symlink_to(module.resolve())
    loaded = "".join(f'<load module="{name}"/>' for name in (*NEEDED, "mod_audio_stream"))
    text = CONFIGURATION.format(port=port, password=password, modules=loaded)
    (at / "freeswitch.xml").write_text(text, "utf-8")


def await_module(process: subprocess.Popen[bytes], command: list[str]) -> None:
    """Until it takes commands and has the module; raises NotProven."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise NotProven(f"FreeSWITCH ended with {process.returncode} when it loaded the module")
        answer = asked(command, "module_exists mod_audio_stream")
        if answer == "true":
            return
        if answer == "false" and asked(command, "status").startswith("UP"):
            raise NotProven("FreeSWITCH does not load the module")
        time.sleep(0.2)
    raise NotProven("a FreeSWITCH of our own did not start")


def asked(command: list[str], text: str) -> str:
    """FreeSWITCH's answer; nothing while it does not answer."""
    done = subprocess.run([*command, text], capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip()


def streamed(command: list[str]) -> int:
    """The bytes of sound that came by TLS; what cannot be verified must get none."""
    with tempfile.TemporaryDirectory(prefix="prove-audio-tls") as directory:
        at = Path(directory)
        at.chmod(0o755)
        context = certified(at)
        sound = heard(command, context, str(at / "certificate.pem"))
        try:
            heard(command, context, "")
        except Refused:
            return sound
    raise NotProven("the module sends sound to a server whose certificate it cannot verify")


def certified(at: Path) -> ssl.SSLContext:
    """A server's, with a certificate for localhost that has signed itself."""
    key, certificate = at / "key.pem", at / "certificate.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(key), "-out", str(certificate))
    command = ["openssl", "req", "-x509", *curve, *name, *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def heard(command: list[str], context: ssl.SSLContext, ca_file: str) -> int:
    """Have a channel stream to us; `ca_file` empty: the module knows the system's authorities
    alone."""
    channel = str(uuid.uuid4())
    with listening() as (servers, port):
        trust = f"uuid_setvar {channel} STREAM_TLS_CA_FILE {ca_file}"
        for text in (
            f"originate {{origination_uuid={channel}}}null/prove-audio &park()",
            *([trust] if ca_file else []),
            f"uuid_audio_stream {channel} start wss://localhost:{port}/prove mono 8000",
        ):
            answer = asked(command, text)
            if not answer.startswith("+OK"):
                raise NotProven(f"{text.partition(' ')[0]}: {answer or 'no answer'}")
        ready, _, _ = select.select(servers, [], [], WAIT_S)
        if not ready:
            raise NotProven("the module does not connect to a WebSocket")
        connection, _ = ready[0].accept()
        try:
            with connection:
                connection.settimeout(WAIT_S)
                with context.wrap_socket(connection, server_side=True) as tls:
                    return received(tls)
        except TimeoutError:
            raise NotProven("the module sends nothing to a WebSocket") from None
        except ssl.SSLError as error:
            if "HTTP_REQUEST" in str(error):
                raise NotProven("it was built without TLS: it sends in clear") from None
            raise Refused(str(error)) from None


@contextmanager
def listening() -> Iterator[tuple[list[socket.socket], int]]:
    """On both addresses `localhost` may have, and one port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        try:
            other = socket.create_server(("::1", port), family=socket.AF_INET6)
        except OSError:
            yield [server], port
            return
        with other:
            yield [server, other], port


def received(connection: socket.socket) -> int:
    """Shake hands and read until enough sound has come; returns its bytes."""
    reader = connection.makefile("rb")
    connection.sendall(accepted(key_of(reader)))
    sound = 0
    while sound < SOUND_BYTES:
        opcode, body = frame(reader)
        sound += len(body) if opcode == BINARY else 0
    return sound


def key_of(reader: BinaryIO) -> bytes:
    """The key of a hand-shake."""
    key = b""
    for line in iter(reader.readline, b"\r\n"):
        if not line:
            raise NotProven("the hand-shake broke off")
        name, _, value = line.partition(b":")
        if name.lower() == b"sec-websocket-key":
            key = value.strip()
    return key


def accepted(key: bytes) -> bytes:
    """The answer to a hand-shake."""
    proof = base64.b64encode(hashlib.sha1(key + GUID.encode()).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
    )


def frame(reader: BinaryIO) -> tuple[int, bytes]:
    """One masked frame (RFC 6455, 5.2), its sound still masked."""
    head = reader.read(2)
    if len(head) < 2:
        raise NotProven("the stream broke off before its sound came")
    length = head[1] & 0x7F
    if length > 125:
        length = int.from_bytes(reader.read(2 if length == 126 else 8), "big")
    reader.read(4)
    return head[0], reader.read(length)


def free_port() -> int:
    """A port of the loopback that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
