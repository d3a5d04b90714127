"""A worker with two domains, and the pages over a thin FusionPBX served by PHP."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from psycopg2.extensions import parse_dsn

from esl_controller.app import App
from esl_controller.database.repository.demo import DemoProvider, DemoTenant
from esl_controller.settings.types import Secret
from esl_controller.simulator import speech
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.service import LONG_TEXT, free_port, settings_for

ROOT = Path(__file__).parents[2]
APP = ROOT / "fusionpbx_app" / "voice_secretary"
THIN = Path(__file__).parent / "thin"
TOKEN = "a-token-of-the-pages-tests"
_TABLES = (
    "create table v_extensions (domain_uuid uuid, extension text, effective_caller_id_name text,"
    " description text, enabled boolean)",
    "create table v_ring_groups (domain_uuid uuid, ring_group_extension text,"
    " ring_group_name text, ring_group_enabled text)",
    "create table v_dialplans (domain_uuid uuid, app_uuid uuid, dialplan_name text,"
    " dialplan_enabled boolean)",
    "create table v_xml_cdr (xml_cdr_uuid uuid, domain_uuid uuid, record_path text,"
    " record_name text)",
)


def _dangling(directory: str, names: list[str]) -> list[str]:
    """Links that lead nowhere."""
    return [name for name in names if not (Path(directory) / name).exists()]


class Web:
    """PHP's own server over a copy of the pages."""

    def __init__(self, root: Path, dsn: str, api_url: str) -> None:
        self.root = root
        shutil.copytree(THIN, root)
        shutil.copytree(APP, root / "app" / "voice_secretary", ignore=_dangling)
        (root.parent / "sessions").mkdir()
        self._log = root.parent / "php.log"
        self.port = free_port()
        of = parse_dsn(dsn)
        place = f"pgsql:host={of['host']};port={of.get('port', 5432)};dbname={of['dbname']}"
        given = {
            "voice_secretary": {
                "api_url": api_url,
                "api_token": TOKEN,
                "api_timeout": 8,
                "browser_path": "/voice-ai",
            },
            "domain": {"paging": 50, "time_zone": "America/Sao_Paulo"},
        }
        environment = {
            "PATH": os.environ["PATH"],
            "PHP_CLI_SERVER_WORKERS": "4",
            "THIN_DSN": place,
            "THIN_USER": of.get("user", ""),
            "THIN_PASSWORD": of.get("password", ""),
            "THIN_SESSIONS": str(root.parent / "sessions"),
            "THIN_SETTINGS": json.dumps(given),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["php", "-S", f"127.0.0.1:{self.port}", "-t", str(root)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/none", timeout=1).close()
            except urllib.error.HTTPError as error:
                error.close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def warnings(self) -> list[str]:
        """What PHP complained of so far."""
        lines = self._log.read_text("utf-8", "replace").splitlines()
        bad = ("THIN-WARNING", "PHP Fatal", "PHP Parse", "PHP Warning", "Uncaught")
        return [line for line in lines if any(word in line for word in bad)]

    def stop(self) -> None:
        """End it and its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 15)
        self._process.wait(5)


class Visitor:
    """A user without a browser: requests with the cookies of one session."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), _NoRedirect()
        )

    def log_in(self, domain_uuid: str, **more: str) -> Visitor:
        """Become a user of a domain."""
        answer = self.get(f"/login.php?{urlencode({'domain_uuid': domain_uuid, **more})}")
        assert answer[:2] == (200, "in"), answer
        return self

    def get(self, path: str) -> tuple[int, str, str]:
        """Status, body and where it leads."""
        return self._open(urllib.request.Request(self.url + path))

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str, str]:
        """The same of a form that is sent."""
        body = urlencode(fields).encode()
        return self._open(urllib.request.Request(self.url + path, body))

    def upload(
        self, path: str, fields: dict[str, str], name: str, content: bytes
    ) -> tuple[int, str, str]:
        """The same of a form with a file (RFC 7578), called `file`."""
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{value}\r\n'
            for one, value in fields.items()
        ]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = "".join(parts).encode() + f"{head}\r\n".encode() + content
        body += f"\r\n--{mark}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self._open(urllib.request.Request(self.url + path, body, headers))

    def _open(self, request: urllib.request.Request) -> tuple[int, str, str]:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode("utf-8", "replace"), ""
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
                return error.code, text, error.headers.get("Location", "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class World:
    """What tests hold."""

    app: App
    database: Any
    web: Web
    one: DemoTenant
    two: DemoTenant
    emulator: OpenAIEmulator
    base_url: str
    """Of the emulator."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    def visitor(self, tenant: DemoTenant, **more: str) -> Visitor:
        """An administrator of a domain."""
        return Visitor(self.url).log_in(tenant.domain_uuid, **more)

    def web_without_controller(self) -> Web:
        """The pages once more; nobody listens where they look for the controller."""
        root = self.web.root.parent / f"away{free_port()}" / "www"
        root.parent.mkdir()
        return Web(root, self.database.dsn, f"http://127.0.0.1:{free_port()}")

    def add_domain(self, name: str) -> str:
        """A domain without anything of ours."""
        sql = """insert into v_domains (domain_uuid, domain_name, domain_enabled)
                 values (gen_random_uuid(), %s, true) returning domain_uuid::text"""
        return str(self.row(sql, name)[0])

    def lead_to_emulator(self, domain_uuid: str) -> None:
        """The domain's providers are at the emulator's address."""
        sql = "update v_voice_realtime_providers set base_url = %s, credential = null"
        self.database.execute(f"{sql} where domain_uuid = %s", self.base_url, domain_uuid)

    def row(self, sql: str, *parameters: object) -> tuple[Any, ...]:
        """The only row of a statement."""
        rows = self.database.execute(sql, *parameters)
        assert len(rows) == 1, rows
        return rows[0]


def write_microphone(path: Path) -> Path:
    """Half a second of silence, a recorded sentence, a second of silence."""
    sentence = speech.recording("go_forward")
    rate_hz = sentence.rate_hz
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(bytes(rate_hz) + sentence.pcm + bytes(2 * rate_hz))
    return path


@contextlib.contextmanager
def world(database: Any, directory: Path) -> Iterator[World]:
    """Everything runs until the end of the tests."""
    for sql in _TABLES:
        database.execute(sql)
    script = Script(
        answers=(Answer("Certainly."), Answer(LONG_TEXT)), caller_lines=("go forward ten meters",)
    )
    emulator = OpenAIEmulator(EmulatorConfig(script=script, think_s=0.05))
    base_url = emulator.start()
    provider = DemoProvider(realtime_provider="openai", base_url=base_url)
    more = {"first_message": "Hello.", "silence_duration_ms": 200, "provider": provider}
    one = database.seed(extension="8001", name="one.example", **more)
    two = database.seed(extension="8001", name="two.example", **more)
    for tenant, name in ((one, "Ana"), (two, "Secret of two")):
        sql = "insert into v_extensions values (%s, %s, %s, '', true)"
        database.execute(sql, tenant.domain_uuid, "1001", name)
        sql = "insert into v_ring_groups values (%s, '2001', 'Sales', 'true')"
        database.execute(sql, tenant.domain_uuid)
    groups = {
        "http": {"admin_token": Secret(TOKEN)},
        "freeswitch": {"recordings_dir": str(directory / "recordings")},
    }
    app = App(settings_for(directory, **groups), database.dsn)
    app.start()
    host, port = app.media.address
    web = Web(directory / "www", database.dsn, f"http://{host}:{port}")
    try:
        yield World(app, database, web, one, two, emulator, base_url)
    finally:
        web.stop()
        app.stop()
        emulator.stop()
        database.disconnect()
