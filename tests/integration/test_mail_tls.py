"""A call's letter over TLS with a password, to a real mail server; and who does not get it."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gevent import subprocess

from esl_controller.errands.smtp import MailServer
from esl_controller.settings.mail import Mail
from esl_controller.settings.types import Secret
from tests.arch.tree import ROOT
from tests.integration.errand_house import House
from tests.integration.mail_server import PASSWORD, USER
from tests.wire.ws.peers import TLS

CERTIFICATE, KEY = TLS / "localhost.pem", TLS / "localhost.key"
HOSTILE = "Ana\r\nBcc: thief@evil.example\r\n\r\n.\r\nMAIL FROM:<thief@evil.example>\r\n"
WORDS = [
    {"role": "user", "text": "Olá\r\n.\r\nRCPT TO:<thief@evil.example>", "timestamp": 61.0},
    {"role": "assistant", "text": "Às nove horas. 日本", "timestamp": 63.0},
]


class Server:
    """The process, and a way to it."""

    def __init__(self, security: str) -> None:
        command = [sys.executable, "-m", "tests.integration.mail_server", security]
        self._process = subprocess.Popen(
            [*command, str(CERTIFICATE), str(KEY)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.security = security
        self.port = int(self._process.stdout.readline())

    def mail(self, **more: Any) -> MailServer:
        told = {
            "host": "localhost",
            "port": self.port,
            "security": self.security,
            "username": USER,
            "password": Secret(PASSWORD),
            "sender": "voice@pbx.example",
            "ca_file": str(CERTIFICATE),
        }
        return MailServer(Mail(**told | more))

    def stop(self) -> list[Any]:
        """The letters it has taken."""
        self._process.terminate()
        out, _ = self._process.communicate(timeout=10)
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def start() -> Iterator[Callable[[str], Server]]:
    started: list[Server] = []

    def one(security: str) -> Server:
        started.append(Server(security))
        return started[-1]

    yield one
    for server in started:
        server.stop()


def send(house: House, mail: MailServer) -> Any:
    """A call's report; its errand, tried once."""
    house.means._mail = mail
    talk = house.conversation(WORDS, summary="Ana wants a table.")
    call = {"caller_id": "5511", "caller_name": HOSTILE, "outcome": "completed"}
    first = house.ask("summary", f"{talk}:summary", {}, conversation_uuid=talk)
    house.database.execute(
        "update v_voice_realtime_errands set state = 'delivered', result = %s"
        " where kind = 'summary'",
        json.dumps({"summary": "Ana wants a table.", "fields": {"people": 4}}),
    )
    wanted = house.ask(
        "email",
        f"{talk}:call.ended",
        {"to": ["desk@clinic.example"], "call": call},
        conversation_uuid=talk,
        waits_for=first.errand_uuid,
    )
    house.work()
    return house.row(wanted)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_with_summary_and_transcript(house: House, start: Any, security: str) -> None:
    server = start(security)
    row = send(house, server.mail())
    assert (row.state, row.result) == ("delivered", {"answer": "taken"}), row.last_error
    (letter,) = server.stop()
    assert (letter["from"], letter["to"]) == ("voice@pbx.example", ["desk@clinic.example"])
    assert (letter["authenticated"], letter["tls"]) == (True, True)
    read = email.message_from_bytes(
        base64.b64decode(letter["content"]), policy=email.policy.default
    )
    assert set(read) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Idempotency-Key"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
    assert read["Subject"].strip().startswith("Call from Ana Bcc: thief@evil.example")
    text = read.get_content()
    assert "Summary\n\nAna wants a table.\n\npeople: 4\n\nTranscript" in text.replace("\r\n", "\n")
    assert "[01:01] Caller: Olá" in text
    assert "[01:03] AI: Às nove horas. 日本" in text


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ca_file": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"host": "127.0.0.2"}, "IP address mismatch"),
        ({"password": Secret("another")}, "535"),
    ],
)
def test_who_is_not_who_it_says_gets_nothing(
    house: House, start: Any, security: str, wrong: dict[str, Any], said: str
) -> None:
    server = start(security)
    row = send(house, server.mail(**wrong))
    assert row.state == "queued", "the operator may mend it"
    assert said in row.last_error
    assert PASSWORD not in row.last_error
    assert server.stop() == []


@pytest.mark.parametrize(
    ("name", "answer"), [("EHLO", ""), ("STARTTLS", "454 TLS not available"), ("STARTTLS", "220")]
)
def test_nobody_talks_us_out_of_tls(house: House, name: str, answer: str) -> None:
    """STARTTLS taken out of the server's answer, refused, or answered and then not spoken."""
    if name == "STARTTLS":
        house.mail.replies["EHLO"] = "250-receiver.example\r\n250 STARTTLS"
        house.mail.replies["STARTTLS"] = answer
    at = {"host": "127.0.0.1", "port": house.mail.port, "username": USER, "timeout_s": 2.0}
    mail = MailServer(Mail(**at, password=Secret(PASSWORD), sender="v@pbx.example"))
    row = send(house, mail)
    assert (row.state, house.mail.mailed) == ("queued", [])
    assert "mail server" in row.last_error
    assert PASSWORD not in row.last_error
