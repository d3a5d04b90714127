from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import (
    L16_8K,
    L16_16K,
    L16_24K,
    L16_48K,
    PCMA_8K,
    PCMU_8K,
    AudioFormat,
    Encoding,
)
from bridge.audio.processor import Converter
from bridge.errors import LocalProtocolError
from bridge.playout.editions import flavours
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.providers.base import Capabilities
from bridge.session.media_plan import (
    STREAM_RATES_HZ,
    Leg,
    MediaPath,
    PlayoutChoice,
    choose_formats,
    provider_formats,
)

PCMU, PCMA, G722, OPUS = (
    Leg("PCMU", 8000),
    Leg("PCMA", 8000),
    Leg("G722", 16000),
    Leg("opus", 48000),
)
LEGS = [PCMU, PCMA, G722, OPUS, Leg("L16", 16000), Leg("GSM", 8000), Leg("L16", 8000)]

OPENAI = Capabilities((L16_24K, PCMU_8K, PCMA_8K), (L16_24K, PCMU_8K, PCMA_8K))
GEMINI = Capabilities((L16_16K,), (L16_24K,))
MULAW_ONLY = Capabilities((PCMU_8K,), (PCMU_8K,))
LINEAR_8K = Capabilities((L16_8K, L16_16K), (L16_8K, L16_16K))


class All(NamedTuple):
    """All four formats of a call."""

    stream_format: AudioFormat
    provider_input: AudioFormat
    provider_output: AudioFormat
    playout_format: AudioFormat

    def uplink(self) -> Converter:
        return Converter(self.stream_format, self.provider_input)

    def downlink(self) -> Converter:
        return Converter(self.provider_output, self.playout_format)


def formats(leg: Leg, capabilities: Capabilities, choice: PlayoutChoice, **how) -> All:
    """As a call does it: the first provider's rate is a hint for the stream."""
    taken, given = provider_formats(leg, capabilities)
    plan = choose_formats(leg, [taken.rate_hz], choice, **how)
    return All(plan.stream_format, taken, given, plan.playout_format)


UNICAST = PlayoutChoice(PlayoutMode.UNICAST)
FILE = PlayoutChoice(PlayoutMode.FILE)
CHOICES = [PlayoutChoice(mode, one) for mode in PlayoutMode for one in flavours(mode)]


@pytest.mark.parametrize(("leg", "fmt"), [(PCMU, PCMU_8K), (PCMA, PCMA_8K)])
def test_g711_end_to_end_is_never_resampled(leg: Leg, fmt: AudioFormat) -> None:
    plan = formats(leg, OPENAI, UNICAST)
    assert plan == All(L16_8K, fmt, fmt, L16_8K)
    assert not plan.downlink().resamples
    assert not plan.uplink().resamples


@pytest.mark.parametrize("media", MediaPath)
def test_g711_is_only_companded_and_reaches_freeswitch_as_l16(media: MediaPath) -> None:
    plan = formats(PCMU, OPENAI, UNICAST, media=media)
    assert plan == All(L16_8K, PCMU_8K, PCMU_8K, L16_8K)
    assert plan == formats(PCMU, OPENAI, FILE)


def test_the_other_law_is_better_than_resampling() -> None:
    plan = formats(PCMA, MULAW_ONLY, UNICAST)
    assert plan == All(L16_8K, PCMU_8K, PCMU_8K, L16_8K)


def test_linear_at_eight_kilohertz_is_better_than_the_other_law() -> None:
    both = Capabilities((L16_24K, PCMU_8K, L16_8K), (L16_24K, PCMU_8K, L16_8K))
    assert formats(PCMA, both, UNICAST) == All(L16_8K, L16_8K, L16_8K, L16_8K)
    assert formats(PCMU, both, UNICAST).provider_input == PCMU_8K


def test_wide_band_asks_the_stream_for_the_providers_rate() -> None:
    plan = formats(G722, OPENAI, UNICAST)
    assert plan == All(L16_24K, L16_24K, L16_24K, L16_16K)
    assert formats(OPUS, OPENAI, UNICAST).playout_format == L16_48K


def test_or_resamples_itself_when_told_so() -> None:
    plan = formats(G722, OPENAI, UNICAST, prefer_provider_rate=False)
    assert plan.stream_format == L16_16K
    assert plan.uplink().resamples


def test_or_when_the_stream_cannot() -> None:
    assert formats(G722, OPENAI, FILE, stream_rates_hz=(8000, 16000)).stream_format == L16_16K
    assert formats(G722, OPENAI, FILE, stream_rates_hz=(8000,)).stream_format == L16_8K
    with pytest.raises(LocalProtocolError):
        formats(G722, OPENAI, FILE, stream_rates_hz=())


