"""The Lua scripts, in the interpreters FreeSWITCH has; FreeSWITCH and FusionPBX are played."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.lua_runtime import SCRIPTS, VERSIONS, Lua

DOMAIN = "11111111-2222-4333-8444-555555555555"
SECRETARY = "99999999-2222-4333-8444-555555555555"
CHANNEL = {"destination_number": "8001", "domain_uuid": DOMAIN, "context": "d.example.com"}
Rows = Sequence[Mapping[str, Any]]


def tables(**found: Rows) -> Any:
    """Answers a statement by the table it asks."""

    def query(sql: str, parameters: Mapping[str, str]) -> Rows:
        return next((rows for name, rows in found.items() if f"from {name}" in sql), [])

    return query


def a_secretary(mode: str = "realtime", **more: str) -> Mapping[str, str]:
    return {"name": "Reception", "uuid": SECRETARY, "mode": mode, "person": "", **more}


def mode_of(lua: Lua) -> str | None:
    lua.run("get_secretary_mode.lua")
    assert lua.open_connections == 0
    return lua.variables.get("voice_ai_mode")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_dialplan_is_told_who_answers(version: str) -> None:
    found = tables(v_voice_secretaries_realtime=[a_secretary(person="200")])
    lua = Lua(version, dict(CHANNEL, voice_ai_person="stale"), found)
    assert mode_of(lua) == "realtime"
    assert lua.variables["voice_ai_extension"] == "8001"
    assert lua.variables["voice_ai_secretary_uuid"] == SECRETARY
    assert lua.variables["voice_ai_secretary_name"] == "Reception"
    assert lua.variables["voice_ai_person"] == "200"


@pytest.mark.parametrize(
    ("turn_based", "realtime", "extension", "mode"),
    [
        ([], [], [], "none"),
        ([], [a_secretary()], [], "realtime"),
        ([a_secretary("turn_based")], [a_secretary()], [], "turn_based"),
        ([a_secretary("auto")], [a_secretary()], [], "auto"),
        ([a_secretary("realtime")], [], [], "realtime"),
        ([a_secretary("auto")], [a_secretary()], [{"extension": "8001"}], "none"),
    ],
)
def test_version_1_decides_where_it_has_the_number_and_a_telephone_before_both(
    turn_based: Rows, realtime: Rows, extension: Rows, mode: str
) -> None:
    found = tables(
        v_voice_secretaries_realtime=realtime,
        v_voice_secretaries=turn_based,
        v_extensions=extension,
    )
    found_in_order = lambda sql, parameters: (  # noqa: E731
        realtime if "from v_voice_secretaries_realtime" in sql else found(sql, parameters)
    )
    assert mode_of(Lua(variables=dict(CHANNEL), query=found_in_order)) == mode


def test_a_call_without_a_domain_belongs_to_the_one_its_name_or_context_says() -> None:
    def query(sql: str, parameters: Mapping[str, str]) -> Rows:
        if "from v_domains" in sql:
            known = parameters["name"] == "d.example.com"
            return [{"uuid": DOMAIN, "name": "d.example.com"}] if known else []
        assert parameters["domain_uuid"] == DOMAIN
        return [a_secretary()] if "realtime" in sql.split("from")[1] else []

    channel = {"destination_number": "8001", "context": "d.example.com"}
    for more in ({}, {"domain_name": "D.example.com:5060".lower()}, {"domain_name": "unknown"}):
        lua = Lua(variables=channel | more, query=query)
        assert mode_of(lua) == "realtime"
        assert lua.variables["domain_uuid"] == DOMAIN
    stranger = Lua(variables={"destination_number": "8001", "context": "public"}, query=query)
    assert mode_of(stranger) == "none"
    assert "domain_uuid" not in stranger.variables


@pytest.mark.parametrize(
    "broken",
    [
        {"has_fusionpbx": False},
        {"connects": False},
        {"query": lambda sql, parameters: (_ for _ in ()).throw(RuntimeError("away"))},
    ],
    ids=["no FusionPBX", "no connection", "statement fails"],
)
def test_nothing_is_said_when_it_cannot_be_found_out(broken: dict[str, Any]) -> None:
    lua = Lua(variables=dict(CHANNEL, voice_ai_mode="turn_based"), **broken)
    assert mode_of(lua) is None
    assert [level for level, _ in lua.log] == ["err"]


HOSTILE = ["8001'; drop table v_domains; --", "80${system(id)}", "-bleg", "8001\n", "", "x" * 33]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_caller_writes_reaches_a_statement(text: str) -> None:
    asked: list[str] = []

    def query(sql: str, parameters: Mapping[str, str]) -> Rows:
        asked.extend([sql, *parameters.values()])
        return []

    for channel in (
        {**CHANNEL, "destination_number": text},
        {**CHANNEL, "domain_uuid": text or "'"},
        {"destination_number": "8001", "domain_name": text or "'", "context": "'"},
    ):
        assert mode_of(Lua(variables=dict(channel), query=query)) == "none"
    assert all("drop" not in one and "$" not in one and "\n8001" not in one for one in asked)


def test_a_name_in_the_table_is_plain_text_on_the_channel() -> None:
    hostile = a_secretary(person="200 XML public", name="A${system(id)}\r\nB")
    lua = Lua(variables=dict(CHANNEL), query=tables(v_voice_secretaries_realtime=[hostile]))
    assert mode_of(lua) == "realtime"
    assert "voice_ai_person" not in lua.variables
    assert not set("${}\r\n") & set(lua.variables["voice_ai_secretary_name"])


def turn_based(**how: Any) -> Lua:
    lua = Lua(**how)
    lua.run("voice_ai_turn_based.lua")
    assert lua.open_connections == 0
    return lua


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", ["200", "404"])
def test_version_1_gets_the_caller_where_its_service_answers(version: str, code: str) -> None:
    lua = turn_based(version=version, answers={"127.0.0.1:8100/health": code})
    assert lua.executed == [("lua", "secretary_ai.lua")]


@pytest.mark.parametrize("answer", ["000", "500", "", None])
def test_a_service_that_does_not_answer_gets_nobody(answer: str | None) -> None:
    lua = turn_based(answers={"8100": answer})
    assert lua.executed == []
    assert [level for level, _ in lua.log] == ["warning"]


def settings(**values: str) -> Any:
    return lambda sql, parameters: (
        [{"value": values[parameters["name"]]}] if parameters["name"] in values else []
    )


def test_fusionpbx_settings_say_where_version_1_is() -> None:
    query = settings(service_url="http://10.0.0.7:8089/", turn_based_script="v1/answer.lua")
    lua = turn_based(query=query, answers={"'http://10.0.0.7:8089/health'": "200"})
    assert lua.executed == [("lua", "v1/answer.lua")]
    lua = turn_based(has_fusionpbx=False, answers={"127.0.0.1:8100": "200"})
    assert lua.executed == [("lua", "secretary_ai.lua")]


@pytest.mark.parametrize(
    "url", ["http://a';id;'", "http://a$(id)", "file:///etc/passwd", "http://a b", "http://a\nb"]
)
def test_an_address_that_a_shell_could_read_is_not_asked(url: str) -> None:
    lua = turn_based(query=settings(service_url=url), answers={"": "200"})
    assert (lua.commands, lua.executed) == ([], [])


@pytest.mark.parametrize("script", ["../evil.lua", "/etc/x.lua", "x.sh", "a b.lua", "x.lua;y"])
def test_only_a_script_of_the_scripts_directory_is_run(script: str) -> None:
    lua = turn_based(query=settings(turn_based_script=script), answers={"8100": "200"})
    assert lua.executed == []


def conversation(ended_after: int, turns: Rows) -> Any:
    asked = {"times": 0}

    def query(sql: str, parameters: Mapping[str, str]) -> Rows:
        assert parameters == {"domain_uuid": DOMAIN, "conversation_uuid": SECRETARY}
        if "v_voice_conversations_realtime" in sql:
            asked["times"] += 1
            return [{"ended": "yes" if asked["times"] > ended_after else "no"}]
        return turns

    return query


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_said_so_far_is_told_in_order(version: str) -> None:
    turns = [{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Olá"}]
    known = {"domain_uuid": DOMAIN, "voice_ai_conversation": SECRETARY}
    lua = Lua(version, known, conversation(2, turns))
    told = lua.call("voice_ai.history", "of_call", "session")
    assert told == [{"role": "user", "content": "Olá"}, {"role": "assistant", "content": "Yes?"}]
    assert lua.slept_ms == [100, 100]


def test_an_end_that_is_never_written_is_not_waited_for_without_end() -> None:
    known = {"domain_uuid": DOMAIN, "voice_ai_conversation": SECRETARY}
    lua = Lua(variables=known, query=conversation(10**6, []))
    assert not lua.call("voice_ai.history", "of_call", "session")
    assert 1000 < sum(lua.slept_ms) <= 1600


@pytest.mark.parametrize(
    "known", [{}, {"domain_uuid": DOMAIN}, {"domain_uuid": DOMAIN, "voice_ai_conversation": "'"}]
)
def test_without_a_conversation_there_is_nothing_to_tell(known: dict[str, str]) -> None:
    lua = Lua(variables=known, query=conversation(0, [{"role": "user", "content": "x"}]))
    assert not lua.call("voice_ai.history", "of_call", "session")


@pytest.mark.skipif(
    shutil.which("luacheck") is None and "CI" not in os.environ,
    reason="luacheck is not installed (Debian: lua-check)",
)
def test_luacheck_finds_nothing() -> None:
    done = subprocess.run(
        ["luacheck", "--no-color", "."], cwd=SCRIPTS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
