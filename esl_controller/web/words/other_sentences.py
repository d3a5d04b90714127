"""What else pages are told in a sentence, in Portuguese and Spanish: documents, where a call goes,
requests that cannot be read. Pure."""

from __future__ import annotations

from esl_controller.web.words.tongues import Tongues

_SHAPES: dict[str, Tongues] = {
    "Object contains unknown field `{}`": Tongues(
        "o objeto tem o campo desconhecido `{}`", "el objeto tiene el campo desconocido `{}`"
    ),
    "Object missing required field `{}`": Tongues(
        "falta no objeto o campo `{}`", "falta en el objeto el campo `{}`"
    ),
    "Expected `{}` of length {}": Tongues(
        "esperava-se `{}` de comprimento {}", "se esperaba `{}` de longitud {}"
    ),
    "Expected `{}` matching regex {}": Tongues(
        "esperava-se `{}` na forma {}", "se esperaba `{}` con la forma {}"
    ),
    "Expected `{}` >= {}": Tongues("esperava-se `{}` >= {}", "se esperaba `{}` >= {}"),
    "Expected `{}` <= {}": Tongues("esperava-se `{}` <= {}", "se esperaba `{}` <= {}"),
    "Invalid enum value {}": Tongues("o valor {} não é permitido", "el valor {} no se permite"),
    "Invalid RFC3339 encoded datetime": Tongues(
        "não é uma data com hora (RFC 3339)", "no es una fecha con hora (RFC 3339)"
    ),
    "Invalid UUID": Tongues("não é um UUID", "no es un UUID"),
    "Expected `datetime` with a timezone component": Tongues(
        "falta o fuso na data com hora", "falta la zona en la fecha con hora"
    ),
}
"""Of msgspec, each also with the place it was found at."""


def _at(tongues: Tongues) -> Tongues:
    return Tongues(f"{tongues.pt} - em `{{}}`", f"{tongues.es} - en `{{}}`")


