"""What providers' configurations say is wrong, in Portuguese and Spanish. Pure."""

from __future__ import annotations

from esl_controller.web.words.tongues import Tongues

SENTENCES: dict[str, Tongues] = {
    "unknown field": Tongues("campo desconhecido", "campo desconocido"),
    "missing": Tongues("falta", "falta"),
    "unknown provider": Tongues("provedor desconhecido", "proveedor desconocido"),
    "known are {}": Tongues("conhecidos são {}", "se conocen {}"),
    "{} unknown": Tongues("{} desconhecido", "{} desconocido"),
    "must not be empty": Tongues("não pode ficar vazio", "no debe estar vacío"),
    "must be {} to {}": Tongues("deve ser de {} a {}", "debe ser de {} a {}"),
    "must be one of {}": Tongues("deve ser um de {}", "debe ser uno de {}"),
    "must be low or high": Tongues("deve ser low ou high", "debe ser low o high"),
    "must be near_field or far_field": Tongues(
        "deve ser near_field ou far_field", "debe ser near_field o far_field"
    ),
    "must be positive": Tongues("deve ser positivo", "debe ser positivo"),
    "must be larger than going_away_s": Tongues(
        "deve ser maior que going_away_s", "debe ser mayor que going_away_s"
    ),
    "must be stt=KEY,chat=KEY, or one of them": Tongues(
        "deve ser stt=CHAVE,chat=CHAVE, ou um dos dois",
        "debe ser stt=CLAVE,chat=CLAVE, o uno de los dos",
    ),
    "Deepgram needs a key": Tongues("a Deepgram precisa de chave", "Deepgram necesita una clave"),
    "Groq needs a key": Tongues("a Groq precisa de chave", "Groq necesita una clave"),
    "needs ws, wss, http or https and a host": Tongues(
        "precisa de ws, wss, http ou https e um host", "necesita ws, wss, http o https y un host"
    ),
    "no control characters in names, values, api_key": Tongues(
        "sem caracteres de controle em nomes, valores e api_key",
        "sin caracteres de control en nombres, valores y api_key",
    ),
    "Vertex needs the region's host, such as {}": Tongues(
        "o Vertex precisa do host da região, como {}",
        "Vertex necesita el host de la región, como {}",
    ),
    "must look like v1 or v1beta": Tongues(
        "deve ser como v1 ou v1beta", "debe ser como v1 o v1beta"
    ),
    "needed with a bearer token on Vertex": Tongues(
        "necessário com um token bearer no Vertex", "necesario con un token bearer en Vertex"
    ),
    "needed with project": Tongues("necessário com project", "necesario con project"),
    "letters, digits, dots and dashes": Tongues(
        "letras, dígitos, pontos e hifens", "letras, dígitos, puntos y guiones"
    ),
    "letters, digits, dots, dashes and slashes": Tongues(
        "letras, dígitos, pontos, hifens e barras", "letras, dígitos, puntos, guiones y barras"
    ),
    "{} takes no thinking options": Tongues(
        "{} não aceita opções de raciocínio", "{} no admite opciones de razonamiento"
    ),
    "{} does not take it": Tongues("{} não o aceita", "{} no lo admite"),
    "one or more of {}": Tongues("um ou mais de {}", "uno o más de {}"),
    "names that begin with system__ are the service's own": Tongues(
        "nomes que começam com system__ são do próprio serviço",
        "los nombres que empiezan con system__ son del propio servicio",
    ),
    # msgspec's, of a value of another type
    "Expected `{}`, got `{}`": Tongues(
        "esperava-se `{}`, veio `{}`", "se esperaba `{}`, vino `{}`"
    ),
    "Expected `{}`, got `{}` - at `{}`": Tongues(
        "esperava-se `{}`, veio `{}`, em `{}`", "se esperaba `{}`, vino `{}`, en `{}`"
    ),
}
