"""The columns of `v_voice_realtime_settings` that say who finds documents by meaning."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.tenants.checks import SEALED, WEB_ADDRESS, Words, text
from esl_controller.tenants.columns.column import Column

KNOWLEDGE: Mapping[str, Column] = {
    "embedding_url": Column(
        rule=WEB_ADDRESS,
        meaning=Words(
            "OpenAI-compatible service that finds documents by meaning, up to `/embeddings`; "
            "empty: the installation's, where it has one.",
            "Serviço compatível com OpenAI que encontra documentos pelo sentido, até "
            "`/embeddings`; vazio: o da instalação, se houver.",
        ),
    ),
    "embedding_model": Column(
        rule=text(100),
        meaning=Words("Model to ask there.", "Modelo a pedir ali."),
    ),
    "embedding_key": Column(
        rule=SEALED,
        meaning=Words("The key of `embedding_url`, sealed.", "A chave de `embedding_url`, selada."),
    ),
}
