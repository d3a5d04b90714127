"""OpenAI's `/embeddings` in software: texts whose words mean the same lie near each other.

python -m esl_controller.simulator.embeddings PORT
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gevent

from esl_controller.simulator.receivers import Answer, HttpReceiver, Posted

_WORD = re.compile(r"\w{3,}")
STEM = 5
"""Letters by which words are told apart: `deliver` is `delivery`."""
ALIKE: Mapping[str, str] = {
    "carro": "parki", "cars": "parki", "car": "parki", "vehic": "parki", "estac": "parki",
    "coche": "parki", "aparc": "parki", "money": "refun", "dinhe": "refun", "reemb": "refun",
    "devol": "refun", "trocas": "refun", "dog": "pets", "cacho": "pets", "perro": "pets",
}  # fmt: skip
"""Stems that mean what another means."""


def vector_of(text: str, dimensions: int, alike: Mapping[str, str] = ALIKE) -> list[float]:
    """A unit vector: a direction for each meaning that a text has."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    found = [0.0] * dimensions
    for word in _WORD.findall(plain):
        stem = word[:STEM]
        found[zlib.crc32(alike.get(stem, stem).encode()) % dimensions] += 1.0
    length = math.sqrt(sum(one * one for one in found))
    return [one / length for one in found] if length else [1.0, *found[1:]]


@dataclass
class EmbeddingService:
    """What it does, and does wrong, from now on."""

    dimensions: int = 256
    key: str = ""
    """That it wants; empty: any."""
    models: Sequence[str] = ("text-embedding-3-small",)
    status: int = 200
    wait_s: float = 0.0
    body: Any = None
    """Instead of the answer."""

    def __call__(self, posted: Posted) -> Answer:
        """As `HttpReceiver.answer`."""
        gevent.sleep(self.wait_s)
        if self.key and posted.headers.get("authorization") != f"Bearer {self.key}":
            return 401, _error("Incorrect API key provided")
        if self.status != 200:
            return self.status, _error("told to fail")
        if self.body is not None:
            return 200, self.body
        wanted = posted.json
        if not posted.path.endswith("/embeddings"):
            return 404, _error("no such path")
        if wanted["model"] not in self.models:
            return 404, _error("The model does not exist")
        texts = wanted["input"] if isinstance(wanted["input"], list) else [wanted["input"]]
        tokens = sum(len(one) // 4 + 1 for one in texts)
        return 200, {
            "object": "list",
            "model": wanted["model"],
            "data": [
                {"object": "embedding", "index": number, "embedding": self._vector(text)}
                for number, text in enumerate(texts)
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _vector(self, text: str) -> list[float]:
        return vector_of(text, self.dimensions)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}


def main() -> None:
    """Serve until interrupted."""
    receiver = HttpReceiver(EmbeddingService(), int(sys.argv[1]))
    sys.stdout.write(f"{receiver.url.removesuffix('/hook')}/v1\n")
    gevent.get_hub().join()


if __name__ == "__main__":
    main()
