"""`${…}` and `cond` as FreeSWITCH 1.11.1 has them (switch_channel.c, mod_commands.c)."""

from __future__ import annotations

import pytest

from esl_controller.simulator.switch.expansion import cond, expand

VARIABLES = {"a": "1", "name": "a", "nested": "<${a}>", "self": "${self}"}


def expanded(text: str) -> str:
    return expand(text, VARIABLES.get, lambda name, argument: f"{name}[{argument}]")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain $a", "plain $a"),
        ("x${a}y${unset}z", "x1yz"),
        ("${${name}}", "1"),
        ("${nested}", "<1>"),
        ("${api('${a}' == ${unset} ? (1) : 2)} end", "api['1' ==  ? (1) : 2] end"),
        ("${unclosed", "${unclosed"),
        ("${api(open}", ""),
    ],
)
def test_expansion(text: str, result: str) -> None:
    assert expanded(text) == result


def test_a_variable_that_names_itself_ends() -> None:
    assert expanded("${self}") == "${self}"


@pytest.mark.parametrize(
    ("argument", "result"),
    [
        (" == turn_based ? a : 1000", "-ERR"),  # what an unset variable without quotes becomes
        ("'' == turn_based ? a : 1000", "1000"),
        ("'turn_based' == turn_based ? a : 1000", "a"),
        ("turn_based == turn_based ? a : 1000", "a"),
        ("'' == '' ? a : b", "a"),
        ("10 == 10.0 ? a : b", "a"),
        ("'10' == 10.0 ? a : b", "b"),
        ("2 < 10 ? a : b", "a"),
        ("abc > 2 ? a : b", "a"),
        ("1 == 2 ? a", ""),
        ("1 == 2 ? a : b : c", "-ERR"),
        ("1 ? a : b", "-ERR"),
        ("", "-ERR"),
    ],
)
def test_cond(argument: str, result: str) -> None:
    assert cond(argument) == result
