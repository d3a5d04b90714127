"""Who may come in at a worker's own door."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.calls import door as module
from esl_controller.calls.door import TOKEN, LegDoor, open_door
from esl_controller.calls.leg import RETURNING
from esl_controller.esl.server import LOOPBACK
from esl_controller.settings.table import Esl, Settings, Worker


class Connection:
    """A `ControllerSession` that was connected."""

    local_host, uuid = "10.0.0.7", "u"

    def __init__(self, **variables: str) -> None:
        self.channel = SimpleNamespace(variable=lambda name: variables.get(name, ""))
        self.hung_up = False

    def connect(self) -> Any:
        return self.channel

    def hangup(self) -> None:
        self.hung_up = True


@pytest.fixture
def served() -> list[Any]:
    return []


@pytest.fixture
def door(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    leg = lambda esl: SimpleNamespace(esl=esl, leave=lambda: served.append("left"))  # noqa: E731
    monkeypatch.setattr(module, "Leg", leg)
    one = LegDoor(("127.0.0.1", 0), served.append, allow=LOOPBACK, capacity=4)
    one.start()
    yield one
    one.stop(0.1)


def test_a_leg_is_let_in_once(door: Any, served: list[Any]) -> None:
    expected = door.expect(lambda leg: served.append(leg.esl))
    other = door.expect(lambda leg: served.append("wrong"))
    first, again = (Connection(**{TOKEN: expected.token}) for _ in range(2))
    door._on_connection(first)
    assert served == [first, "left"]
    door._on_connection(again)
    assert again.hung_up and door.strangers == 1
    assert door.waiting == 1
    door.forget(other)
    door.forget(other)
    assert door.waiting == 0


@pytest.mark.parametrize(
    "variables",
    [{}, {TOKEN: "guessed"}, {TOKEN: "é"}, {TOKEN: "guessed", RETURNING: "t"}],
)
def test_a_stranger_is_hung_up(door: Any, served: list[Any], variables: dict[str, str]) -> None:
    door.expect(lambda leg: served.append("wrong"))
    stranger = Connection(**variables)
    door._on_connection(stranger)
    assert stranger.hung_up and served == []


def test_a_caller_who_comes_back_is_served(door: Any, served: list[Any]) -> None:
    caller = Connection(**{RETURNING: "t"})
    door._on_connection(caller)
    assert served == [caller] and not caller.hung_up


def test_where_freeswitch_finds_it(door: Any) -> None:
    assert door.address_for(Connection()) == f"10.0.0.7:{door.port}"
    assert door.target_for(Connection()) == f"&socket(10.0.0.7:{door.port}\\sasync\\sfull)"
    fixed = Settings(
        esl=Esl(door_host="voice.lan", door_port=18700), worker=Worker(index=1, count=2)
    )
    other = open_door(fixed, lambda esl: None)
    assert other.address_for(Connection()) == "voice.lan:18701"
    other.stop(0.1)
