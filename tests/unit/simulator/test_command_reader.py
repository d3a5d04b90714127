"""Commands cut from the application's bytes."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteProtocolError
from esl_controller.simulator.switch.command_reader import Command, CommandReader

STREAM = (
    b"connect\n\n"
    b"sendmsg 1234\ncall-command: execute\nExecute-App-Name: set\ncontent-length: 5\n\na=b\n\n"
    b"api status\r\n\r\n"
    b"\n\nexit\n\n"
)
COMMANDS = [
    Command("connect"),
    Command(
        "sendmsg 1234",
        {"call-command": "execute", "execute-app-name": "set", "content-length": "5"},
        "a=b\n\n",
    ),
    Command("api status"),
    Command("exit"),
]


def read(pieces: list[bytes]) -> list[Command]:
    reader = CommandReader()
    found = []
    for piece in pieces:
        reader.receive_data(piece)
        while command := reader.next_command():
            found.append(command)
    return found


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_any_cut_gives_the_same_commands(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert read([STREAM[a:b] for a, b in pairwise(edges)]) == COMMANDS


@given(st.binary(max_size=300))
def test_garbage_gives_commands_or_the_documented_error(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        assert all(command.line for command in read([data]))


def test_verb_and_argument() -> None:
    command = Command("API  uuid_exists x ")
    assert (command.verb, command.argument) == ("api", "uuid_exists x")


@pytest.mark.parametrize("length", ["x", "-1", "999999999"])
def test_bad_lengths(length: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read([f"sendmsg\ncontent-length: {length}\n\n".encode()])


def test_limit_of_a_command_without_an_end() -> None:
    reader = CommandReader()
    with pytest.raises(RemoteProtocolError):
        for _ in range(100):
            reader.receive_data(b"x" * 100_000)
