"""The order of the site's pages, and which Portuguese page says the same as which English one.

A page that stands nowhere here fails `tests/docs`, and so does an entry without a page.
"""

from __future__ import annotations

SECTIONS: dict[str, list[str]] = {
    "Start": ["index.md", "first-hour.md", "faq.md", "glossary.md"],
    "Use": [
        "secretary-guide.md",
        "fusionpbx.md",
        "conversations.md",
        "turns.md",
        "transfers.md",
        "functions.md",
        "functions-faults.md",
        "functions-own.md",
        "knowledge.md",
        "errands.md",
        "outbound.md",
        "recording.md",
        "supervision.md",
        "rehearsals.md",
        "secretary.md",
    ],
    "Providers": ["providers.md", "faults.md", "costs.md"],
    "Run": [
        "operations.md",
        "deploy.md",
        "modes.md",
        "scale.md",
        "security.md",
        "troubleshooting.md",
        "monitoring.md",
        "runbook.md",
        "settings.md",
        "metrics.md",
        "cli.md",
    ],
    "Inside": [
        "architecture.md",
        "media-protocol.md",
        "turns-measured.md",
        "media-path.md",
        "editions.md",
        "telephones.md",
        "states.md",
        "api.md",
        "adr/README.md",
        "project/readme.md",
        "project/contributing.md",
        "project/changelog.md",
        "project/licence.md",
        "licences.md",
        "releasing.md",
    ],
}

PORTUGUESE: dict[str, str] = {
    "first-hour.md": "primeira-hora.md",
    "faq.md": "perguntas-frequentes.md",
    "secretary-guide.md": "guia-da-secretaria.md",
    "fusionpbx.md": "fusionpbx.md",
    "conversations.md": "conversas.md",
    "turns.md": "vezes.md",
    "transfers.md": "transferencias.md",
    "functions.md": "funcoes.md",
    "functions-own.md": "funcoes-proprias.md",
    "knowledge.md": "conhecimento.md",
    "errands.md": "recados.md",
    "outbound.md": "chamadas-feitas.md",
    "recording.md": "gravacao.md",
    "supervision.md": "supervisao.md",
    "rehearsals.md": "ensaios.md",
    "secretary.md": "secretaria.md",
    "providers.md": "provedores.md",
    "faults.md": "falhas.md",
    "costs.md": "custos.md",
    "operations.md": "operacao.md",
    "deploy.md": "implantacao.md",
    "modes.md": "modos.md",
    "scale.md": "escala.md",
    "security.md": "seguranca.md",
    "troubleshooting.md": "solucao-de-problemas.md",
    "monitoring.md": "monitoramento.md",
    "runbook.md": "runbook.md",
    "telephones.md": "telefones.md",
}
"""A user's guide in English, and the page below `pt-BR` with the same facts."""

PORTUGUESE_HOME = "pt-BR/README.md"

IN_ENGLISH_ALONE = [
    "index.md",
    "glossary.md",  # has both languages
    "functions-faults.md",
    "settings.md",
    "metrics.md",
    "cli.md",
    *(name for name in SECTIONS["Inside"] if name not in PORTUGUESE),
]