SENTENCES: dict[str, Tongues] = {
    **_SHAPES,
    **{f"{key} - at `{{}}`": _at(tongues) for key, tongues in _SHAPES.items()},
    # A request
    "no such {}": Tongues("não existe: {}", "no existe: {}"),
    "the body is wrong": Tongues("o corpo está errado", "el cuerpo está mal"),
    "the body is no JSON": Tongues("o corpo não é JSON", "el cuerpo no es JSON"),
    "the body did not come": Tongues("o corpo não veio", "el cuerpo no llegó"),
    "the body ended early": Tongues("o corpo terminou antes", "el cuerpo terminó antes"),
    "at most {} bytes": Tongues("no máximo {} bytes", "como máximo {} bytes"),
    "application/json is wanted": Tongues(
        "espera-se application/json", "se espera application/json"
    ),
    "a body needs its Content-Length": Tongues(
        "um corpo precisa de Content-Length", "un cuerpo necesita Content-Length"
    ),
    "Content-Length is no number": Tongues(
        "Content-Length não é um número", "Content-Length no es un número"
    ),
    "a bearer token is needed": Tongues(
        "é necessário um token (Bearer)", "se necesita un token (Bearer)"
    ),
    "closed, or closed to this address": Tongues(
        "fechado, ou fechado para este endereço", "cerrado, o cerrado para esta dirección"
    ),
    "the query is too long": Tongues("a consulta é longa demais", "la consulta es muy larga"),
    "the query cannot be read": Tongues(
        "a consulta não pode ser lida", "la consulta no se puede leer"
    ),
    "the query is wrong": Tongues("a consulta está errada", "la consulta está mal"),
    "a field of the query is given twice": Tongues(
        "um campo da consulta vem duas vezes", "un campo de la consulta viene dos veces"
    ),
    "this page takes no query": Tongues(
        "esta página não recebe consulta", "esta página no recibe consulta"
    ),
    "the database does not answer": Tongues(
        "o banco de dados não responde", "la base de datos no responde"
    ),
    "too many {} at once": Tongues("{} demais ao mesmo tempo", "demasiados {} a la vez"),
    "the cursor is not one of ours": Tongues(
        "o cursor não é um dos nossos", "el cursor no es uno de los nuestros"
    ),
    "the conversation has not ended": Tongues(
        "a conversa não terminou", "la conversación no ha terminado"
    ),
    "nobody speaks for {}": Tongues("ninguém fala por {}", "nadie habla por {}"),
    "`not_after` must be after `not_before`, and within a year": Tongues(
        "`not_after` deve vir depois de `not_before`, e dentro de um ano",
        "`not_after` debe venir después de `not_before`, y dentro de un año",
    ),
    # Where a call goes
    "the settings are wrong": Tongues(
        "as configurações estão erradas", "la configuración está mal"
    ),
    "no secretary has this number": Tongues(
        "nenhuma secretária tem este número", "ninguna secretaria tiene este número"
    ),
    "the secretary is set to the turn-based service": Tongues(
        "a secretária está no serviço por turnos", "la secretaria está en el servicio por turnos"
    ),
    "no provider can be used": Tongues(
        "nenhum provedor pode ser usado", "ningún proveedor se puede usar"
    ),
    "answered by the AI": Tongues("atendida pela IA", "la contesta la IA"),
    "closed, which the AI explains": Tongues(
        "fechado, o que a IA explica", "cerrado, lo que explica la IA"
    ),
    "outside the secretary's hours ({})": Tongues(
        "fora do horário da secretária ({})", "fuera del horario de la secretaria ({})"
    ),
    "open again {}": Tongues("abre de novo {}", "abre de nuevo {}"),
    "budget of the day used up ({} of {} USD)": Tongues(
        "orçamento do dia esgotado ({} de {} USD)", "presupuesto del día agotado ({} de {} USD)"
    ),
    "budget of the month used up ({} of {} USD)": Tongues(
        "orçamento do mês esgotado ({} de {} USD)", "presupuesto del mes agotado ({} de {} USD)"
    ),
    "the domain has no low-cost provider that can be used": Tongues(
        "o domínio não tem provedor de baixo custo que possa ser usado",
        "el dominio no tiene un proveedor de bajo costo que se pueda usar",
    ),
    "no place left": Tongues("não há vaga", "no hay lugar"),
    "limit of the installation reached": Tongues(
        "limite da instalação atingido", "límite de la instalación alcanzado"
    ),
    "limit of the domain reached": Tongues(
        "limite do domínio atingido", "límite del dominio alcanzado"
    ),
    "limit of the secretary reached": Tongues(
        "limite da secretária atingido", "límite de la secretaria alcanzado"
    ),
    "limit of the domain's providers reached": Tongues(
        "limite dos provedores do domínio atingido",
        "límite de los proveedores del dominio alcanzado",
    ),
    "the domain makes no calls": Tongues(
        "o domínio não faz chamadas", "el dominio no hace llamadas"
    ),
    "outbound_max_concurrent is 0": Tongues(
        "outbound_max_concurrent é 0", "outbound_max_concurrent es 0"
    ),
    "it is {}": Tongues("está {}", "está {}"),
    # Documents
    "document": Tongues("documento", "documento"),
    "content is no base64": Tongues("content não é base64", "content no es base64"),
    "the format must be one of {}": Tongues(
        "o formato deve ser um de {}", "el formato debe ser uno de {}"
    ),
    "has more than {} bytes": Tongues("tem mais de {} bytes", "tiene más de {} bytes"),
    "takes too long to read": Tongues(
        "leva tempo demais para ser lido", "tarda demasiado en leerse"
    ),
    "cannot be read": Tongues("não pode ser lido", "no se puede leer"),
    "it takes too much time or memory": Tongues(
        "exige tempo ou memória demais", "exige demasiado tiempo o memoria"
    ),
    "needs a title": Tongues("precisa de um título", "necesita un título"),
    "the domain has {} documents already": Tongues(
        "o domínio já tem {} documentos", "el dominio ya tiene {} documentos"
    ),
    "the domain would have more than {} passages": Tongues(
        "o domínio passaria de {} trechos", "el dominio tendría más de {} fragmentos"
    ),
    "was just stored by somebody else": Tongues(
        "acabou de ser guardado por outra pessoa", "otra persona acaba de guardarlo"
    ),
    "holds no text": Tongues("não contém texto", "no contiene texto"),
    "a scanned page has to be recognised first (OCR)": Tongues(
        "uma página escaneada precisa antes de OCR", "una página escaneada necesita antes OCR"
    ),
    "is no text": Tongues("não é texto", "no es texto"),
    "is protected by a password": Tongues(
        "está protegido por senha", "está protegido por contraseña"
    ),
    "is no PDF that can be read": Tongues(
        "não é um PDF que se possa ler", "no es un PDF que se pueda leer"
    ),
    "what is meant was not compared in time": Tongues(
        "o sentido não foi comparado a tempo",
        "el sentido no se comparó a tiempo",
    ),
    "the documents were not searched in time": Tongues(
        "a busca nos documentos não terminou a tempo",
        "la búsqueda en los documentos no terminó a tiempo",
    ),
    "the documents cannot be searched": Tongues(
        "não é possível buscar nos documentos", "no se puede buscar en los documentos"
    ),
    "the service answered with something that is no vector": Tongues(
        "o serviço respondeu com algo que não é vetor",
        "el servicio respondió con algo que no es un vector",
    ),
    "pgvector is not installed in the database": Tongues(
        "pgvector não está instalado no banco de dados",
        "pgvector no está instalado en la base de datos",
    ),
    "no document has its vectors yet": Tongues(
        "nenhum documento tem seus vetores ainda", "ningún documento tiene aún sus vectores"
    ),
    "no service makes vectors for the domain": Tongues(
        "nenhum serviço faz vetores para o domínio", "ningún servicio hace vectores para el dominio"
    ),
    "the embedding service has just failed": Tongues(
        "o serviço de vetores acabou de falhar", "el servicio de vectores acaba de fallar"
    ),
    "embedding service": Tongues("serviço de vetores", "servicio de vectores"),
    "the domain's settings cannot be read": Tongues(
        "as configurações do domínio não podem ser lidas",
        "no se puede leer la configuración del dominio",
    ),
    "a key goes over https:// alone": Tongues(
        "uma chave só vai por https://", "una clave solo va por https://"
    ),
    "answered with no embeddings": Tongues("respondeu sem vetores", "respondió sin vectores"),
    "answered with another number of embeddings": Tongues(
        "respondeu com outro número de vetores", "respondió con otra cantidad de vectores"
    ),
    "answered with something that is no vector": Tongues(
        "respondeu com algo que não é vetor", "respondió con algo que no es un vector"
    ),
}
