"""A call that has ended leaves nothing for the garbage collector, which holds up everybody's sound.

`python -m bench.soak --no-gc --calls 1000` counts the same on a worker of its own.
"""

from __future__ import annotations

import gc
from collections import Counter

import pytest

from bench.soak import short_calls
from tests.integration.service import wait_for

CALLS = 6
ALLOWED = 5 * CALLS
"""Now and then an end is met in the middle of something, and an exception knows where it was."""


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def left() -> Counter[str]:
    """Objects of the product that only the collector would find."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    gc.garbage.clear()
    return Counter(
        {
            kind: count
            for kind, count in kinds.items()
            if kind.startswith(("bridge.", "esl_controller.")) and ".simulator." not in kind
        }
    )


def test_no_cycles_are_left(serve, no_collector):
    service = serve()
    tenant = service.tenant

    def make(calls: int) -> None:
        short_calls(
            service.switch,
            service.address,
            calls,
            at_once=calls,
            call_s=0.5,
            domain_uuid=tenant.domain_uuid,
            extension=tenant.extension,
        )
        wait_for(lambda: not any(service.leftovers().values()))
        tenant.records.clear()

    make(2)
    left()
    make(CALLS)
    found = left()
    assert found.total() <= ALLOWED, found
