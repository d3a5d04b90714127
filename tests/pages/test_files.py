"""What can be said of the app's files without a browser: syntax, labels, tables, permissions."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from esl_controller.errands.kinds import KINDS
from tests.pages import tables
from tests.pages.world import APP, THIN

FILES = sorted(path for path in APP.rglob("*.php") if "dialplan" not in path.parts)
LANGUAGES = ("en-us", "pt-br", "es-cl")
USED = re.compile(r"""text\[['"]([a-z_0-9.-]+)['"]\]""")
IN_LISTS = re.compile(r"""['"]((?:label|message|script|talk|first)-[a-z_0-9]+)['"]""")
MADE_OF = {
    "header-": r"section\('(\w+)'",
    "label-": r"->(?:input|select|number|range|area|toggle|suggested|row)\('(\w+)'",
}


def php(code: str) -> Any:
    """What a piece of PHP says in JSON."""
    done = subprocess.run(["php", "-r", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_code_is_written_as_fusionpbx_s_own() -> None:
    rules = Path(__file__).with_name("phpcs.xml")
    command = ["phpcs", f"--standard={rules}", "--report=emacs", str(APP)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.fixture(scope="module")
def labels() -> dict[str, dict[str, str]]:
    """Every label: the app's own, and those of the thin FusionPBX."""
    return php(
        f"$text=[]; include '{THIN}/resources/app_languages.php'; $common=$text; $text=[];"
        f"include '{APP}/app_languages.php'; echo json_encode(['own'=>$text,'common'=>$common]);"
    )


def test_php_reads_every_file() -> None:
    assert len(FILES) > 30
    done = subprocess.run(["php", "-l", *map(str, FILES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_label_is_there_in_every_language(labels) -> None:
    for key, words in labels["own"].items():
        assert set(words) == set(LANGUAGES), key
        assert all(word.strip() for word in words.values()), key
    known = labels["own"].keys() | labels["common"].keys()
    used: set[str] = set()
    for path in FILES:
        text = path.read_text("utf-8")
        used |= set(USED.findall(text))
        if path.parent.name != "languages":
            used |= set(IN_LISTS.findall(text))
            for prefix, pattern in MADE_OF.items():
                used |= {prefix + name for name in re.findall(pattern, text)}
    whole = {key for key in used if not key.endswith("_")}  # the others are beginnings
    assert whole - known - {"label-id"} == set()


@pytest.mark.parametrize(
    ("constraint", "prefix"),
    [
        ("chk_voice_transfers_realtime_status", "label-transfer_"),
        ("chk_voice_function_calls_realtime_status", "label-function_"),
    ],
)
def test_whatever_a_row_may_say_has_a_label(here, labels, constraint, prefix) -> None:
    sql = "select pg_get_constraintdef(oid) from pg_constraint where conname = %s"
    said = re.findall(r"'(\w+)'", here.row(sql, constraint)[0])
    assert len(said) > 3
    assert {prefix + one for one in said} - labels["own"].keys() == set()


def test_every_kind_of_errand_has_a_label(labels) -> None:
    assert {f"option-errand_{kind}" for kind in KINDS} - labels["own"].keys() == set()


def test_placeholders_are_the_same_in_every_language(labels) -> None:
    for key, words in labels["own"].items():
        found = {tuple(sorted(re.findall(r"%[sd]|\{\w+\}", word))) for word in words.values()}
        assert len(found) == 1, key


def test_tables_are_those_of_the_migrations(here) -> None:
    """Or a schema upgrade of FusionPBX would alter them, each time it runs."""
    wanted = tables.text(lambda sql: here.database.execute(sql))
    assert tables.FILE.read_text("utf-8") == wanted, "run: python -m tests.pages.tables"


def test_a_schema_upgrade_would_alter_nothing(here) -> None:
    """As core/upgrade compares: the type up to the parenthesis with information_schema's."""
    apps = php(f"$x=0; include '{APP}/app_config.php'; echo json_encode($apps);")
    names = {"timestamptz": "timestamp with time zone"}
    checked = 0
    for table in apps[0]["db"]:
        sql = """select column_name, data_type from information_schema.columns
                 where table_name = %s"""
        found = dict(here.database.execute(sql, table["table"]["name"]))
        for field in table["fields"]:
            declared = field["type"]["pgsql"].partition("(")[0]
            assert found[field["name"]] == names.get(declared, declared), field
            checked += 1
    assert checked > 150


def test_identities_are_unlike_any_other() -> None:
    apps = php(
        f"$x=0; include '{APP}/app_config.php'; include '{APP}/app_menu.php';"
        f"$array=[]; include '{APP}/resources/dashboard/config.php';"
        "echo json_encode([$apps[0], $array]);"
    )
    app, widgets = apps
    text = json.dumps([app["uuid"], app["menu"], app["default_settings"], widgets])
    own = [
        app["uuid"],
        *(one["uuid"] for one in app["menu"]),
        *(one["default_setting_uuid"] for one in app["default_settings"]),
    ]
    assert len(own) == len(set(own)) == 1 + len(app["menu"]) + 5
    assert "token" not in json.dumps(
        [one["default_setting_value"] for one in app["default_settings"]][1:2]
    )
    assert text.count(app["uuid"]) == 1


def test_every_permission_that_is_asked_for_can_be_given() -> None:
    app = php(f"$x=0; include '{APP}/app_config.php'; echo json_encode($apps[0]);")
    given = {one["name"]: set(one["groups"]) for one in app["permissions"]}
    asked = set()
    for path in FILES:
        text = path.read_text("utf-8")
        asked |= set(re.findall(r"permission_exists\('(voice_secretary\w+)'\)", text))
    assert asked - given.keys() - {"voice_secretary_", "voice_secretary_provider_"} == set()
    assert all("superadmin" in groups for groups in given.values())
    assert given["voice_secretary_all"] == {"superadmin"}


def test_no_page_holds_sql() -> None:
    sql = re.compile(r"\b(select|insert into|update|delete from)\b[^'\"]*\bv_\w+", re.IGNORECASE)
    for path in FILES:
        if path.parent.name != "classes" and path.name not in ("app_config.php", "tables.php"):
            assert not sql.search(path.read_text("utf-8")), path.name


def test_every_page_asks_who_is_there_and_what_he_may() -> None:
    pages = [path for path in APP.glob("*.php") if not path.name.startswith("app_")]
    assert len(pages) > 9
    for path in pages:
        text = path.read_text("utf-8")
        if path.name == "voice_secretary_edit.php":
            continue  # leads on, and reads nothing
        assert 'require_once "resources/check_auth.php"' in text, path.name
        assert "permission_exists(" in text or "voice_secretary_asker" in text, path.name
        if "$_POST" in text:
            assert "->validate($_SERVER['PHP_SELF'])" in text, path.name


def test_line_breaks_are_left_to_the_browser() -> None:
    """`escape` of 5.5 makes a line break `&NewLine;`, which nl2br does not see: `vs_lines` does."""
    assert [path.name for path in FILES if "nl2br(" in path.read_text("utf-8")] == []


def test_the_app_s_dialplan_is_the_project_s() -> None:
    of_app = APP / "resources/switch/conf/dialplan"
    root = Path(__file__).parents[2]
    assert of_app.resolve() == (root / "dialplan_xml").resolve()


def test_secretaries_are_destinations_of_their_own_domain(here) -> None:
    """As FusionPBX's class `destinations` makes its lists: by the names of result columns."""
    app = php(f"$x=0; include '{APP}/app_config.php'; echo json_encode($apps[0]);")
    (one,) = app["destinations"]
    assert one["name"] == APP.name
    sql = f"{one['sql']} {one['where']} order by {one['order_by']}"
    sql = sql.replace("${domain_uuid}", here.two.domain_uuid)
    rows = here.database.execute(f"select to_jsonb(t) from ({sql}) t")
    assert len(rows) == 1
    assert set(rows[0][0]) == set(one["field"])
    assert rows[0][0]["destination"] == "8001"
