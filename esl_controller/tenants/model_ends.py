"""Models end: vendors say when, and tenants hear of it in time.

What is known comes from the registry, without any network, and from the vendor's own list of models
where it tells ends (OpenAI's `GET /v1/models`: `shutdown_date`), which wins.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
import msgspec
import structlog

from bridge.errors import RemoteProtocolError
from bridge.providers.descriptor import Model
from bridge.providers.registry import DESCRIPTORS
from bridge.wire.fetch import fetch
from bridge.wire.network import Network
from esl_controller.database.models import ProviderAccess
from esl_controller.tenants.hosts import OWN_HOSTS, dialled_host
from esl_controller.tenants.providers import models_asked

WARN_DAYS = 90
"""How long before its end a model is warned of."""
READ_EVERY_S = 86_400.0
READ_LIMIT_S = 10.0
MAX_MODELS = 2_000
_log = structlog.get_logger("model_ends")


@dataclass(frozen=True, slots=True)
class ModelEnd:
    """A model in use that ends soon, or has ended."""

    model: str
    ends_on: datetime.date
    days: int
    """From today; 0 or less: it has ended."""
    successor: str = ""

    def __str__(self) -> str:
        when = f"ends on {self.ends_on} (in {self.days} days)"
        if self.days <= 0:
            when = f"was to end on {self.ends_on}"
        better = f"; its vendor names {self.successor} in its place" if self.successor else ""
        return f"model {self.model} {when}{better}"


class ModelEnds:
    """What is known of ends, by the host that told it; one of a process."""

    def __init__(self, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        self._today = today
        self._learned: dict[str, dict[str, datetime.date]] = {}

    def learn(self, host: str, ends: Mapping[str, datetime.date]) -> None:
        """Take what the service at a host says of all its models."""
        self._learned[host] = dict(ends)

    def soon(self, kind: str, host: str | None, models: Iterable[str]) -> list[ModelEnd]:
        """Those of `models`, spoken with at `host`, that end within WARN_DAYS."""
        found = []
        for name in dict.fromkeys(models):
            listed = _listed(kind, name) if host == OWN_HOSTS.get(kind) else None
            told = self._learned.get(host or "", {}).get(name)
            ends_on = told or (listed.ends_on if listed else None)
            if ends_on is not None and (days := (ends_on - self._today()).days) <= WARN_DAYS:
                found.append(ModelEnd(name, ends_on, days, listed.successor if listed else ""))
        return found


def _listed(kind: str, name: str) -> Model | None:
    """A dated edition of a model ends with it, unless it is listed itself."""
    known = {model.id: model for model in DESCRIPTORS[kind].models}
    return known.get(name) or next(
        (model for word, model in known.items() if name.startswith(f"{word}-20")), None
    )


class _Listed(msgspec.Struct):
    data: list[dict[str, Any]] = []


def parse_ends(body: bytes) -> dict[str, datetime.date]:
    """`id` and `shutdown_date` of a list of models; what cannot be read tells nothing.

    Raises RemoteProtocolError when the answer is no such list.
    """
    try:
        models = msgspec.json.decode(body, type=_Listed).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError("the answer is no list of models") from error
    ends = {}
    for model in models[:MAX_MODELS]:
        name, day = model.get("id"), model.get("shutdown_date")
        if isinstance(name, str) and len(name) <= 100 and isinstance(day, str):
            try:
                ends[name] = datetime.date.fromisoformat(day[:10])
            except ValueError:
                continue
    return ends


def tells_ends(access: ProviderAccess) -> bool:
    """Whether it is the vendor itself, whose list of models says when they end."""
    kind = access.config.realtime_provider
    known = DESCRIPTORS.get(kind)
    own = dialled_host(access.config) == OWN_HOSTS.get(kind)
    return bool(known and known.models_page and own and access.api_key)


def read_ends(access: ProviderAccess, ends: ModelEnds, network: Network) -> None:
    """Ask the provider of a row, with its key and where a call would; may wait.

    Raises RemoteProtocolError.
    """
    host = dialled_host(access.config)
    assert access.api_key is not None and host is not None  # `tells_ends`
    base = (access.config.base_url or f"wss://{host}/v1").rstrip("/").removesuffix("/realtime")
    scheme, _, rest = base.partition("://")
    url = f"{'https' if scheme in ('wss', 'https') else 'http'}://{rest}/models"
    headers = (("Authorization", f"Bearer {access.api_key.reveal()}"),)
    ends.learn(host, parse_ends(fetch(url, headers, network=network, limit_s=READ_LIMIT_S)))


class ModelWatch:
    """Reads the default provider's list once a day, and logs what of it is used and ends."""

    def __init__(
        self, access: ProviderAccess | None, ends: ModelEnds, network: Callable[[], Network]
    ) -> None:
        self._access = access
        self._ends = ends
        self._network = network

    def run(self) -> None:
        """Never returns."""
        while True:
            if self._access is not None:
                self.look(self._access)
            gevent.sleep(READ_EVERY_S)

    def look(self, access: ProviderAccess) -> None:
        """Once: read, and log."""
        config = access.config
        if tells_ends(access):
            try:
                read_ends(access, self._ends, self._network())
            except RemoteProtocolError as error:
                _log.info("models_not_read", provider=config.provider_label, error=str(error))
        models = models_asked(access)
        for end in self._ends.soon(config.realtime_provider, dialled_host(config), models):
            _log.warning("model_ends", provider=config.provider_label, said=str(end))
