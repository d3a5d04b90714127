"""What usage costs, by the day and by the operator's own list."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.base import Usage
from esl_controller.money.prices import PRICES, Price, PriceList

LIST = PriceList(PRICES)
DAY = date(2026, 11, 22)


def usage(model: str = "gpt-realtime-2.1", vendor: str = "openai", **counts) -> Usage:
    return Usage(vendor, model, **counts)


def cost(used: Usage, day: date = DAY, prices: PriceList = LIST) -> Decimal:
    return prices.find(used.vendor, used.model, day).cost(used)


def test_a_response_is_priced_by_its_parts():
    """Cached tokens are part of the input tokens and priced apart."""
    whole = cost(
        usage(
            input_text_tokens=1000,
            cached_text_tokens=400,
            output_text_tokens=100,
            input_audio_tokens=2000,
            cached_audio_tokens=500,
            output_audio_tokens=300,
        )
    )
    text = 600 * 4 + 400 * Decimal("0.40") + 100 * 24
    audio = 1500 * 32 + 500 * Decimal("0.40") + 300 * 64
    assert whole == ((text + audio) / 1_000_000).quantize(Decimal("0.000001"))
    assert LIST.find("openai", "gpt-realtime-2.1", DAY).since == date(2026, 8, 1)


def test_minutes_are_priced_by_the_second():
    whisper = usage("gpt-realtime-whisper", transcription_seconds=90.0)
    assert cost(whisper) == Decimal("0.0255")
    assert cost(usage("agents", "elevenlabs", audio_seconds=30.0)) == Decimal("0.04")


def test_a_model_paid_by_the_minute_that_counts_tokens_costs_what_they_last():
    """A caller's second is ten tokens."""
    told = usage("gpt-transcribe", transcription_tokens=900)
    timed = usage("gpt-transcribe", transcription_seconds=90.0)
    both = usage("gpt-transcribe", transcription_seconds=90.0, transcription_tokens=5000)
    assert cost(told) == cost(timed) == cost(both) == Decimal("0.00675")


def test_dated_editions_cost_what_the_model_costs():
    day = date(2026, 11, 1)
    assert LIST.find("openai", "gpt-realtime-2.1-2026-05-07", day).model == "gpt-realtime-2.1"
    assert LIST.find("openai", "gpt-realtime-2.1-mini", day).audio_input == 10
    assert LIST.find("openai", "gpt-realtime-9", day) is None
    assert LIST.find("openai", "gpt-realtime-2.1-turbo", day) is None


def test_what_has_no_price_is_not_guessed():
    assert LIST.find("openai", "brand-new-model", DAY) is None


def test_the_price_of_the_day_counts():
    prices = [
        Price(provider="x", model="m", since=date(2026, month, 1), text_input=Decimal(month))
        for month in (3, 1, 2)
    ]
    dated = PriceList(prices)
    costs = [
        cost(usage("m", "x", input_text_tokens=1_000_000), date(*day), dated)
        for day in ((2025, 12, 31), (2026, 1, 1), (2026, 2, 28), (2026, 3, 1))
    ]
    assert costs == [1, 1, 2, 3]


def test_an_operator_s_price_goes_over_ours_as_soon_as_it_has_begun():
    ours, theirs = (
        [
            Price(provider="x", model="m", since=date(2026, month, 1), text_input=Decimal(price))
            for month, price in prices
        ]
        for prices in ([(2, 1), (8, 2)], [(6, 3), (11, 4)])
    )
    prices = PriceList(ours, theirs)
    found = [prices.find("x", "m", date(2026, month, 1)).text_input for month in (1, 2, 6, 8, 12)]
    assert found == [3, 1, 3, 3, 4]


def test_a_price_of_the_model_itself_goes_over_one_of_any_model():
    any_model = Price(provider="openai", model="*", since=date(2026, 1, 1), text_input=Decimal(9))
    prices = PriceList(PRICES, [any_model])
    day = date(2026, 11, 1)
    assert prices.find("openai", "gpt-realtime-2.1", day).text_input == 4
    assert prices.find("openai", "brand-new", day).text_input == 9


@given(
    st.sampled_from(PRICES),
    st.fixed_dictionaries(
        {
            name: st.integers(0, 10**7)
            for name in ("input_text_tokens", "cached_text_tokens", "output_audio_tokens")
        }
        | {"transcription_seconds": st.floats(0, 1e5), "audio_seconds": st.floats(0, 1e5)}
    ),
)
def test_more_use_never_costs_less(price, counts):
    little = usage(**counts)
    more = usage(**{name: count * 2 for name, count in counts.items()})
    assert 0 <= price.cost(little) <= price.cost(more)
