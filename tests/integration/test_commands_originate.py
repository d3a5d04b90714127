"""`esl-controller originate`, at the simulated switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    with Switch(SwitchConfig(quirks=CALM, seed=1, temp_dir=tmp_path)) as switch:
        yield switch


@pytest.fixture
def freeswitch(switch: Switch) -> dict[str, str]:
    return {"VOICE_AI_FREESWITCH_PORT": str(switch.listen_inbound())}


def test_originate_calls_and_gives_the_calls_uuid(
    switch: Switch, freeswitch: dict[str, str]
) -> None:
    result = run(
        "originate", "user/1004@pbx.example.com", "1000", "--json", "--caller-id", "5511",
        "--domain", "4F2B1C9E-1111-4222-8333-444455556666", **freeswitch,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)["call_uuid"]) == 36


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["user/1001@x", "1000"], "user/1001@x was not reached: USER_BUSY"),
        (["user/1004@x", "8000 XML evil"], "not one plain word"),
        (["bad endpoint", "1000"], "not an endpoint"),
        (["user/1004@x", "1000", "--domain", "x"], "no database is set"),
    ],
)
def test_originate_that_fails_says_why(
    freeswitch: dict[str, str], arguments: list[str], words: str
) -> None:
    result = run("originate", *arguments, **freeswitch)
    assert result.exit_code == 1
    assert words in result.stderr


def test_originate_takes_the_name_of_a_domain(
    freeswitch: dict[str, str], database: TestDatabase
) -> None:
    tenant = database.seed()
    environ = freeswitch | {"VOICE_AI_DATABASE_DSN": database.workers_dsn}
    to = ("originate", "user/1004@x", "1000", "--domain")
    assert run(*to, tenant.domain_name, **environ).exit_code == 0
    result = run(*to, "nowhere.example", **environ)
    assert (result.exit_code, "there is no domain nowhere.example" in result.stderr) == (1, True)


def test_originate_says_where_nobody_answers() -> None:
    result = run("originate", "user/1001@x", "1000", VOICE_AI_FREESWITCH_PORT="1")
    assert result.exit_code == 1
    assert "at 127.0.0.1:1 (VOICE_AI_FREESWITCH_HOST" in result.stderr
