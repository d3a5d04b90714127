"""What fields of Gemini and of pipelines, and features, mean, in Portuguese and Spanish. Pure."""

from __future__ import annotations

from esl_controller.web.words.tongues import Tongues

HELPS: dict[str, Tongues] = {
    "Google's developer API, or Vertex.": Tongues(
        "A API de desenvolvedor do Google, ou Vertex.",
        "La API de desarrollador de Google, o Vertex.",
    ),
    "`v1beta`, for Vertex `v1beta1`, unless given.": Tongues(
        "`v1beta`, para Vertex `v1beta1`, se não for indicado.",
        "`v1beta`, para Vertex `v1beta1`, si no se indica.",
    ),
    "`key` (x-goog-api-key; on Vertex its express mode) or `bearer`.": Tongues(
        "`key` (x-goog-api-key; no Vertex, o modo expresso) ou `bearer`.",
        "`key` (x-goog-api-key; en Vertex su modo exprés) o `bearer`.",
    ),
    "Vertex: whose account it is on.": Tongues(
        "Vertex: em que conta fica.",
        "Vertex: en qué cuenta está.",
    ),
    "Vertex: the region.": Tongues(
        "Vertex: a região.",
        "Vertex: la región.",
    ),
    (
        "Connections were seen to be cut after 58 minutes; `goAway` tells of an earlier end."
    ): Tongues(
        ("Viram-se conexões cortadas após 58 minutos; `goAway` avisa de um fim mais cedo."),
        ("Se vieron conexiones cortadas tras 58 minutos; `goAway` avisa de un final anterior."),
    ),
    (
        "A session that takes over is offered the last one's handle, before it is told the history."
    ): Tongues(
        (
            "À sessão que assume oferece-se o identificador da anterior, antes de "
            "contar-lhe o histórico."
        ),
        (
            "A la sesión que toma el relevo se le ofrece el identificador de la "
            "anterior, antes de contarle el historial."
        ),
    ),
    "A prebuilt voice.": Tongues(
        "Uma voz pronta.",
        "Una voz prefabricada.",
    ),
    "automatic | none; with `none` our own ear finds the turns.": Tongues(
        "automatic | none; com `none` nosso próprio ouvido acha os turnos.",
        "automatic | none; con `none` nuestro propio oído encuentra los turnos.",
    ),
    "low | high: how readily sound counts as speech.": Tongues(
        "low | high: com que facilidade um som conta como fala.",
        "low | high: con qué facilidad un sonido cuenta como habla.",
    ),
    "low | high: how readily a pause ends the turn.": Tongues(
        "low | high: com que facilidade uma pausa termina o turno.",
        "low | high: con qué facilidad una pausa termina el turno.",
    ),
    ("So long must speech last before it counts; the service calls it `prefixPaddingMs`."): Tongues(
        ("Quanto a fala deve durar para contar; o serviço chama isso de `prefixPaddingMs`."),
        ("Cuánto debe durar el habla para que cuente; el servicio lo llama `prefixPaddingMs`."),
    ),
    "A pause of this length ends a turn.": Tongues(
        "Uma pausa desta duração termina um turno.",
        "Una pausa de esta duración termina un turno.",
    ),
    "How freely it words its answers.": Tongues(
        "Com que liberdade formula as respostas.",
        "Con qué libertad formula sus respuestas.",
    ),
    "minimal | low | medium | high, for models that think on demand.": Tongues(
        "minimal | low | medium | high, para modelos que raciocinam sob demanda.",
        "minimal | low | medium | high, para modelos que razonan a pedido.",
    ),
    "Tokens, for the same; 0: none.": Tongues(
        "Tokens, para o mesmo; 0: nenhum.",
        "Tokens, para lo mismo; 0: ninguno.",
    ),
    "Speaks in the caller's mood (models 2.5).": Tongues(
        "Fala no tom de quem liga (modelos 2.5).",
        "Habla en el ánimo de quien llama (modelos 2.5).",
    ),
    "The model may choose not to answer. Newer models always may.": Tongues(
        "O modelo pode escolher não responder. Modelos mais novos sempre podem.",
        "El modelo puede elegir no responder. Los modelos más nuevos siempre pueden.",
    ),
    (
        "The oldest of a long conversation is forgotten; otherwise it ends after 15 minutes."
    ): Tongues(
        ("O mais antigo de uma conversa longa é esquecido; senão ela termina após 15 minutos."),
        ("Lo más antiguo de una conversación larga se olvida; si no, termina tras 15 minutos."),
    ),
    "From this length on the oldest is forgotten.": Tongues(
        "A partir deste tamanho o mais antigo é esquecido.",
        "Desde este largo se olvida lo más antiguo.",
    ),
    "What then remains.": Tongues(
        "O que então resta.",
        "Lo que queda entonces.",
    ),
    "Further fields of `setup`, laid over everything else.": Tongues(
        "Outros campos de `setup`, por cima de todo o resto.",
        "Otros campos de `setup`, por encima de todo lo demás.",
    ),
    "Chat model.": Tongues(
        "Modelo de chat.",
        "Modelo de chat.",
    ),
    "Who hears: pocketsphinx and whisper are the speech process's.": Tongues(
        "Quem ouve: pocketsphinx e whisper são do processo de fala.",
        "Quién oye: pocketsphinx y whisper son del proceso de habla.",
    ),
    "Deepgram's, up to, not including, `/v1/listen`.": Tongues(
        "O da Deepgram, até antes de `/v1/listen`.",
        "La de Deepgram, hasta antes de `/v1/listen`.",
    ),
    (
        "Deepgram: `flux-…` finds turns by what is said, any other by "
        "pauses. Whisper: a directory of its models. Empty: the "
        "service's own for the language."
    ): Tongues(
        (
            "Deepgram: `flux-…` acha os turnos pelo que é dito, qualquer outro por "
            "pausas. Whisper: uma pasta com os modelos. Vazio: o do serviço para o "
            "idioma."
        ),
        (
            "Deepgram: `flux-…` encuentra los turnos por lo que se dice, cualquier "
            "otro por pausas. Whisper: un directorio con sus modelos. Vacío: el del "
            "servicio para el idioma."
        ),
    ),
    "Empty: the secretary's.": Tongues(
        "Vazio: o da secretária.",
        "Vacío: el de la secretaria.",
    ),
    "Nova and local hearing: a pause that ends a turn.": Tongues(
        "Nova e audição local: uma pausa que termina um turno.",
        "Nova y escucha local: una pausa que termina un turno.",
    ),
    "Nova: so long without a word ends a turn on a noisy line.": Tongues(
        "Nova: tanto tempo sem palavra termina um turno numa linha ruidosa.",
        "Nova: tanto tiempo sin palabra termina un turno en una línea ruidosa.",
    ),
    "Flux: how sure it must be that a turn is over, 0.5 to 1.": Tongues(
        "Flux: quão certo deve estar de que o turno acabou, 0,5 a 1.",
        "Flux: qué tan seguro debe estar de que el turno terminó, de 0,5 a 1.",
    ),
    "Flux: longest wait for that.": Tongues(
        "Flux: espera máxima por isso.",
        "Flux: espera máxima para eso.",
    ),
    "Names and words to expect.": Tongues(
        "Nomes e palavras a esperar.",
        "Nombres y palabras que se esperan.",
    ),
    "Service of the speech process that speaks.": Tongues(
        "Serviço do processo de fala que fala.",
        "Servicio del proceso de habla que habla.",
    ),
    "None: the speech process's own for the language.": Tongues(
        "Nenhuma: a do processo de fala para o idioma.",
        "Ninguna: la del proceso de habla para el idioma.",
    ),
    "Of the voice, 0.25 to 2.": Tongues(
        "Da voz, 0,25 a 2.",
        "De la voz, de 0,25 a 2.",
    ),
    "How freely the model words its answers.": Tongues(
        "Com que liberdade o modelo formula as respostas.",
        "Con qué libertad formula el modelo sus respuestas.",
    ),
    "Longest answer of the model.": Tongues(
        "Resposta mais longa do modelo.",
        "Respuesta más larga del modelo.",
    ),
    "How long the model thinks.": Tongues(
        "Quanto o modelo raciocina.",
        "Cuánto razona el modelo.",
    ),
    "Further fields of the chat requests, laid over everything else.": Tongues(
        "Outros campos dos pedidos de chat, por cima de todo o resto.",
        "Otros campos de las solicitudes de chat, por encima de todo lo demás.",
    ),
    "says when the caller begins and ends to speak": Tongues(
        "diz quando a pessoa começa e termina de falar",
        "dice cuándo empieza y termina de hablar quien llama",
    ),
    "ends a turn by what was said, not by silence alone": Tongues(
        "termina um turno pelo que foi dito, não só pelo silêncio",
        "termina un turno por lo que se dijo, no solo por el silencio",
    ),
    "can be told what to say, word for word": Tongues(
        "aceita que lhe digam o que dizer, palavra por palavra",
        "se le puede dictar qué decir, palabra por palabra",
    ),
    "calls functions of ours": Tongues(
        "chama funções nossas",
        "llama a funciones nuestras",
    ),
    "takes a function call back when the caller interrupts": Tongues(
        "desfaz a chamada de uma função quando a pessoa interrompe",
        "retira la llamada a una función cuando quien llama interrumpe",
    ),
    "is told what was said before, when it takes over a call": Tongues(
        "sabe o que foi dito antes, quando assume uma chamada",
        "sabe lo que se dijo antes, cuando toma una llamada",
    ),
    "goes on with a session over a new connection": Tongues(
        "continua uma sessão por uma nova conexão",
        "continúa una sesión por una conexión nueva",
    ),
    "writes down both sides": Tongues(
        "transcreve os dois lados",
        "transcribe ambos lados",
    ),
    "counts tokens or seconds on the wire": Tongues(
        "conta tokens ou segundos na conexão",
        "cuenta tokens o segundos en la conexión",
    ),
    "takes noise out by itself": Tongues(
        "tira o ruído sozinho",
        "quita el ruido por sí mismo",
    ),
    "asks a silent caller by itself": Tongues(
        "pergunta sozinho a quem se cala",
        "pregunta por sí mismo a quien calla",
    ),
    "can work without a network": Tongues(
        "pode funcionar sem rede",
        "puede funcionar sin red",
    ),
}
