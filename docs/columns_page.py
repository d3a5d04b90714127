"""The page of every column a tenant may set, in English and Portuguese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esl_controller.tenants.checks import Words
from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.columns.function import FUNCTION
from esl_controller.tenants.columns.provider import PROVIDER
from esl_controller.tenants.columns.secretary import SECRETARY
from esl_controller.tenants.columns.tenant import TENANT
from esl_controller.tenants.providers import spoken_kinds

COLUMNS_INTRODUCTION = Words(
    """\
# Settings of a tenant

What FusionPBX's tables of ours hold: a secretary, the provider it speaks through, and the
limits of the domain. Changes are seen within a second, without a restart; running calls keep
what they began with. [Operations](operations.md#a-secretary) has an example.

A mistake costs as little as it can. **A wrong value of an optional column costs that column
alone**: what stands under "when wrong" is used, the number is answered, and a warning says so
in `esl-controller config check --domain …`, in the interface's check and in the log
(`settings_doubtful`). A column marked **needed** keeps the secretary from answering, or the
provider from being used, because no answer is possible without it, or because its default could
cost money that nobody agreed to. The database refuses numbers outside the limits when they are
written.
""",
    """\
# Configuração de um cliente

O que as nossas tabelas no banco do FusionPBX contêm: uma secretária, o provedor por meio do
qual ela fala e os limites do domínio. Mudanças valem em um segundo, sem reiniciar; chamadas em
curso mantêm o que tinham no início. O [guia do operador](operacao.md#uma-secretária) tem um
exemplo.

Um erro custa o mínimo possível. **Um valor errado numa coluna opcional custa só essa coluna**:
usa-se o que está em "se errado", o número é atendido, e um aviso aparece em `esl-controller
config check --domain …`, na verificação da interface e no registro (`settings_doubtful`). Uma
coluna marcada **necessária** impede a secretária de atender, ou o provedor de ser usado, porque
sem ela não há resposta possível ou porque o padrão poderia custar dinheiro que ninguém
autorizou. O banco recusa números fora dos limites já na escrita.
""",
)
_TABLES: dict[str, tuple[Words, dict[str, Column]]] = {
    "v_voice_secretaries_realtime": (Words("A secretary", "Uma secretária"), dict(SECRETARY)),
    "v_voice_realtime_providers": (Words("A provider", "Um provedor"), dict(PROVIDER)),
    "v_voice_realtime_settings": (
        Words("Limits of a domain", "Limites de um domínio"),
        dict(TENANT),
    ),
    "v_voice_realtime_functions": (
        Words("A function of the domain's own", "Uma função do próprio domínio"),
        dict(FUNCTION),
    ),
}
_HEAD = Words(
    "| column | allowed | default | when wrong | meaning |",
    "| coluna | permitido | padrão | se errado | significado |",
)
_NEEDED = Words("**needed**", "**necessária**")
_NEEDED_IF_SET = Words("**needed** once set", "**necessária** se preenchida")
_UNUSED = Words("not used by this version", "não usada por esta versão")
_LEFT_OUT = Words("left out", "ignorada")
_SAME = Words("as empty", "como vazia")
_PARTS = Words("the wrong part is left out", "a parte errada é ignorada")
_IN_PARTS = frozenset(
    {"allowed_tool_hosts", "business_hours", "languages", "transfer_rules", "voice_settings"}
)
_SETTINGS_OF = Words(
    "`provider_settings` of kind `{kind}` may hold {names}.",
    "`provider_settings` do tipo `{kind}` pode conter {names}.",
)


def secretary_page(language: str) -> str:
    """docs/secretary.md, or its Portuguese."""

    def said(words: Words) -> str:
        text: str = getattr(words, language)
        return text

    lines = [said(COLUMNS_INTRODUCTION)]
    for table, (title, columns) in _TABLES.items():
        lines += [f"## {said(title)}", "", f"`{table}`", "", said(_HEAD), "|---|---|---|---|---|"]
        lines += [_column_row(name, column, said) for name, column in columns.items()]
        lines.append("")
    for kind, allowed_names in spoken_kinds().items():
        names = ", ".join(f"`{name}`" for name in sorted(allowed_names))
        lines.append(said(_SETTINGS_OF).format(kind=kind, names=names))
    return "\n".join(lines) + "\n"


def _column_row(name: str, column: Column, said: Callable[[Words], str]) -> str:
    unused = column.use is Use.UNUSED
    cells = [
        f"`{name}`",
        "" if unused else said(column.rule.allowed),
        "" if unused else _value(column.default),
        _when_wrong(name, column, said),
        said(column.meaning),
    ]
    return "| " + " | ".join(cells) + " |"


def _value(value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _when_wrong(name: str, column: Column, said: Callable[[Words], str]) -> str:
    if column.use is Use.UNUSED:
        return said(_UNUSED)
    if column.use is Use.NEEDED:
        empty = column.may_be_empty or column.default == {}
        return said(_NEEDED_IF_SET if empty else _NEEDED)
    if name in _IN_PARTS:
        return said(_PARTS)
    return _value(column.when_wrong) or said(_LEFT_OUT if column.default else _SAME)
