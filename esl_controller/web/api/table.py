"""Every operation of the interface. Routing, checks and the OpenAPI document come from here."""

from __future__ import annotations

from http import HTTPMethod, HTTPStatus

from esl_controller.web.api import (
    catalogue,
    checks,
    columns,
    configuration,
    conversations,
    costs,
    erasing,
    export,
    installation,
    keys,
    providers,
    registry,
    schemas,
    tickets,
    trials,
)
from esl_controller.web.api.calls_table import CALL_ROUTES
from esl_controller.web.api.errands_table import ERRAND_ROUTES
from esl_controller.web.api.own_table import OWN_ROUTES
from esl_controller.web.api.routing import Route

_DOMAIN = "/domains/{domain_uuid}"
_GET, _POST = HTTPMethod.GET, HTTPMethod.POST
_PATCH, _DELETE = HTTPMethod.PATCH, HTTPMethod.DELETE
_CONFLICT = HTTPStatus.CONFLICT
_ROW_BYTES = 262_144
"""A prompt has 100,000 characters at most."""
_SECRETARY = f"{_DOMAIN}/secretaries/{{secretary_uuid}}"
_PROVIDER = f"{_DOMAIN}/providers/{{provider_uuid}}"
_KEY = (
    "`credential` takes the key itself, which is sealed for the domain before it is stored and "
    "never shown, or `env:NAME` or `file:/path`. In answers `key` says where the key is."
)

