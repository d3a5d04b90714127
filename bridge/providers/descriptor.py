"""What is known of a kind of provider before anybody speaks with it. Pure data.

Each folder beside this module has a `descriptor.py` with a `DESCRIPTOR`; the registry reads them,
and everybody else reads the registry: what a tenant may write, where keys may go, what is offered
in forms, what it costs.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from bridge.providers.base import ProviderProtocol

_T = TypeVar("_T")
HELP, CHOICES = "help", "choices"
"""Keys of a configuration field's metadata."""
Fields = Mapping[str, "Fields | None"]
"""Names of fields; those of objects have fields of their own."""


def setting(default: _T, text: str, *, choices: Sequence[str] = ()) -> _T:
    """A field of a provider's configuration, with what forms and pages say of it."""
    return field(default=default, metadata={HELP: text, CHOICES: tuple(choices)})


def object_setting(text: str) -> Any:
    """A field that holds an object, empty unless set."""
    return field(default_factory=dict, metadata={HELP: text})


def named_fields(names: str, **objects: Fields) -> Fields:
    """`names`, separated by blanks, and objects with fields of their own."""
    return dict.fromkeys(names.split()) | objects


class Secretary(Protocol):
    """What a tenant's secretary asks of its own provider; each kind takes what it has."""

    @property
    def model(self) -> str | None:
        """A name of the provider's."""

    @property
    def voice_id(self) -> str | None:
        """A name of the provider's."""

    @property
    def voice_settings(self) -> Mapping[str, Any]:
        """`speed`: 1 is as it is."""

    @property
    def vad_mode(self) -> str:
        """server | semantic"""

    @property
    def turn_detector(self) -> str:
        """provider | own: who finds the caller's turns."""

    @property
    def resume_after_noise(self) -> bool:
        """An answer that noise interrupted is gone on with."""

    @property
    def vad_threshold(self) -> float:
        """0 to 1."""

    @property
    def vad_prefix_padding_ms(self) -> int:
        """Sound kept from before speech began."""

    @property
    def silence_duration_ms(self) -> int:
        """Ends a turn, with `server`."""

    @property
    def vad_eagerness(self) -> str:
        """low | medium | high | auto"""

    @property
    def vad_idle_timeout_ms(self) -> int | None:
        """The model speaks up after such a silence."""

    @property
    def barge_in(self) -> bool:
        """The caller may interrupt."""

    @property
    def noise_reduction(self) -> str:
        """none | near_field | far_field"""

    @property
    def transcription_model(self) -> str | None:
        """A name of the provider's."""

    @property
    def provider_config(self) -> Mapping[str, Any]:
        """Fields of the provider's own session, over everything else."""


Wishes = Callable[[Secretary], dict[str, Any]]
"""A secretary's settings as fields of a provider's configuration."""


def nothing(secretary: Secretary) -> dict[str, Any]:
    """`Wishes` of a provider that has no use for any."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """The protocol of a folder: its configuration, its object, and what it takes of a secretary."""

    name: str
    config: type[Any]
    make: Callable[[Any], ProviderProtocol]
    vendor: str
    """Who is paid, as in the price list; of a pipeline, its language model's."""
    wishes: Wishes
    """Taken of a secretary by its own provider."""
    manners: Wishes = nothing
    """Those that hold whichever provider of this kind serves the call."""
    tenants_own: frozenset[str] = frozenset()
    """Fields that a tenant may set although they are named like an account or an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One way to speak with a vendor."""

    protocol: str
    """The `Spoken.name` of any folder."""
    name: str = ""
    """What `provider_settings.interface` says; empty: nothing."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """What a provider row means where it says nothing else."""
    without: frozenset[str] = frozenset()
    """Wishes that the vendor has no use for, although the protocol has."""
    no_key: str = "none"
    """Stands for the key where a row has none."""
    formats: tuple[str, ...]
    """Audio on the wire, best for a telephone first."""
    features: tuple[str, ...]
    """Words of `FEATURES`."""


FEATURES: Mapping[str, str] = {
    "turns_told": "says when the caller begins and ends to speak",
    "turns_by_sense": "ends a turn by what was said, not by silence alone",
    "says_words": "can be told what to say, word for word",
    "functions": "calls functions of ours",
    "functions_cancelled": "takes a function call back when the caller interrupts",
    "history": "is told what was said before, when it takes over a call",
    "resumption": "goes on with a session over a new connection",
    "transcripts": "writes down both sides",
    "usage": "counts tokens or seconds on the wire",
    "noise_reduction": "takes noise out by itself",
    "minds_silence": "asks a silent caller by itself",
    "local": "can work without a network",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a model costs from a day on: USD per million tokens or characters, or per minute."""

    since: datetime.date
    usd: Mapping[str, str]
    """By the name of a field of `esl_controller.money.prices.Price`."""
    source: str = ""
    """Page, and when it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a vendor's."""

    id: str
    vendor: str
    role: str
    """speech | chat | hearing | transcription | voice | embedding"""
    ends_on: datetime.date | None = None
    """The vendor switches it off on this day."""
    successor: str = ""
    """What the vendor names in its place."""
    rates: tuple[Rates, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One voice that every account has."""

    id: str
    languages: tuple[str, ...] = ()
    """BCP 47; empty: every language of the model."""
    sample: str = ""
    """Where it can be heard; `POST …/preview` has it say any sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A kind of provider."""

    kind: str
    """The word a tenant writes in `realtime_provider`."""
    label: str
    spoken: Spoken
    interfaces: tuple[Interface, ...]
    """The usual one first."""
    hosts: Mapping[str, str]
    """The vendor's own, by the setting that may name another; `base_url` first."""
    key_variables: Mapping[str, tuple[str, ...]]
    """By the stage a key is for (empty: there is one key): variables of the vendor's own tools."""
    models: tuple[Model, ...]
    voices: tuple[Voice, ...] = ()
    own_voices: bool = False
    """Each account, or host, has voices of its own besides: a name that is not listed is no doubt,
    nor is that of a model."""
    session: Fields | None = None
    """Fields of a secretary's `provider_config`; None: they are not judged."""
    unread: tuple[str, ...] = ()
    """Columns of a secretary that this kind has no use for, told where they were filled in."""
    needs_key: bool = True
    """At its own address; a pipeline's stages say it themselves."""
    low_cost: bool = False
    """What `budget_action = low_cost` goes on with."""
    chat_url: str = ""
    """The vendor's own chat completions, up to `/chat/completions`; empty: it has none. A row's
    `base_url` goes before it, without `/realtime`."""
    chat_key: str = ""
    """The stage whose key that takes, where a credential has one for each."""
    models_page: bool = False
    """Its `GET /models` tells when a model ends (OpenAI's `shutdown_date`)."""

    @property
    def known_models(self) -> frozenset[str]:
        """Names for the `model` of a row or a secretary: of those that speak themselves."""
        return frozenset(model.id for model in self.models if model.role == "speech")