def test_equal_rates_win_over_the_providers_favourite() -> None:
    many = Capabilities((L16_24K, L16_16K), (L16_24K, L16_16K))
    plan = formats(G722, many, UNICAST)
    assert (plan.provider_input, plan.provider_output) == (L16_16K, L16_16K)


def test_narrow_band_and_a_wide_band_provider() -> None:
    plan = formats(PCMU, GEMINI, UNICAST)
    assert plan == All(L16_16K, L16_16K, L16_24K, L16_8K)


def test_both_directions_by_unicast_share_one_format() -> None:
    uneven = Capabilities((L16_16K,), (PCMU_8K,))
    plan = formats(PCMU, uneven, UNICAST, media=MediaPath.UNICAST)
    assert plan == All(L16_8K, L16_16K, PCMU_8K, L16_8K)


@pytest.mark.parametrize(
    ("choice", "leg", "stream", "playout"),
    [
        # cloudfieldcz plays at the stream's rate, exactly only where that is the channel's
        (PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ), PCMU, L16_8K, L16_8K),
        (PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ), G722, L16_16K, L16_16K),
        # mod_audio_fork takes 8, 16 and 24 kHz
        (PlayoutChoice(PlayoutMode.BINARY, Flavour.JAMBONZ), OPUS, L16_24K, L16_24K),
        (PlayoutChoice(PlayoutMode.BINARY, Flavour.JAMBONZ), PCMU, L16_8K, L16_8K),
        # streamAudio raw is right at 8 and 16 kHz
        (PlayoutChoice(PlayoutMode.JSON, Flavour.VOXCOM_US), OPUS, L16_16K, L16_16K),
        (PlayoutChoice(PlayoutMode.JSON, Flavour.VOXCOM_US), PCMU, L16_8K, L16_8K),
        (PlayoutChoice(PlayoutMode.JSON, Flavour.CLOSED_1_0_3), OPUS, L16_24K, L16_16K),
        (PlayoutChoice(PlayoutMode.JSON, Flavour.JULIANOTARGA), PCMU, L16_8K, L16_8K),
        # a file at 48 kHz is WAV, at the channel's rate without clicks
        (FILE, OPUS, L16_24K, L16_48K),
        (PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOSED_1_0_3), G722, L16_24K, L16_16K),
    ],
)
def test_what_modules_can_play(choice, leg, stream, playout) -> None:
    plan = formats(leg, OPENAI, choice)
    assert (plan.stream_format, plan.playout_format) == (stream, playout)


def test_nothing_to_choose_from_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        formats(PCMU, Capabilities((), (L16_8K,)), UNICAST)
    with pytest.raises(LocalProtocolError):
        formats(PCMU, OPENAI, FILE, media=MediaPath.UNICAST)


any_format = st.sampled_from([L16_8K, L16_16K, L16_24K, L16_48K, PCMU_8K, PCMA_8K])
offers = st.lists(any_format, min_size=1, max_size=4).map(tuple)


@given(st.sampled_from(LEGS), offers, offers, st.sampled_from(CHOICES), st.booleans())
def test_every_plan_can_be_carried_out(leg, inputs, outputs, choice, prefer) -> None:
    plan = formats(leg, Capabilities(inputs, outputs), choice, prefer_provider_rate=prefer)
    assert plan.provider_input in inputs
    assert plan.provider_output in outputs
    assert plan.stream_format.encoding is Encoding.L16
    assert plan.stream_format.rate_hz in STREAM_RATES_HZ
    plan.uplink().convert(plan.stream_format.silence(20))
    plan.downlink().convert(plan.provider_output.silence(20))
    if choice.mode is PlayoutMode.UNICAST:
        assert plan.playout_format.rate_hz == leg.rate_hz
    else:
        assert plan.playout_format.encoding is Encoding.L16
    if leg.rate_hz == 8000 and any(f.rate_hz == 8000 for f in inputs):
        assert not plan.uplink().resamples


@pytest.mark.parametrize("ptime_ms", [10, 30, 40, 60])
@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("possible", [STREAM_RATES_HZ, (24000,)])
def test_packets_that_are_not_20_ms_are_streamed_at_the_channels_rate(
    ptime_ms: int, leg: Leg, possible: tuple[int, ...]
) -> None:
    """At any other rate mod_audio_stream takes 20 ms of each and drops the rest."""
    leg = Leg(leg.codec, leg.rate_hz, ptime_ms)
    plan = choose_formats(leg, OPENAI, UNICAST, stream_rates_hz=possible)
    assert plan.stream_format == AudioFormat(Encoding.L16, leg.rate_hz)
    assert plan.ptime_ms == ptime_ms
