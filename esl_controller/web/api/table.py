"""Every operation of the interface. Routing, checks and the OpenAPI document come from here."""

from __future__ import annotations

from http import HTTPMethod, HTTPStatus

from esl_controller.web.api import actions, checks, conversations, keys, providers, schemas, trials
from esl_controller.web.api.routing import Route

_DOMAIN = "/domains/{domain_uuid}"
_GET, _POST = HTTPMethod.GET, HTTPMethod.POST
_CONFLICT = HTTPStatus.CONFLICT

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
    ),
    Route(
        _POST,
        f"{_DOMAIN}/calls/{{call_uuid}}/hangup",
        actions.hang_up_call,
        "End a call politely, whichever worker has it",
        schemas.CallEnding,
        description="The worker that is asked asks the one that has the call. 503 "
        "`worker-unavailable` when that one cannot be asked.",
    ),
    Route(
        _GET,
        f"{_DOMAIN}/extensions/{{extension}}/check",
        checks.check_extension,
        "Explain where a call to a number would go now",
        schemas.ExtensionCheck,
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
        schemas.SimulatedCall,
        body=schemas.SimulatedCallRequest,
        problems=(_CONFLICT,),
    ),
    Route(
        _POST,
        f"{_DOMAIN}/test-calls/telephone",
        trials.call_telephone,
        "Ring a telephone of the domain and join it to a number",
        schemas.TelephoneCall,
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
)
