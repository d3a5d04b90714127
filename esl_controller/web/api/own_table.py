"""Operations on what a domain brings of its own: functions and documents."""

from __future__ import annotations

from http import HTTPMethod, HTTPStatus

from esl_controller.web.api import documents, functions, schemas
from esl_controller.web.api.routing import Route

_GET, _POST = HTTPMethod.GET, HTTPMethod.POST
_PATCH, _DELETE = HTTPMethod.PATCH, HTTPMethod.DELETE
_ROW_BYTES = 262_144
_FUNCTIONS = "/domains/{domain_uuid}/functions"
_FUNCTION = f"{_FUNCTIONS}/{{function_uuid}}"
_DOCUMENTS = "/domains/{domain_uuid}/documents"
_DOCUMENT = f"{_DOCUMENTS}/{{document_uuid}}"
_KEY = (
    "`credential` takes the key itself, which is sealed for the domain before it is stored and "
    "never shown. It goes where a header says `{key}`."
)

OWN_ROUTES = (
    Route(
        _GET,
        _FUNCTIONS,
        functions.list_functions,
        "List functions of a domain's own",
        functions.FunctionRows,
    ),
    Route(
        _POST,
        _FUNCTIONS,
        functions.add_function,
        "Add a function",
        functions.FunctionRowView,
        success=HTTPStatus.CREATED,
        body=functions.FunctionRequest,
        max_body_bytes=_ROW_BYTES,
        description=_KEY,
    ),
    Route(
        _POST,
        f"{_FUNCTIONS}/validate",
        functions.validate_function,
        "Say what would be wrong with a new function",
        schemas.Validation,
        body=functions.FunctionRequest,
        max_body_bytes=_ROW_BYTES,
        description="The form as it is; nothing is stored.",
    ),
    Route(
        _GET,
        _FUNCTION,
        functions.show_function,
        "Show a function",
        functions.FunctionRowView,
    ),
    Route(
        _PATCH,
        _FUNCTION,
        functions.change_function,
        "Change a function",
        functions.FunctionRowView,
        body=functions.FunctionRequest,
        max_body_bytes=_ROW_BYTES,
        description=f"What is left out stays as it is, the key too. {_KEY}",
    ),
    Route(
        _DELETE,
        _FUNCTION,
        functions.remove_function,
        "Remove a function",
        schemas.Removed,
    ),
    Route(
        _POST,
        f"{_FUNCTION}/validate",
        functions.validate_function_change,
        "Say what would be wrong with a change of a function",
        schemas.Validation,
        body=functions.FunctionRequest,
        max_body_bytes=_ROW_BYTES,
    ),
    Route(
        _POST,
        f"{_FUNCTION}/try",
        functions.try_function,
        "Call a function as a model would",
        functions.Tried,
        body=functions.TryRequest,
        max_body_bytes=65_536,
        description="A real request: what it does at the other side is done.",
    ),
    Route(
        _POST,
        f"{_FUNCTION}/refresh",
        functions.refresh_function,
        "Ask an MCP server for its tools",
        functions.Refreshed,
        description="Those that `mcp_tools` allows are kept, and offered to the model as the "
        "server describes them now.",
    ),
    Route(
        _GET,
        _DOCUMENTS,
        documents.list_documents,
        "List documents to look things up in",
        documents.DocumentList,
    ),
    Route(
        _POST,
        _DOCUMENTS,
        documents.add_document,
        "Add a document",
        documents.DocumentView,
        success=HTTPStatus.CREATED,
        body=documents.DocumentRequest,
        max_body_bytes=documents.MAX_BODY_BYTES,
        description="It is read in a process of its own, which may take a minute. One of the same "
        "title is replaced.",
    ),
    Route(
        _GET,
        f"{_DOCUMENTS}/search",
        documents.search_documents,
        "Search documents as the model does",
        documents.Passages,
        query=documents.SearchQuery,
    ),
    Route(
        _GET,
        _DOCUMENT,
        documents.show_document,
        "Show a document as it was cut",
        documents.DocumentDetail,
    ),
    Route(
        _DELETE,
        _DOCUMENT,
        documents.remove_document,
        "Remove a document",
        schemas.Removed,
    ),
)
