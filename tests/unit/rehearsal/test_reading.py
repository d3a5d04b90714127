"""A file of scenarios: all of its mistakes at once, and never anything else than words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.rehearsal.reading import ScenarioError, read_rehearsal
from esl_controller.rehearsal.scenario import Pattern

GOOD = """
language = "pt-BR"
[secretary]
system_prompt = "Be kind."
[[scenario]]
name = "one"
caller_number = "100"
[[scenario.caller]]
says = "hello"
[[scenario.caller]]
presses = "12#"
interrupts_after_s = 1
[scenario.expect]
said = "good day"
calls = [{ name = "end_call" }]
lasts_at_most_s = 30
"""
BAD = """
langauge = "pt-BR"
[secretary]
prompt = "Be kind."
max_turns = "many"
time_zone = "Mars/Base"
[[scenario]]
name = "one"
[[scenario.caller]]
says = "hello"
presses = "x"
[[scenario.caller]]
pause_s = -1
[scenario.expect]
said = ["/(/", 7]
outcome = "fine"
[[scenario]]
name = "one"
secretary = { barge_in = "maybe" }
expect = 3
"""


def mistakes(text: str, stored: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        read_rehearsal(text, "file.toml", stored)
    return list(error.value.problems)


def test_a_good_file() -> None:
    read = read_rehearsal(GOOD, "file.toml")
    (one,) = read.scenarios
    assert (read.language, one.caller_number, one.expect.lasts_at_most_s) == ("pt-BR", "100", 30.0)
    assert [line.presses for line in one.lines] == ["", "12#"]
    assert one.expect.said == (Pattern("good day"),)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    said = mistakes(BAD)
    for part in (
        "langauge: is not known here; did you mean language?",
        "secretary.prompt: there is no such column",
        "secretary: max_turns is 'many', must be a whole number",
        "secretary: time_zone is 'Mars/Base'",
        "scenario 'one'.caller[1]: must have one of says, wav and presses",
        "scenario 'one'.caller[1].presses: must be digits",
        "scenario 'one'.caller[2]: must have one of",
        "scenario 'one'.caller[2].pause_s: must be a number of seconds",
        "scenario 'one'.expect.said: must be text, or a list of texts",
        "scenario 'one'.expect.outcome: must be one of completed",
        "scenario 'one'.secretary: barge_in is 'maybe'",
        "scenario 'one'.expect: must be a table",
        "scenario: two are named 'one'",
    ):
        assert any(one.startswith(part) for one in said), (part, said)


def test_what_is_missing() -> None:
    assert mistakes("") == [
        "secretary: is missing: who answers?",
        "scenario: there must be one or more",
    ]
    assert mistakes("", {"language": "es"}) == ["scenario: there must be one or more"]
    assert mistakes("a = ")[0].startswith("is no TOML")
    expression = GOOD.replace('"good day"', '"/(/"')
    assert "is no regular expression" in mistakes(expression)[0]


@given(
    st.text(max_size=80)
    | st.builds(
        lambda name, value: f"{GOOD}\n[[scenario]]\n{name} = {value}\n",
        st.sampled_from(["name", "caller", "expect", "secretary", "x"]),
        st.sampled_from(["1", '""', "[]", "{}", "[1]", "[{}]", "true", '["a"]', "{a = 1}"]),
    )
)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        read_rehearsal(text, "file.toml")
    except ScenarioError as error:
        assert error.problems


@pytest.mark.parametrize(
    ("written", "text", "found"),
    [
        ("Good day", "good\n  DAY, caller", True),
        ("good day", "good, day", False),
        ("/go+d/", "GOOOD", True),
        ("/^x/", "ax", False),
        ("/", "a/b", True),
    ],
)
def test_words_and_expressions(written: str, text: str, found: bool) -> None:
    assert Pattern(written).found_in(text) is found
