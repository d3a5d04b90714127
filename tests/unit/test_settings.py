"""Settings: defaults, sources, every problem at once, secrets that stay secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.settings.loader import Problem, SettingsError, load_settings
from esl_controller.settings.table import Esl, Setting, Settings, every_setting
from esl_controller.settings.types import Secret, allowed, without_secrets

ROWS = list(every_setting())
SECRET_ROWS = [row for row in ROWS if row.is_secret]


def problems(environ: dict[str, str], file: Path | None = None) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, file)
    return caught.value.problems


def value_of(settings: Settings, row: Setting) -> Any:
    return getattr(getattr(settings, row.group), row.name)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "voice-ai.toml"


def test_defaults_are_valid_and_use_the_ports_of_the_design() -> None:
    settings = load_settings({})
    assert (settings.esl.port, settings.media.port, settings.freeswitch.port) == (8084, 8085, 8021)
    assert settings.timeouts.answer_ceiling_s == 2.0
    assert settings.esl.allow == ("127.0.0.0/8", "::1/128")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(toml: Path) -> None:
    toml.write_text("[esl]\nport = 9001\ncapacity = 7\n[log]\nredact_phone_numbers = true\n")
    settings = load_settings({"VOICE_AI_ESL_PORT": "9002", "VOICE_AI_CONFIG": str(toml)})
    assert settings.esl.port == 9002
    assert settings.esl.capacity == 7
    assert settings.log.redact_phone_numbers is True
    assert settings.media.port == 8085


def test_a_file_given_by_hand_wins_over_the_variable(toml: Path) -> None:
    toml.write_text("[esl]\nport = 9001\n")
    assert load_settings({"VOICE_AI_CONFIG": "/nowhere"}, toml).esl.port == 9001


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"VOICE_AI_ESL_PORT": ""}).esl.port == 8084


def test_lists_are_separated_by_commas() -> None:
    settings = load_settings({"VOICE_AI_ESL_ALLOW": "10.0.0.0/8, 192.0.2.7,"})
    assert settings.esl.allow == ("10.0.0.0/8", "192.0.2.7")


def test_every_problem_is_told_at_once_by_its_variable_with_what_is_allowed(toml: Path) -> None:
    toml.write_text("[media]\nplayback = 'loud'\nbuffer_ms = 30\n[esl]\nprot = 1\n[extra]\n")
    environ = {
        "VOICE_AI_ESL_PORT": "70000",
        "VOICE_AI_ESL_PROT": "1",
        "VOICE_AI_WORKER_COUNT": "many",
        "VOICE_AI_ESL_ALLOW": "10.0.0.1/8",
        "VOICE_AI_TIMEOUTS_TOOL_S": "nan",
        "VOICE_AI_PROVIDER_BASE_URL": "https://example.org",
    }
    assert {(p.name, p.allowed) for p in problems(environ, toml)} == {
        ("VOICE_AI_ESL_PORT", "a whole number from 0 to 65535"),
        ("VOICE_AI_ESL_PROT", "a known setting; did you mean VOICE_AI_ESL_PORT?"),
        ("VOICE_AI_WORKER_COUNT", "a whole number from 1 to 256"),
        ("VOICE_AI_ESL_ALLOW", "networks such as 10.0.0.0/8 or 192.0.2.7"),
        ("VOICE_AI_TIMEOUTS_TOOL_S", "a number from 0.1 to 120"),
        ("VOICE_AI_PROVIDER_BASE_URL", "a WebSocket address, ws://… or wss://…"),
        ("[media] playback", "one of auto, binary, file, json, unicast"),
        ("[media] buffer_ms", "a multiple of 20"),
        ("[esl] prot", "a known setting; did you mean [esl] port?"),
        ("[extra]", "a known setting; did you mean [storage]?"),
    }
    assert "VOICE_AI_ESL_PORT = '70000'" in "\n".join(map(str, problems(environ, toml)))


def test_a_group_that_is_not_a_table_is_named(toml: Path) -> None:
    toml.write_text("esl = 1\n")
    assert problems({}, toml) == (Problem("esl", "(not a table)", "a table [esl]"),)


@pytest.mark.parametrize(
    ("content", "words"), [(b"[esl", "TOML in UTF-8"), (b"\xff = 1", "TOML in UTF-8")]
)
def test_a_file_that_cannot_be_parsed_is_named(toml: Path, content: bytes, words: str) -> None:
    toml.write_bytes(content)
    assert [(p.name, p.allowed) for p in problems({}, toml)] == [(str(toml), words)]


def test_a_file_that_is_not_there_is_named(toml: Path) -> None:
    (problem,) = problems({}, toml)
    assert str(problem) == f"{toml}: the file cannot be read: No such file or directory"


def test_a_secret_s_file_that_is_not_there_is_named(toml: Path) -> None:
    toml.write_text("[provider]\napi_key = 'file:/nowhere/openai.key'\n")
    (problem,) = problems({}, toml)
    assert str(problem) == (
        "[provider] api_key: /nowhere/openai.key cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"VOICE_AI_ESL_PROT": "1"}, "there is no such setting; did you mean VOICE_AI_ESL_PORT?"),
        ({"VOICE_AI_TIMEOUTS_SILENCE_S": "9"}, "it had no effect and is gone: max_silence_seconds "
                                               "of a secretary is what counts"),
    ],
)  # fmt: skip
def test_what_is_no_setting_is_told_in_a_sentence(environ: dict[str, str], said: str) -> None:
    assert [str(problem) for problem in problems(environ)] == [f"{next(iter(environ))}: {said}"]


@pytest.mark.parametrize(
    "entry",
    ["*", "a.example", "*.a.example", "127.0.0.1:8000", "[::1]:8", "::1", "10.0.0.0/8"],
)
def test_hosts_that_may_be_allowed(entry: str) -> None:
    environ = {"VOICE_AI_PROVIDER_ALLOWED_HOSTS": f"*,{entry}"}
    assert load_settings(environ).provider.allowed_hosts == ("*", entry)
    (problem,) = problems({"VOICE_AI_PROVIDER_ALLOWED_HOSTS": f"{entry} x/y"})
    assert problem.allowed.startswith("hosts such as")


def test_an_address_is_shown_without_its_secrets() -> None:
    shown = without_secrets("wss://me:hidden@gateway.example:8443/v1?key=hidden#x")
    assert shown == "wss://gateway.example:8443/v1?***"
    assert without_secrets("wss://api.openai.com/v1/realtime") == "wss://api.openai.com/v1/realtime"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"VOICE_AI_WORKER_INDEX": "2", "VOICE_AI_WORKER_COUNT": "2"}, "VOICE_AI_WORKER_INDEX"),
        ({"VOICE_AI_MEDIA_PORT": "65535", "VOICE_AI_WORKER_COUNT": "2"}, "VOICE_AI_MEDIA_PORT"),
        ({"VOICE_AI_ESL_PORT": "8086", "VOICE_AI_WORKER_COUNT": "2"}, "VOICE_AI_ESL_PORT"),
        (
            {"VOICE_AI_MEDIA_UNICAST_PORT_LAST": "18150", "VOICE_AI_WORKER_COUNT": "2"},
            "VOICE_AI_MEDIA_UNICAST_PORT_LAST",
        ),
        (
            {"VOICE_AI_MEDIA_INPUT": "unicast", "VOICE_AI_MEDIA_PLAYBACK": "json"},
            "VOICE_AI_MEDIA_PLAYBACK",
        ),
        (
            {"VOICE_AI_MEDIA_UNICAST_HOST": "::1"},
            "VOICE_AI_MEDIA_UNICAST_HOST",
        ),
        (
            {"VOICE_AI_MEDIA_LISTEN_HOST": "::1"},
            "VOICE_AI_MEDIA_LISTEN_HOST",
        ),
        (
            {"VOICE_AI_MEDIA_PLAYBACK": "file", "VOICE_AI_MEDIA_FLAVOUR": "cloudfieldcz"},
            "VOICE_AI_MEDIA_FLAVOUR",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    environ: dict[str, str], name: str
) -> None:
    assert [p.name for p in problems(environ)] == [name]


def test_secrets_come_from_the_environment_a_file_or_as_they_are(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("from-file\n")
    settings = load_settings(
        {
            "OPENAI_API_KEY": "from-openai-variable",
            "VOICE_AI_FREESWITCH_PASSWORD": f"file:{key_file}",
            "VOICE_AI_DATABASE_DSN": "postgresql://fusionpbx:pw@db/fusionpbx",
            "VOICE_AI_HTTP_ADMIN_TOKEN": "env:TOKEN",
            "TOKEN": "0123456789abcdef",
        }
    )
    assert settings.provider.api_key.reveal() == "from-openai-variable"
    assert settings.freeswitch.password.reveal() == "from-file"
    assert settings.database.dsn.reveal() == "postgresql://fusionpbx:pw@db/fusionpbx"
    assert settings.http.admin_token == Secret("0123456789abcdef")


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"OPENAI_API_KEY": "sk-o"}, "sk-o"),
        ({"NAME": "gemini", "OPENAI_API_KEY": "sk-o"}, ""),
        ({"NAME": "gemini", "GOOGLE_API_KEY": "g", "OPENAI_API_KEY": "sk-o"}, "g"),
        ({"NAME": "gemini", "GOOGLE_API_KEY": "g", "GEMINI_API_KEY": "m"}, "m"),
        ({"NAME": "elevenlabs", "ELEVENLABS_API_KEY": "e"}, "e"),
        ({"NAME": "custom", "GROQ_API_KEY": "q", "DEEPGRAM_API_KEY": "d"}, "stt=d,chat=q"),
        ({"NAME": "custom", "GROQ_API_KEY": "q"}, "chat=q"),
        ({"BASE_URL": "wss://gateway.example/v1", "OPENAI_API_KEY": "sk-o"}, ""),
        ({"BASE_URL": "wss://api.openai.com/v1", "OPENAI_API_KEY": "sk-o"}, "sk-o"),
        ({"NAME": "openai", "BASE_URL": "wss://api.groq.com/v1", "OPENAI_API_KEY": "sk-o"}, ""),
        ({"API_KEY": "own", "OPENAI_API_KEY": "sk-o"}, "own"),
        ({"API_KEY": "env:OPENAI_API_KEY", "BASE_URL": "wss://g.example/", "OPENAI_API_KEY": "k"},
         "k"),
    ],
)  # fmt: skip
def test_each_kind_reads_its_vendor_s_own_variable(environ: dict[str, str], key: str) -> None:
    """And sends it to that vendor alone: elsewhere a key is set on purpose."""
    given = {
        name if name.endswith("_API_KEY") else f"VOICE_AI_PROVIDER_{name}": value
        for name, value in environ.items()
    }
    assert load_settings(given).provider.api_key.reveal() == key


def test_a_reference_to_an_unset_variable_is_an_empty_secret() -> None:
    assert not load_settings({}).provider.api_key


def test_a_secret_file_that_cannot_be_read_is_a_problem_without_its_content() -> None:
    (found,) = problems({"VOICE_AI_FREESWITCH_PASSWORD": "file:/nowhere/key"})
    words = "text, `env:NAME` or `file:PATH`"
    assert found[:3] == ("VOICE_AI_FREESWITCH_PASSWORD", "***", words)
    assert found.said == "/nowhere/key cannot be read: No such file or directory"


def test_a_secret_in_the_file_must_be_text(toml: Path) -> None:
    toml.write_text("[http]\nadmin_token = 12345678901234567\n")
    assert [(p.name, p.value) for p in problems({}, toml)] == [("[http] admin_token", "***")]


@pytest.mark.parametrize("row", SECRET_ROWS, ids=lambda row: row.variable)
def test_secrets_never_show(row: Setting) -> None:
    text = "Sesame: hidden-value-0123456789"
    settings = load_settings({row.variable: text})
    assert text in str([s.reveal() for s in _secrets(value_of(settings, row))])
    assert "hidden-value" not in repr(settings) + str(settings)


def _secrets(value: Secret | tuple[Secret, ...]) -> tuple[Secret, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_a_wrong_secret_is_masked_in_the_error() -> None:
    (problem,) = problems({"VOICE_AI_HTTP_ADMIN_TOKEN": "short-secret"})
    assert "short-secret" not in str(problem)
    (problem,) = problems({"VOICE_AI_PROVIDER_HEADERS": "X-Key: good,bad\x00header"})
    assert "good" not in str(problem)


@pytest.mark.parametrize("text", ["evil\nhost", "host\n", "a b", "", "ho/st"])
def test_hosts_hold_no_control_characters(text: str, toml: Path) -> None:
    toml.write_text(f"[freeswitch]\nhost = {json.dumps(text)}\n")
    assert [p.name for p in problems({}, toml)] == ["[freeswitch] host"]


def test_a_long_wrong_value_is_shown_in_part() -> None:
    (problem,) = problems({"VOICE_AI_LOG_LEVEL": "x" * 5000})
    assert len(problem.value) < 100


def test_files_go_under_the_state_directory_unless_named() -> None:
    storage = load_settings(
        {"VOICE_AI_STORAGE_STATE_DIR": "/srv/voice", "VOICE_AI_STORAGE_SPOOL_DIR": "/spool"}
    ).storage
    assert (storage.spool_dir, storage.secret_key_file, storage.database_dir) == (
        "/spool",
        "/srv/voice/secret.key",
        "/srv/voice/postgresql",
    )


@pytest.mark.parametrize(("uid", "start"), [(0, "/var/lib/voice-ai"), (1000, str(Path.home()))])
def test_the_state_directory_depends_on_who_runs(
    uid: int, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    assert load_settings({}).storage.state_dir.startswith(start)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load_settings({}).esl.port = 1  # type: ignore[misc]


def test_unknown_names_are_refused_by_the_structs_too() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"prot": 1}, Esl)


@given(st.sampled_from(ROWS), st.text(max_size=40))
def test_any_text_gives_a_valid_value_or_one_named_problem(row: Setting, text: str) -> None:
    if "file:" in text:
        return
    try:
        settings = load_settings({row.variable: text})
    except SettingsError as error:
        assert row.variable in {p.name for p in error.problems} or len(error.problems) == 1
        return
    value = value_of(settings, row)
    if not row.is_secret:
        assert msgspec.convert(value, row.kind) == value


@given(
    st.dictionaries(
        st.sampled_from([row.group for row in ROWS]) | st.text(max_size=8),
        st.dictionaries(st.sampled_from([row.name for row in ROWS]), st.text(max_size=8))
        | st.integers(),
        max_size=4,
    )
)
def test_any_file_gives_settings_or_problems(content: dict[str, Any]) -> None:
    from esl_controller.settings.loader import _Loader

    loader = _Loader({}, ())
    loader.load(content)
    assert all(p.name and p.allowed for p in loader.problems)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.variable)
def test_every_setting_says_what_it_means_and_allows(row: Setting) -> None:
    assert row.meta.description
    assert row.meta.description.endswith(".")
    assert allowed(row.kind)


def test_secret_compares_and_hashes_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a") != "a"
    assert str(Secret("a")) == "Secret(set)"
    assert f"{Secret()}" == "Secret(empty)"


def test_every_edition_of_the_audio_module_we_can_start_may_be_chosen() -> None:
    (row,) = [row for row in ROWS if row.name == "flavour"]
    # mod_audio_fork has another command than uuid_audio_stream.
    known = {flavour.value for flavour in Flavour} - {Flavour.JAMBONZ.value}
    assert set(allowed(row.kind).removeprefix("one of ").split(", ")) == known | {"auto"}


def test_every_way_of_playing_may_be_chosen() -> None:
    (row,) = [row for row in ROWS if row.name == "playback"]
    known = {mode.value for mode in PlayoutMode}
    assert set(allowed(row.kind).removeprefix("one of ").split(", ")) == known | {"auto"}
