"""CPU time of looking up who answers a number: `python bench/micro_lookup.py`.

From memory, as a worker does for each call it knows: best of several rounds, microseconds a
look-up, and the share of a core that 200 look-ups a second take.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from typing import Any

from esl_controller.database.models import TurnBasedEntry
from esl_controller.tenants.loader import ConfigLoader

ROUNDS = 9
CALLS = 20_000
TENANTS = 1000
PER_SECOND = 200


def best_us(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(CALLS):
            work()
        best = min(best, time.process_time() - begin)
    return best / CALLS * 1e6


class Source:
    """A database in one line; it is read once for each number, before anything is measured."""

    def load(self, domain_uuid: str, extension: str) -> TurnBasedEntry | None:
        """Everybody answers but 9999."""
        return None if extension == "9999" else TurnBasedEntry(domain_uuid, "d", extension, None)


def lookups(extension: str) -> Callable[[], object]:
    """The numbers of many domains in turn, all of them known."""
    source: Any = Source()
    loader = ConfigLoader(source, "")
    loader.statistics.listening = True
    domains = [str(uuid.uuid4()) for _ in range(TENANTS)]
    for domain_uuid in domains:
        loader.secretary_for(domain_uuid, extension)
    following = itertools.cycle(domains).__next__
    return lambda: loader.secretary_for(following(), extension)


def main() -> None:
    for name, extension in (("a secretary's number", "8001"), ("nobody's number", "9999")):
        cost_us = best_us(lookups(extension))
        percent = cost_us * PER_SECOND / 1e6 * 100
        print(f"{cost_us:8.2f} us  {percent:.4f} % of a core at {PER_SECOND}/s  {name}")


if __name__ == "__main__":
    main()
