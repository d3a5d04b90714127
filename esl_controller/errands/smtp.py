"""The operator's mail server, over the standard library's smtplib on gevent's sockets."""

from __future__ import annotations

import smtplib
import ssl

from esl_controller.errands.base import Dead, Retry
from esl_controller.errands.letter import Letter, compose
from esl_controller.settings.mail import Mail
from esl_controller.telemetry.background import in_thread

_AUTHENTICATION = (530, 534, 535, 538)
"""RFC 4954: the operator's password is wrong, which is nothing of the letter's."""


class MailServer:
    """Sends each letter over a connection of its own: there are few."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None

    def send(self, letter: Letter) -> str:
        """Hand a letter over. Raises Retry, Dead.

        A server refuses for good with 5xx (RFC 5321 4.2.1); refused recipients beside accepted
        ones are told in the answer.
        """
        at = self._settings
        if not at.host:
            raise Dead("no mail server is set: VOICE_AI_MAIL_HOST")
        try:
            with self._connected() as server:
                refused = server.sendmail(at.sender, list(letter.to), compose(letter, at.sender))
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(*next(iter(error.recipients.values()))) from None
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Retry(f"mail server {at.host}: {error}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Retry(f"mail server {at.host}: {_words(error)}") from None
        return f"not taken for {', '.join(sorted(refused))}" if refused else "taken"

    def _connected(self) -> smtplib.SMTP:
        at = self._settings
        if at.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                at.host, at.port, timeout=at.timeout_s, context=self._context()
            )
        else:
            server = smtplib.SMTP(at.host, at.port, timeout=at.timeout_s)
        try:
            if at.security == "starttls":
                server.starttls(context=self._context())
            if at.username:
                server.login(at.username, at.password.reveal())
        except BaseException:
            server.close()
            raise
        return server

    def _context(self) -> ssl.SSLContext:
        """Verifies the server's certificate and name. Reading the authorities takes a thread."""
        if self._tls is None:
            made = in_thread(_trusting, self._settings.ca_file, OSError)
            if isinstance(made, OSError):
                raise made
            self._tls = made
        return self._tls


def _trusting(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or None)


def _refused(code: int, text: bytes | str) -> Retry | Dead:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    said = f"mail server: {code} {words}"[:500]
    return Retry(said) if code < 500 or code in _AUTHENTICATION else Dead(said)


def _words(error: Exception) -> str:
    return str(error)[:300] or type(error).__name__
