"""What columns of providers, domains and functions mean, in Spanish. Pure."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    "Kind of provider.": "Tipo de proveedor.",
    "Name in logs and checks.": "Nombre en registros y comprobaciones.",
    (
        "Address of a gateway or look-alike, on a host of "
        "VOICE_AI_PROVIDER_ALLOWED_HOSTS; empty: the provider's own."
    ): (
        "Dirección de una pasarela o compatible, en un host de "
        "VOICE_AI_PROVIDER_ALLOWED_HOSTS; vacío: la del propio "
        "proveedor."
    ),
    (
        "The key: `sealed:…` (esl-controller keys seal), `env:NAME` or "
        "`file:/path`. It is sent over wss alone."
    ): (
        "La clave: `sealed:…` (esl-controller keys seal), `env:NOMBRE` o "
        "`file:/ruta`. Solo se envía por wss."
    ),
    "Further headers of the connection.": "Otras cabeceras de la conexión.",
    "Model to ask for; a secretary's own wins.": (
        "Modelo que se pide; el de la secretaria prevalece."
    ),
    "Voice of secretaries that name none.": "Voz de las secretarias que no nombran ninguna.",
    (
        "Settings of this kind of provider (docs/secretary.md). Never a "
        "key, a header or an address."
    ): (
        "Opciones de este tipo de proveedor (docs/secretary.md). Nunca "
        "una clave, una cabecera o una dirección."
    ),
    "Lowest first, when a call looks for its next provider.": (
        "El menor primero, cuando una llamada busca su siguiente proveedor."
    ),
    "Whether it is used.": "Si se usa.",
    "What `{{company}}` stands for in texts; empty: the domain's name.": (
        "Lo que `{{company}}` significa en los textos; vacío: el nombre del dominio."
    ),
    (
        "Zone of business hours, and of the day a budget is for; empty: "
        "FusionPBX's own setting (domain, then default), else UTC."
    ): (
        "Zona del horario de atención y del día del presupuesto; vacío: "
        "la del propio FusionPBX (del dominio, luego la predeterminada), "
        "o si no UTC."
    ),
    "Calls at once, over all workers and hosts; empty: no limit.": (
        "Llamadas simultáneas, sumando procesos y servidores; vacío: sin límite."
    ),
    "Budget of a day; empty: no limit.": "Presupuesto de un día; vacío: sin límite.",
    "Budget of a month; empty: no limit.": "Presupuesto de un mes; vacío: sin límite.",
    "From there on a warning is logged, once a day or month.": (
        "Desde ahí se registra un aviso, una vez por día o mes."
    ),
    "What happens to further calls once a budget is used up.": (
        "Qué pasa con las llamadas siguientes cuando se agota un presupuesto."
    ),
    "Who then takes the calls, with `human`.": "Quién atiende entonces, con `human`.",
    "Conversations older than that are deleted; empty: kept for ever.": (
        "Las conversaciones más antiguas se borran; vacío: se guardan para siempre."
    ),
    "Whether what was said is stored.": "Si se guarda lo que se dijo.",
    (
        "Hide telephone numbers, addresses and documents in what is "
        "stored; card numbers always are."
    ): (
        "Oculta teléfonos, direcciones y documentos en lo que se guarda; "
        "los números de tarjeta se ocultan siempre."
    ),
    (
        "Hosts of the tenant's own systems, which its functions and "
        "webhooks may reach, within VOICE_AI_SERVICES_ALLOWED_HOSTS: "
        "`crm.example`, `*.example.com`, an address or a network, with "
        "`:port` where only one is meant."
    ): (
        "Hosts de los sistemas propios del cliente, a los que pueden "
        "llegar sus funciones y webhooks, dentro de "
        "VOICE_AI_SERVICES_ALLOWED_HOSTS: `crm.example`, "
        "`*.example.com`, una dirección o una red, con `:puerto` si solo "
        "vale uno."
    ),
    "Calls we make at once; 0: we make none.": (
        "Llamadas salientes simultáneas; 0: no hacemos ninguna."
    ),
    "Calls we make in an hour at most; empty: no limit.": (
        "Máximo de llamadas salientes por hora; vacío: sin límite."
    ),
    "Calls we make in 24 hours at most; empty: no limit.": (
        "Máximo de llamadas salientes en 24 horas; vacío: sin límite."
    ),
    "Number shown to who is called; empty: the secretary's own.": (
        "Número que ve quien recibe la llamada; vacío: el de la secretaria."
    ),
    "Address that is told what happens in calls, signed (docs/errands.md); empty: none.": (
        "Dirección a la que se informa, con firma, lo que pasa en las "
        "llamadas (docs/errands.md); vacío: ninguna."
    ),
    "The key of those signatures, sealed; without one they are not sent.": (
        "La clave de esas firmas, sellada; sin ella no se envían."
    ),
    "Events that are told; empty: all.": "Eventos que se informan; vacío: todos.",
    "Who gets calls and messages by e-mail; a secretary's own wins; empty: nobody.": (
        "Quién recibe por correo llamadas y mensajes; lo de la secretaria prevalece; vacío: nadie."
    ),
    "Whether a model sums up each call when it is over.": (
        "Si un modelo resume cada llamada cuando termina."
    ),
    "JSON Schema of the fields it is to find besides; empty: none.": (
        "JSON Schema de los campos que además debe encontrar; vacío: ninguno."
    ),
    (
        "OpenAI-compatible service for that, up to `/chat/completions`; "
        "empty: that of the domain's own provider."
    ): (
        "Servicio compatible con OpenAI para eso, hasta "
        "`/chat/completions`; vacío: el del proveedor del dominio."
    ),
    "Model to ask there; empty: the pipeline's own.": (
        "Modelo que se pide allí; vacío: el del pipeline."
    ),
    "The key of `summary_url`, sealed.": "La clave de `summary_url`, sellada.",
    (
        "OpenAI-compatible service that finds documents by meaning, up "
        "to `/embeddings`; empty: the installation's, where it has one."
    ): (
        "Servicio compatible con OpenAI que encuentra documentos por su "
        "sentido, hasta `/embeddings`; vacío: el de la instalación, si lo hay."
    ),
    "Model to ask there.": "Modelo que se pide allí.",
    "The key of `embedding_url`, sealed.": "La clave de `embedding_url`, sellada.",
    (
        "Webhooks and e-mails carry what is not stored too: words where "
        "no transcript is kept, personal data where it is hidden. It is "
        "forgotten once sent."
    ): (
        "Los webhooks y correos llevan también lo que no se guarda: las "
        "palabras donde no se conserva transcripción, los datos "
        "personales donde se ocultan. Se olvida una vez enviado."
    ),
    "Where tickets are opened (OmniPlay and its like); empty: nowhere.": (
        "Dónde se abren los tickets (OmniPlay y similares); vacío: en ninguna parte."
    ),
    (
        "Generation of the request: `contact` (`/api/v1/tickets`), "
        "`plain`, `event` (webhook), `handoff` "
        "(`/api/tickets/realtime-handoff`)."
    ): (
        "Generación de la solicitud: `contact` (`/api/v1/tickets`), "
        "`plain`, `event` (webhook), `handoff` "
        "(`/api/tickets/realtime-handoff`)."
    ),
    "Queue of new tickets there.": "Cola de los tickets nuevos allí.",
    "Company there, with `handoff`.": "Empresa allí, con `handoff`.",
    "Its token, sealed.": "Su token, sellado.",
    "Where customers are looked up, also while the telephone rings; empty: nowhere.": (
        "Dónde se buscan los clientes, también mientras suena el teléfono; vacío: en ninguna parte."
    ),
    "Our HTTP contract, or a CalDAV calendar.": "Nuestro contrato HTTP, o un calendario CalDAV.",
    "Of the agenda; with CalDAV, of the one calendar; empty: none.": (
        "De la agenda; con CalDAV, del calendario; vacío: ninguna."
    ),
    "User name there; empty: a token.": "Nombre de usuario allí; vacío: un token.",
    "Its password or token, sealed.": "Su contraseña o token, sellado.",
    "Length of an appointment.": "Duración de una cita.",
    "As the model calls it; of an MCP server, what stands before its tools' names.": (
        "Como la llama el modelo; de un servidor MCP, lo que va delante "
        "de los nombres de sus herramientas."
    ),
    "One HTTP request, or an MCP server.": "Una solicitud HTTP, o un servidor MCP.",
    "What it does, and when the model shall call it.": (
        "Qué hace, y cuándo debe llamarla el modelo."
    ),
    "Where it is, on a host of `allowed_tool_hosts`; `{argument}` in its path.": (
        "Dónde está, en un host de `allowed_tool_hosts`; `{argumento}` en su ruta."
    ),
    "Of the request.": "De la solicitud.",
    "Its arguments.": "Sus argumentos.",
    (
        "Where an argument goes: `path`, `query`, `query:name`, `body`, "
        "`body:/pointer`; also `$caller_number` and "
        "`$conversation_uuid`. Empty: into the address where it stands "
        "there, else the query of GET and DELETE, else the body."
    ): (
        "Adónde va un argumento: `path`, `query`, `query:nombre`, "
        "`body`, `body:/puntero`; también `$caller_number` y "
        "`$conversation_uuid`. Vacío: a la dirección si está en ella, si "
        "no a la consulta de GET y DELETE, si no al cuerpo."
    ),
    "What of the answer the model is told, as JSON Pointers; empty: all of it.": (
        "Lo que se dice al modelo de la respuesta, como JSON Pointers; vacío: todo."
    ),
    "Most the model is told: more is cut off.": (
        "Lo máximo que se dice al modelo: lo demás se corta."
    ),
    "Longest wait for the answer.": "Lo máximo que se espera la respuesta.",
    "Headers of the request; `{key}` stands for the key.": (
        "Cabeceras de la solicitud; `{key}` representa la clave."
    ),
    "The key, sealed.": "La clave, sellada.",
    "Tools of the MCP server that may be called.": (
        "Herramientas del servidor MCP que se pueden llamar."
    ),
    "Numbers of the secretaries it is for; empty: all.": (
        "Números de las secretarias a las que sirve; vacío: todas."
    ),
}
