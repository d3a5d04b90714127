"""What fields of OpenAI and ElevenLabs mean, in Portuguese and Spanish. Pure."""

from __future__ import annotations

from esl_controller.web.words.tongues import Tongues

HELPS: dict[str, Tongues] = {
    "Another interface of the vendor's.": Tongues(
        "Outra interface do fabricante.",
        "Otra interfaz del fabricante.",
    ),
    "Model to ask for.": Tongues(
        "Modelo a pedir.",
        "Modelo que se pide.",
    ),
    (
        "`ga`; `beta` for servers that still speak the older form; `xai` and `qwen` for theirs."
    ): Tongues(
        (
            "`ga`; `beta` para servidores que ainda falam a forma antiga; `xai` e "
            "`qwen` para a deles."
        ),
        (
            "`ga`; `beta` para servidores que aún hablan la forma antigua; `xai` y "
            "`qwen` para la suya."
        ),
    ),
    (
        "`bearer` (OpenAI and most others), `api-key` (Azure) or "
        "`client_secret` (Eleven Realtime: the key, as `xi-api-key`, "
        "buys a secret for one session)."
    ): Tongues(
        (
            "`bearer` (OpenAI e quase todos), `api-key` (Azure) ou `client_secret` "
            "(Eleven Realtime: a chave, como `xi-api-key`, compra um segredo para "
            "uma sessão)."
        ),
        (
            "`bearer` (OpenAI y casi todos), `api-key` (Azure) o `client_secret` "
            "(Eleven Realtime: la clave, como `xi-api-key`, compra un secreto para "
            "una sesión)."
        ),
    ),
    "Those of `audio/…` the service speaks.": Tongues(
        "Os de `audio/…` que o serviço fala.",
        "Los de `audio/…` que habla el servicio.",
    ),
    "Sent as OpenAI-Safety-Identifier: an opaque name of the end user.": Tongues(
        "Enviado como OpenAI-Safety-Identifier: um nome opaco do usuário final.",
        "Se envía como OpenAI-Safety-Identifier: un nombre opaco del usuario final.",
    ),
    (
        "Further query parameters; with `model` empty Azure's `deployment` can take its place."
    ): Tongues(
        (
            "Outros parâmetros da consulta; com `model` vazio, o `deployment` da "
            "Azure pode ocupar o lugar."
        ),
        (
            "Otros parámetros de la consulta; con `model` vacío, el `deployment` de "
            "Azure puede ocupar su lugar."
        ),
    ),
    ("After this the service closes the session by itself, if it does not announce less."): Tongues(
        "Depois disto o serviço encerra a sessão sozinho, se não anunciar menos.",
        "Tras esto el servicio cierra la sesión por sí mismo, si no anuncia menos.",
    ),
    "How long before that the session is told to move on.": Tongues(
        "Quanto antes disso a sessão é avisada para seguir adiante.",
        "Cuánto antes de eso se avisa a la sesión que siga en otra.",
    ),
    "Voice to ask for.": Tongues(
        "Voz a pedir.",
        "Voz que se pide.",
    ),
    "0.25 to 1.5.": Tongues(
        "0,25 a 1,5.",
        "0,25 a 1,5.",
    ),
    ("server_vad | semantic_vad | none; with `none` our own ear finds the turns."): Tongues(
        ("server_vad | semantic_vad | none; com `none` nosso próprio ouvido acha os turnos."),
        ("server_vad | semantic_vad | none; con `none` nuestro propio oído encuentra los turnos."),
    ),
    "server_vad: 0 to 1.": Tongues(
        "server_vad: 0 a 1.",
        "server_vad: de 0 a 1.",
    ),
    "server_vad: sound kept from before speech began.": Tongues(
        "server_vad: som guardado de antes do início da fala.",
        "server_vad: sonido que se conserva de antes de que empezara el habla.",
    ),
    "server_vad: silence that ends a turn.": Tongues(
        "server_vad: silêncio que termina um turno.",
        "server_vad: silencio que termina un turno.",
    ),
    "semantic_vad: low | medium | high | auto": Tongues(
        "semantic_vad: low | medium | high | auto",
        "semantic_vad: low | medium | high | auto",
    ),
    ("server_vad: 5000 to 30000; the model then asks a silent caller by itself."): Tongues(
        "server_vad: 5000 a 30000; então o modelo pergunta sozinho a quem se cala.",
        ("server_vad: de 5000 a 30000; entonces el modelo pregunta por sí mismo a quien calla."),
    ),
    "The service answers a turn by itself; otherwise it is asked to.": Tongues(
        "O serviço responde a um turno sozinho; senão, isso lhe é pedido.",
        "El servicio responde a un turno por sí mismo; si no, se le pide.",
    ),
    "The service stops its answer when the caller speaks.": Tongues(
        "O serviço para a resposta quando a pessoa fala.",
        "El servicio detiene su respuesta cuando habla quien llama.",
    ),
    "near_field | far_field": Tongues(
        "near_field | far_field",
        "near_field | far_field",
    ),
    (
        "Empty leaves the caller untranscribed; `own` is a service that has one and takes no name."
    ): Tongues(
        (
            "Vazio deixa a pessoa sem transcrição; `own` é um serviço que tem a sua "
            "e não aceita nome."
        ),
        (
            "Vacío deja a quien llama sin transcripción; `own` es un servicio que "
            "tiene la suya y no admite nombre."
        ),
    ),
    "Names and words the transcription should expect.": Tongues(
        "Nomes e palavras que a transcrição deve esperar.",
        "Nombres y palabras que la transcripción debe esperar.",
    ),
    "auto | none | required | the name of a function": Tongues(
        "auto | none | required | o nome de uma função",
        "auto | none | required | el nombre de una función",
    ),
    "Longest answer.": Tongues(
        "Resposta mais longa.",
        "Respuesta más larga.",
    ),
    "Further fields of the session, laid over everything else.": Tongues(
        "Outros campos da sessão, por cima de todo o resto.",
        "Otros campos de la sesión, por encima de todo lo demás.",
    ),
    "The agent; needed.": Tongues(
        "O agente; necessário.",
        "El agente; necesario.",
    ),
    "A branch of the agent.": Tongues(
        "Um ramo do agente.",
        "Una rama del agente.",
    ),
    "As in their API.": Tongues(
        "Como na API deles.",
        "Como en su API.",
    ),
    ("The agent's language model, in ElevenLabs' words; empty leaves the agent's own."): Tongues(
        ("O modelo de linguagem do agente, nas palavras da ElevenLabs; vazio mantém o do agente."),
        ("El modelo de lenguaje del agente, en palabras de ElevenLabs; vacío deja el del agente."),
    ),
    "A voice id; empty leaves the agent's own.": Tongues(
        "O id de uma voz; vazio mantém a do agente.",
        "El id de una voz; vacío deja la del agente.",
    ),
    "Of the voice, 0 to 1.": Tongues(
        "Da voz, 0 a 1.",
        "De la voz, de 0 a 1.",
    ),
    "Of the voice, 0.7 to 1.2.": Tongues(
        "Da voz, 0,7 a 1,2.",
        "De la voz, de 0,7 a 1,2.",
    ),
    (
        "Those the agent's security settings allow: one that is not "
        "allowed ends the conversation. What is not in this list is "
        "given as a dynamic variable of the same name."
    ): Tongues(
        (
            "Os que as configurações de segurança do agente permitem: um não "
            "permitido encerra a conversa. O que não está nesta lista é dado como "
            "variável dinâmica do mesmo nome."
        ),
        (
            "Los que permite la configuración de seguridad del agente: uno no "
            "permitido termina la conversación. Lo que no está en esta lista se da "
            "como variable dinámica del mismo nombre."
        ),
    ),
    "For `{{name}}` in the agent's own texts.": Tongues(
        "Para `{{nome}}` nos textos do próprio agente.",
        "Para `{{nombre}}` en los textos del propio agente.",
    ),
    "An opaque name of the end user, for their records.": Tongues(
        "Um nome opaco do usuário final, para os registros deles.",
        "Un nombre opaco del usuario final, para sus registros.",
    ),
    "The agent's `max_duration_seconds`.": Tongues(
        "O `max_duration_seconds` do agente.",
        "El `max_duration_seconds` del agente.",
    ),
    ("Further fields of `conversation_config_override`, laid over everything else."): Tongues(
        "Outros campos de `conversation_config_override`, por cima de todo o resto.",
        "Otros campos de `conversation_config_override`, por encima de todo lo demás.",
    ),
}
