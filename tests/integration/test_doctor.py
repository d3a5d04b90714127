"""`doctor`: a bundle without the secrets that were planted, FusionPBX's dialplans, the role."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from esl_controller.doctor import bundle, dialplans, evidence
from esl_controller.doctor.finding import failed, note, ok, warning
from esl_controller.tenants.keys.secrets import SecretKeys
from tests.integration.cli_kit import run

SECRETS = {
    "a tenant's key": "tenantkey0123456789abcdef",
    "a tenant's header": "headertoken0123456789",
    "the operator's key": "operatorkey9876543210fed",
    "the admin token": "admin-token-of-sixteen-and-more",
    "FreeSWITCH's password": "Sw1tchPassw0rd",
    "the database's password": "dbPassw0rd'&x",
    "another program's token": "environmenttoken4711",
    "a key of a famous shape": "sk-proj-abcdefghijklmnop123456",
    "a card": "4111 1111 1111 1111",
    "a caller": "+49 170 1234567",
}
DOMAIN_UUID = "4f2b1c9e-0000-4000-8000-000000000001"


def planted(database: Any, tmp_path: Path) -> dict[str, str]:
    """The environment of an installation with a secret in every place there is for one."""
    keys = SecretKeys.load_or_create(tmp_path / "secret.key")
    tenant = database.seed()
    database.execute(
        "update v_voice_realtime_providers set credential = %s, headers = %s::jsonb",
        keys.seal(str(tenant.domain_uuid), SECRETS["a tenant's key"]),
        json.dumps({"Authorization": "Bearer " + SECRETS["a tenant's header"]}),
    )
    (tmp_path / "admin").write_text(SECRETS["the admin token"])
    return {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_PROVIDER_API_KEY": SECRETS["the operator's key"],
        "VOICE_AI_HTTP_ADMIN_TOKEN": f"file:{tmp_path / 'admin'}",
        "VOICE_AI_FREESWITCH_PASSWORD": SECRETS["FreeSWITCH's password"],
        "VOICE_AI_FREESWITCH_PORT": "1",
        "VOICE_AI_MEDIA_PORT": "0",
        "VOICE_AI_ESL_PORT": "0",
        "OTHER_TOKEN": SECRETS["another program's token"],
        "PGPASSWORD": SECRETS["the database's password"],
    }


def test_no_secret_is_in_it(database: Any, tmp_path: Path, monkeypatch: Any) -> None:
    environ = planted(database, tmp_path)
    sealed = database.execute("select credential from v_voice_realtime_providers")[0][0]
    log = tmp_path / "worker-0.log"
    secrets = [*SECRETS.values(), sealed]
    log.write_text(
        "".join(f'{{"event":"trouble","error":"refused {one} by it"}}\n' for one in secrets)
        + '{"event":"call.ended","domain_uuid":"' + DOMAIN_UUID + '"}\n'
    )  # fmt: skip
    monkeypatch.setattr(evidence, "LOGS", (tmp_path, "worker-*.log"))
    file = tmp_path / "bundle.tar.gz"
    told = json.loads(run("doctor", "--json", "--bundle", str(file), **environ).stdout)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as found:
        texts = {one.name: found.extractfile(one).read().decode() for one in found.getmembers()}
    names = {f"voice-ai/{name}" for name in ("findings.json", "settings.json", "versions.json")}
    assert names | {"voice-ai/log.txt"} <= set(texts)
    whole = "\n".join(texts.values())
    assert [name for name, one in SECRETS.items() if one in whole] == []
    assert sealed not in whole
    assert texts["voice-ai/log.txt"].count("trouble") == len(secrets)
    assert DOMAIN_UUID in whole
    assert json.loads(texts["voice-ai/findings.json"])["score"] == told["score"]
    again = run("doctor", "--bundle", str(file), **environ)
    assert again.exit_code == 1
    assert "was not written: File exists" in again.output


def test_the_score() -> None:
    assert bundle.score([ok("a", "")] * 9) == 100
    assert bundle.score([note("a", "", "x"), warning("b", "", "x"), failed("c", "", "x")]) == 67
    assert bundle.score([failed("c", "", "x")] * 5) == 0


@pytest.mark.parametrize(
    ("language", "words"), [("pt", "verifique mod_event"), ("es", "revise mod")]
)
def test_the_fix_is_told_in_other_languages(language: str, words: str, tmp_path: Path) -> None:
    environ = {"VOICE_AI_FREESWITCH_PORT": "1", "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path)}
    assert f"→ {words}" in run("doctor", "--language", language, **environ).stdout


DIALPLANS = """create table v_dialplans (dialplan_uuid uuid primary key default gen_random_uuid(),
  domain_uuid uuid, app_uuid uuid, dialplan_context text, dialplan_name text,
  dialplan_continue boolean, dialplan_xml text, dialplan_order numeric, dialplan_enabled boolean)"""
CATCHES = """<extension name="all"><condition field="destination_number" expression="^8\\d+$"/>
</extension>"""


def test_a_role_that_may_little_and_a_dialplan_that_comes_first(
    database: Any, tmp_path: Path
) -> None:
    environ = planted(database, tmp_path)
    database.execute(DIALPLANS)
    rows = "insert into v_dialplans (app_uuid, dialplan_context, dialplan_name, dialplan_continue,"
    rows += " dialplan_xml, dialplan_order, dialplan_enabled)"
    rows += " values (%s, %s, %s, false, %s, %s, true)"
    database.execute(rows, dialplans.APP_UUID, "${domain_name}", "voice_ai_realtime", "", 900)
    database.execute(rows, None, "${domain_name}", "all", CATCHES, 100)

    database.execute("create role watcher login")
    database.execute("grant select on all tables in schema public to watcher")
    environ["VOICE_AI_DATABASE_DSN"] = f"{database.dsn} user=watcher"
    told = json.loads(run("doctor", "--json", **environ).stdout)
    database.execute("drop owned by watcher")
    database.execute("drop role watcher")
    found = {one["check"]: one for one in told["findings"]}
    assert found["dialplan order"]["state"] == "warning"
    assert found["dialplan order"]["detail"].endswith("goes to all (100) first")
    assert found["database role"]["state"] == "failed"
    assert "watcher lacks rights on v_voice_" in found["database role"]["detail"]
    assert found["tenants' keys"] == {
        "check": "tenants' keys",
        "state": "ok",
        "detail": "1 can be opened",
        "advice": "",
    }


def test_a_database_that_knows_no_letters_is_told_with_what_to_do(
    bytes_database: Any, tmp_path: Path
) -> None:
    bytes_database.execute("create table v_domains (domain_name text)")
    bytes_database.execute("insert into v_domains values (convert_from('\\xc3a9', 'sql_ascii'))")
    environ = {
        "VOICE_AI_DATABASE_DSN": bytes_database.dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
    }
    told = json.loads(run("doctor", "--json", "--language", "pt", **environ).stdout)
    found = {one["check"]: one for one in told["findings"]}
    assert found["database encoding"]["state"] == "failed"
    assert found["database encoding"]["detail"] == "SQL_ASCII instead of UTF8"
    assert "para um banco novo em UTF8" in found["database encoding"]["advice"]
    result = run("migrate", **environ)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "has encoding SQL_ASCII instead of UTF8" in result.stderr


def test_a_service_of_vectors_without_pgvector_is_told_with_what_to_do(
    database: Any, tmp_path: Path
) -> None:
    tenant = database.seed()
    environ = {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
    }
    assert meaning(**environ) is None, "nobody wants any"
    database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, embedding_url, embedding_model)
           values (%s, 'https://vectors.example/v1', 'm') on conflict (domain_uuid) do update set
             embedding_url = excluded.embedding_url, embedding_model = excluded.embedding_model""",
        tenant.domain_uuid,
    )
    told = meaning("--language", "pt", **environ)
    assert told is not None
    assert (told["state"], "como superusuário" in told["advice"]) == ("warning", True)
    database.execute("create domain vector as text")  # the type is what is looked for
    assert meaning(**environ)["state"] == "ok"


def meaning(*arguments: str, **environ: str) -> Any:
    told = json.loads(run("doctor", "--json", *arguments, **environ).stdout)
    found = [one for one in told["findings"] if one["check"] == "search by meaning"]
    return found[0] if found else None
