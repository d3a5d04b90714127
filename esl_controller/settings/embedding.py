"""Settings of the service that finds documents by meaning."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from esl_controller.settings.group import Group
from esl_controller.settings.types import Secret, doc


def http_address(text: str) -> str | None:
    """None for nothing, or an http:// or https:// address with a host, else what is allowed."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    return None if usable or not text else "an address, https://…, or nothing"


class Embedding(Group, frozen=True):
    """The service that finds documents by meaning, for domains that have none of their own."""

    url: Annotated[
        str,
        doc(
            "An OpenAI-compatible service, up to `/embeddings`. Empty: only domains with "
            "`embedding_url` find by meaning.",
            check=http_address,
        ),
    ] = ""
    model: Annotated[str, doc("Model to ask for.")] = "text-embedding-3-small"
    key: Annotated[Secret, doc("Its key; better `file:/path`.")] = Secret()