ROUTES = (
    Route(
        _GET,
        f"{_DOMAIN}/conversations",
        conversations.list_conversations,
        "List conversations, newest first",
        schemas.ConversationPage,
        query=schemas.ConversationQuery,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/conversations/{{conversation_uuid}}",
        conversations.show_conversation,
        "Show one conversation: turns, functions, transfers, usage, cost",
        schemas.ConversationDetail,
    ),
    Route(
        _DELETE,
        f"{_DOMAIN}/conversations/{{conversation_uuid}}",
        erasing.erase_one,
        "Remove one conversation and all that was said in it",
        erasing.Erased,
        problems=(_CONFLICT,),
        description="It cannot be undone. What it cost stays: budgets are sums of it. 409 "
        "`going-on` while the call lasts.",
    ),
    Route(
        _POST,
        f"{_DOMAIN}/callers/erase",
        erasing.erase_all_of_caller,
        "Remove every conversation with one caller",
        erasing.Erased,
        body=erasing.EraseCallerRequest,
        description="As `esl-controller erase`. It cannot be undone. All of it is removed or, on "
        "an error, nothing; calls going on stay and are counted in `going_on`.",
    ),
    Route(
        _GET,
        f"{_DOMAIN}/calls",
        conversations.list_active,
        "List calls going on",
        schemas.ActiveCalls,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/calls/{{call_uuid}}/events",
        conversations.watch_call,
        "Watch a call: its turns as server-sent events",
        "text/event-stream",
        query=tickets.EventsQuery,
    ),
    *CALL_ROUTES,
    *OWN_ROUTES,
    *ERRAND_ROUTES,
    Route(
        _GET,
        f"{_DOMAIN}/extensions/{{extension}}/check",
        checks.check_extension,
        "Explain where a call to a number would go now",
        schemas.ExtensionCheck,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/circuits",
        providers.show_circuits,
        "Show which providers calls pass over",
        schemas.Circuits,
        description="Of the worker that is asked: each keeps its own. A provider is passed over "
        "after VOICE_AI_PROVIDER_BREAKER_FAILURES failures in a row, for "
        "VOICE_AI_PROVIDER_BREAKER_OPEN_S seconds; then one call tries it.",
    ),
    Route(
        _POST,
        f"{_DOMAIN}/providers/{{provider_uuid}}/test",
        providers.try_provider,
        "Connect a provider as a call would",
        schemas.ProviderTest,
    ),
    Route(
        _POST,
        f"{_DOMAIN}/providers/{{provider_uuid}}/preview",
        providers.preview_voice,
        "Have a provider say a sentence",
        "audio/wav",
        body=schemas.PreviewRequest,
        problems=(_CONFLICT,),
        description="Spends money at the provider. What it counts is stored as the domain's usage "
        "(`conversation_uuid` null) and held against its budgets; once one is used up, the answer "
        "is 409 `budget-exhausted`. A preview takes none of the domain's places for calls.",
    ),
    Route(
        _POST,
        f"{_DOMAIN}/test-calls/simulated",
        trials.simulate_call,
        "Call a number with a caller in software",
        schemas.TestCall,
        success=HTTPStatus.ACCEPTED,
        body=schemas.SimulatedCallRequest,
        problems=(_CONFLICT,),
    ),
    Route(
        _POST,
        f"{_DOMAIN}/test-calls/telephone",
        trials.call_telephone,
        "Ring a telephone of the domain and join it to a number",
        schemas.TestCall,
        success=HTTPStatus.ACCEPTED,
        body=schemas.TelephoneCallRequest,
        problems=(_CONFLICT,),
    ),
    Route(
        _GET,
        f"{_DOMAIN}/keys/public",
        keys.show_public_key,
        "Show the key that providers' keys are sealed with",
        schemas.PublicKey,
    ),
    Route(
        _POST,
        f"{_DOMAIN}/keys/seal",
        keys.seal_key,
        "Seal a provider's key",
        schemas.SealedKey,
        body=schemas.SealRequest,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/test-calls/{{test_call_uuid}}",
        trials.show_test_call,
        "Ask after a test call",
        schemas.TestCall,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/exports/conversations",
        export.export_conversations,
        "Export conversations for a spreadsheet",
        "text/csv",
        query=schemas.ConversationQuery,
        description="All that fit, newest first, each once, however many; `limit` is not looked "
        "at. A table that ends in the middle was not sent whole: the connection says so by its "
        "missing last chunk.",
    ),
    Route(
        _POST,
        f"{_DOMAIN}/tickets",
        tickets.make_ticket,
        "Make a ticket for a browser",
        tickets.Ticket,
        body=tickets.TicketRequest,
        description="It opens the one page it names, of this domain, in place of the token, so a "
        "browser watches a call without the operator's token or a PHP process of its own.",
    ),
    Route(
        _GET,
        f"{_DOMAIN}/secretaries",
        configuration.list_secretaries,
        "List secretaries",
        configuration.SecretaryRows,
    ),
    Route(
        _POST,
        f"{_DOMAIN}/secretaries",
        configuration.add_secretary,
        "Add a secretary",
        configuration.SecretaryRow,
        success=HTTPStatus.CREATED,
        body=configuration.SecretaryRequest,
        max_body_bytes=_ROW_BYTES,
    ),
    Route(
        _POST,
        f"{_DOMAIN}/secretaries/validate",
        configuration.validate_secretary,
        "Say what would be wrong with a new secretary",
        schemas.Validation,
        body=configuration.SecretaryRequest,
        max_body_bytes=_ROW_BYTES,
        description="The form as it is; nothing is stored.",
    ),
    Route(
        _GET,
        _SECRETARY,
        configuration.show_secretary,
        "Show a secretary",
        configuration.SecretaryRow,
    ),
    Route(
        _PATCH,
        _SECRETARY,
        configuration.change_secretary,
        "Change a secretary",
        configuration.SecretaryRow,
        body=configuration.SecretaryRequest,
        max_body_bytes=_ROW_BYTES,
        description="What is left out stays as it is; null is the default.",
    ),
    Route(
        _DELETE, _SECRETARY, configuration.remove_secretary, "Remove a secretary", schemas.Removed
    ),
    Route(
        _POST,
        f"{_SECRETARY}/validate",
        configuration.validate_change,
        "Say what would be wrong with a change of a secretary",
        schemas.Validation,
        body=configuration.SecretaryRequest,
        max_body_bytes=_ROW_BYTES,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/providers",
        configuration.list_providers,
        "List providers",
        configuration.ProviderRows,
    ),
    Route(
        _POST,
        f"{_DOMAIN}/providers",
        configuration.add_provider,
        "Add a provider",
        configuration.ProviderRow,
        success=HTTPStatus.CREATED,
        body=configuration.ProviderRequest,
        description=_KEY,
    ),
    Route(
        _POST,
        f"{_DOMAIN}/providers/validate",
        configuration.validate_provider,
        "Say what would be wrong with a new provider",
        schemas.Validation,
        body=configuration.ProviderRequest,
        description="The form as it is; nothing is stored, and the key is not looked at.",
    ),
    Route(
        _POST,
        f"{_PROVIDER}/validate",
        configuration.validate_provider_change,
        "Say what would be wrong with a change of a provider",
        schemas.Validation,
        body=configuration.ProviderRequest,
    ),
    Route(
        _GET, _PROVIDER, configuration.show_provider, "Show a provider", configuration.ProviderRow
    ),
    Route(
        _PATCH,
        _PROVIDER,
        configuration.change_provider,
        "Change a provider",
        configuration.ProviderRow,
        body=configuration.ProviderRequest,
        description=f"What is left out stays as it is, the key too. {_KEY}",
    ),
    Route(_DELETE, _PROVIDER, configuration.remove_provider, "Remove a provider", schemas.Removed),
    Route(
        _GET,
        f"{_DOMAIN}/settings",
        configuration.show_tenant,
        "Show the limits of a domain",
        configuration.TenantRow,
    ),
    Route(
        _PATCH,
        f"{_DOMAIN}/settings",
        configuration.change_tenant,
        "Change the limits of a domain",
        configuration.TenantRow,
        body=configuration.TenantRequest,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/budget",
        catalogue.show_budget,
        "Show how much of the budget is used",
        catalogue.BudgetMeter,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/costs",
        costs.show_costs,
        "Show what each provider has cost today and this month",
        costs.Costs,
    ),
    Route(
        _GET,
        "/status",
        installation.show_status,
        "Show the workers of the installation",
        installation.InstallationStatus,
    ),
    Route(
        _GET,
        "/registry",
        registry.show_registry,
        "Show every kind of provider: models, voices, prices, settings",
        registry.Registry,
    ),
    Route(
        _GET,
        "/voices",
        catalogue.list_voices,
        "List known voices",
        catalogue.Voices,
        query=catalogue.VoicesQuery,
    ),
    Route(
        _GET,
        "/columns",
        columns.list_columns,
        "List the columns of rows, and what each takes",
        columns.Columns,
    ),
    Route(_GET, "/models", catalogue.list_models, "List models and prices", catalogue.Models),
    Route(
        _POST,
        "/estimate",
        catalogue.estimate_cost,
        "Estimate what calls cost",
        catalogue.Estimate,
        body=catalogue.EstimateRequest,
    ),
)
