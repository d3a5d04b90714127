"""`sched_api`, `sched_del` and `sched_cancel`: api commands for later, in groups by name
(mod_commands.c, sched_api_function; switch_scheduler.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
from gevent import Greenlet

if TYPE_CHECKING:
    from esl_controller.simulator.switch.core import Switch

Run = Callable[["Switch", str, str], str]
USAGE = "-USAGE: [+@]<time> <group_name> <command_string>[&]\n"


class Schedule:
    """What a switch is to do later."""

    def __init__(self) -> None:
        self._tasks: dict[int, tuple[str, Greenlet[..., None]]] = {}
        self._added = 0

    def add(self, group: str, delay_s: float, run: Callable[[], object]) -> int:
        """Do it after so many seconds; the number of the task."""
        self._added += 1
        number = self._added

        def due() -> None:
            self._tasks.pop(number, None)
            run()

        self._tasks[number] = (group, gevent.spawn_later(delay_s, due))
        return number

    def cancel(self, which: str) -> int:
        """Tasks of a group, or the task with that number; how many there were."""
        found = [n for n, (group, _) in self._tasks.items() if which in (group, str(n))]
        for number in found:
            self._tasks.pop(number)[1].kill(block=False)
        return len(found)

    def close(self) -> None:
        """Nothing more is done."""
        tasks, self._tasks = self._tasks, {}
        gevent.killall([greenlet for _, greenlet in tasks.values()])


def sched_api(switch: Switch, argument: str, run: Run) -> str:
    """`+<seconds> <group> <command>`; an absolute time is not understood here."""
    words = argument.split(" ", 2)
    if len(words) < 3 or not words[0].startswith("+") or not words[0][1:].isdigit():
        return USAGE
    name, _, rest = words[2].partition(" ")
    delay_s = int(words[0][1:]) / switch.config.speed
    number = switch.schedule.add(words[1], delay_s, lambda: run(switch, name, rest))
    return f"+OK Added: {number}\n"


def sched_del(switch: Switch, argument: str) -> str:
    """By number or group."""
    return f"+OK Deleted: {switch.schedule.cancel(argument.strip())}\n"
