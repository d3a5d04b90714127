"""The columns of `v_voice_realtime_functions`: what a tenant's secretaries can do besides."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.tenants.addresses import METHODS
from esl_controller.tenants.checks import EXTENSIONS, FLAG, SEALED, UUID, Words, choice, text, whole
from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.own_functions import (
    CATALOGUE,
    FIELDS,
    FUNCTION_NAME,
    OWN_HEADERS,
    PLACES,
    SCHEMA,
    TEMPLATE,
    TOOLS,
)

FUNCTION: Mapping[str, Column] = {
    "voice_realtime_function_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("Key of the row.", "Chave da linha.")
    ),
    "domain_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("The tenant.", "O cliente (domínio).")
    ),
    "function_name": Column(
        rule=FUNCTION_NAME,
        use=Use.NEEDED,
        meaning=Words(
            "As the model calls it; of an MCP server, what stands before its tools' names.",
            "Como o modelo a chama; de um servidor MCP, o que vem antes do nome das ferramentas.",
        ),
    ),
    "function_kind": Column(
        rule=choice("http", "mcp"),
        use=Use.NEEDED,
        default="http",
        meaning=Words("One HTTP request, or an MCP server.", "Um pedido HTTP, ou um servidor MCP."),
    ),
    "description": Column(
        rule=text(1000),
        use=Use.NEEDED,
        meaning=Words(
            "What it does, and when the model shall call it.",
            "O que ela faz, e quando o modelo deve chamá-la.",
        ),
    ),
    "url": Column(
        rule=TEMPLATE,
        use=Use.NEEDED,
        meaning=Words(
            "Where it is, on a host of `allowed_tool_hosts`; `{argument}` in its path.",
            "Onde fica, num host de `allowed_tool_hosts`; `{argumento}` no caminho.",
        ),
    ),
    "http_method": Column(
        rule=choice(*METHODS),
        use=Use.NEEDED,
        default="GET",
        meaning=Words("Of the request.", "Do pedido."),
    ),
    "parameters": Column(
        rule=SCHEMA,
        use=Use.NEEDED,
        default={},
        meaning=Words("Its arguments.", "Seus argumentos."),
    ),
    "argument_places": Column(
        rule=PLACES,
        use=Use.NEEDED,
        default={},
        meaning=Words(
            "Where an argument goes: `path`, `query`, `query:name`, `body`, `body:/pointer`; "
            "also `$caller_number` and `$conversation_uuid`. Empty: into the address where it "
            "stands there, else the query of GET and DELETE, else the body.",
            "Aonde vai um argumento: `path`, `query`, `query:nome`, `body`, `body:/ponteiro`; "
            "também `$caller_number` e `$conversation_uuid`. Vazio: no endereço se está nele, "
            "senão na query de GET e DELETE, senão no corpo.",
        ),
    ),
    "result_fields": Column(
        rule=FIELDS,
        use=Use.NEEDED,
        default={},
        meaning=Words(
            "What of the answer the model is told, as JSON Pointers; empty: all of it.",
            "O que da resposta o modelo recebe, em JSON Pointers; vazio: tudo.",
        ),
    ),
    "max_result_bytes": Column(
        rule=whole(100, 32_768),
        default=4096,
        meaning=Words(
            "Most the model is told: more is cut off.",
            "O máximo que o modelo recebe: o resto é cortado.",
        ),
    ),
    "timeout_seconds": Column(
        rule=whole(1, 60),
        default=8,
        meaning=Words("Longest wait for the answer.", "Espera máxima pela resposta."),
    ),
    "headers": Column(
        rule=OWN_HEADERS,
        use=Use.NEEDED,
        default={},
        meaning=Words(
            "Headers of the request; `{key}` stands for the key.",
            "Cabeçalhos do pedido; `{key}` representa a chave.",
        ),
    ),
    "credential": Column(
        rule=SEALED,
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words("The key, sealed.", "A chave, selada."),
    ),
    "mcp_tools": Column(
        rule=TOOLS,
        use=Use.NEEDED,
        default=[],
        meaning=Words(
            "Tools of the MCP server that may be called.",
            "Ferramentas do servidor MCP que podem ser chamadas.",
        ),
    ),
    "mcp_catalogue": Column(
        rule=CATALOGUE,
        use=Use.NEEDED,
        default=[],
        meaning=Words(
            "What the MCP server said of them (`function refresh`).",
            "O que o servidor MCP disse delas (`function refresh`).",
        ),
    ),
    "extensions": Column(
        rule=EXTENSIONS,
        use=Use.NEEDED,
        default=[],
        meaning=Words(
            "Numbers of the secretaries it is for; empty: all.",
            "Números das secretárias que a têm; vazio: todas.",
        ),
    ),
    "enabled": Column(
        rule=FLAG, default=True, instead=False, meaning=Words("Whether it is used.", "Se é usada.")
    ),
}
