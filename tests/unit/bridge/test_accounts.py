"""Each count says through which of several providers, of the same kind even, it came."""

from bridge.providers import base as p
from tests.unit.bridge.doubles import TELLS


def test_each_bill_names_the_account_of_its_own_connection(stage):
    """Told by the one in use, by one that was left, and late by one that broke."""
    s = stage(TELLS, TELLS).talking()
    first = s.host
    s.events(p.Usage("openai", output_audio_tokens=1))
    first.protocol.last_usage = p.Usage("openai", output_audio_tokens=2)
    s.session._seat.give_up(p.ProviderFailure(p.ErrorKind.SERVER, "no", "", True, True))
    s.reconnect().ready()
    first._on_events([p.Usage("openai", output_audio_tokens=4)])
    s.events(p.Usage("openai", output_audio_tokens=8))
    assert [(u.output_audio_tokens, u.account) for (u,) in s.told.of("used")] == [
        (1, "p0"),
        (2, "p0"),
        (4, "p0"),
        (8, "p1"),
    ]


def test_a_session_that_takes_over_is_on_the_same_account(stage):
    s = stage(TELLS, TELLS).talking()
    s.answer(ms=100)
    s.events(p.GoingAway(300.0))
    s.after(1.0)
    aside = s.host
    assert aside is not s.hosts[0]
    aside._on_events([p.Usage("openai", output_audio_tokens=1)])
    aside.ready()
    s.after(1.0)
    aside._on_events([p.Usage("openai", output_audio_tokens=2)])
    assert [u.account for (u,) in s.told.of("used")] == ["p0", "p0"]
