"""What the rules of rows say is wrong, or doubtful, in Portuguese and Spanish. Pure."""

from __future__ import annotations

from esl_controller.web.words.tongues import Tongues

SENTENCES: dict[str, Tongues] = {
    # Around a sentence
    "secretary {}": Tongues("secretária {}", "secretaria {}"),
    "provider {}": Tongues("provedor {}", "proveedor {}"),
    "function {}": Tongues("função {}", "función {}"),
    "entry {}": Tongues("entrada {}", "entrada {}"),
    "{}, entry {}": Tongues("{}, entrada {}", "{}, entrada {}"),
    "an entry": Tongues("uma entrada", "una entrada"),
    "the schema": Tongues("o esquema", "el esquema"),
    "realtime settings of the domain": Tongues(
        "configuração de tempo real do domínio", "configuración de tiempo real del dominio"
    ),
    "nothing was stored": Tongues("nada foi salvo", "no se guardó nada"),
    "the function cannot be used": Tongues(
        "a função não pode ser usada", "la función no se puede usar"
    ),
    "the server was not asked": Tongues(
        "o servidor não foi consultado", "no se consultó al servidor"
    ),
    "did you mean {}?": Tongues("quis dizer {}?", "¿quiso decir {}?"),
    "it is left out": Tongues("fica de fora", "queda fuera"),
    "{} is used": Tongues("usa-se {}", "se usa {}"),
    # One value
    "is needed": Tongues("é necessário", "es necesario"),
    "is {}, must be one of {}": Tongues("é {}, deve ser um de {}", "es {}, debe ser uno de {}"),
    "is {}, must be a whole number": Tongues(
        "é {}, deve ser um número inteiro", "es {}, debe ser un número entero"
    ),
    "is {}, must be a number": Tongues("é {}, deve ser um número", "es {}, debe ser un número"),
    "is {}, must be between {} and {}": Tongues(
        "é {}, deve ficar entre {} e {}", "es {}, debe estar entre {} y {}"
    ),
    "is {}, must be an amount in USD": Tongues(
        "é {}, deve ser um valor em USD", "es {}, debe ser un monto en USD"
    ),
    "is {}, must be true or false": Tongues(
        "é {}, deve ser true ou false", "es {}, debe ser true o false"
    ),
    "is {}, must be a UUID": Tongues("é {}, deve ser um UUID", "es {}, debe ser un UUID"),
    "is {}, must be digits, letters and * # + . _ -, at most 32": Tongues(
        "é {}, deve ter dígitos, letras e * # + . _ -, no máximo 32",
        "es {}, debe tener dígitos, letras y * # + . _ -, como máximo 32",
    ),
    "is {}, must be a language tag such as pt-BR": Tongues(
        "é {}, deve ser um idioma como pt-BR", "es {}, debe ser un idioma como es-CL"
    ),
    "is {}, must be written {}": Tongues("é {}, deve ser escrito {}", "es {}, se escribe {}"),
    "is {}, must be a zone such as America/Sao_Paulo": Tongues(
        "é {}, deve ser um fuso como America/Sao_Paulo",
        "es {}, debe ser una zona como America/Santiago",
    ),
    "is {}, must be an e-mail address": Tongues(
        "é {}, deve ser um endereço de e-mail", "es {}, debe ser una dirección de correo"
    ),
    "is {}, must be a header name (RFC 9110 section 5.1)": Tongues(
        "é {}, deve ser um nome de cabeçalho (RFC 9110, seção 5.1)",
        "es {}, debe ser un nombre de cabecera (RFC 9110, sección 5.1)",
    ),
    "is {}, must be a JSON object": Tongues(
        "é {}, deve ser um objeto JSON", "es {}, debe ser un objeto JSON"
    ),
    "must be {} to {} characters of text": Tongues(
        "deve ser um texto de {} a {} caracteres", "debe ser un texto de {} a {} caracteres"
    ),
    "must be a JSON object": Tongues("deve ser um objeto JSON", "debe ser un objeto JSON"),
    "must be a JSON list": Tongues("deve ser uma lista JSON", "debe ser una lista JSON"),
    "must be a JSON list of at most {}": Tongues(
        "deve ser uma lista JSON de no máximo {}", "debe ser una lista JSON de {} como máximo"
    ),
    "must be a JSON list of at most {} numbers": Tongues(
        "deve ser uma lista JSON de no máximo {} números",
        "debe ser una lista JSON de {} números como máximo",
    ),
    "must be a JSON list of at most {} hosts": Tongues(
        "deve ser uma lista JSON de no máximo {} hosts",
        "debe ser una lista JSON de {} hosts como máximo",
    ),
    "must be a JSON list of at most {} names": Tongues(
        "deve ser uma lista JSON de no máximo {} nomes",
        "debe ser una lista JSON de {} nombres como máximo",
    ),
    "must be a JSON list of at most {} names or numbers": Tongues(
        "deve ser uma lista JSON de no máximo {} nomes ou números",
        "debe ser una lista JSON de {} nombres o números como máximo",
    ),
    "must be a JSON list of names of functions": Tongues(
        "deve ser uma lista JSON de nomes de funções",
        "debe ser una lista JSON de nombres de funciones",
    ),
    "must be a JSON list of words of 2 to 100 characters": Tongues(
        "deve ser uma lista JSON de palavras de 2 a 100 caracteres",
        "debe ser una lista JSON de palabras de 2 a 100 caracteres",
    ),
    "must be a ws://, wss://, http:// or https:// address": Tongues(
        "deve ser um endereço ws://, wss://, http:// ou https://",
        "debe ser una dirección ws://, wss://, http:// o https://",
    ),
    "must be an https:// or http:// address without a user name": Tongues(
        "deve ser um endereço https:// ou http:// sem nome de usuário",
        "debe ser una dirección https:// o http:// sin nombre de usuario",
    ),
    "must be an http:// or https:// address without a user name": Tongues(
        "deve ser um endereço http:// ou https:// sem nome de usuário",
        "debe ser una dirección http:// o https:// sin nombre de usuario",
    ),
    "must be an http:// or https:// address": Tongues(
        "deve ser um endereço http:// ou https://", "debe ser una dirección http:// o https://"
    ),
    "must be printable ASCII": Tongues("deve ser ASCII imprimível", "debe ser ASCII imprimible"),
    "must be sealed: a key of the operator's goes to no tenant's system": Tongues(
        "deve estar selada: uma chave do operador não vai para o sistema de nenhum cliente",
        "debe estar sellada: una clave del operador no va al sistema de ningún cliente",
    ),
    "must be sealed, or env:NAME or file:/path": Tongues(
        "deve estar selada, ou ser env:NOME ou file:/caminho",
        "debe estar sellada, o ser env:NOMBRE o file:/ruta",
    ),
    "has {}, may have {}": Tongues("tem {}, pode ter {}", "tiene {}, puede tener {}"),
    "has {}, which is not one of {}": Tongues(
        "tem {}, que não é um de {}", "tiene {}, que no es uno de {}"
    ),
    "holds {}, must hold hosts": Tongues(
        "contém {}, deve conter hosts", "contiene {}, debe contener hosts"
    ),
    "{} is not used by this version": Tongues(
        "{} não é usado por esta versão", "{} no se usa en esta versión"
    ),
    "version 1's secretary is found by its number": Tongues(
        "a secretária da versão 1 é achada pelo seu número",
        "la secretaria de la versión 1 se encuentra por su número",
    ),
    "a domain has one knowledge base, switched on by enable_rag": Tongues(
        "um domínio tem uma só base de conhecimento, ligada por enable_rag",
        "un dominio tiene una sola base de conocimiento, que se activa con enable_rag",
    ),
    # Rows
    "is no field of a {}": Tongues("não é campo de {}", "no es un campo de {}"),
    "is no provider of this domain": Tongues(
        "não é provedor deste domínio", "no es un proveedor de este dominio"
    ),
    "has an enabled secretary already": Tongues(
        "já tem uma secretária ativa", "ya tiene una secretaria activa"
    ),
    "is the name of another function of this domain": Tongues(
        "é o nome de outra função deste domínio", "es el nombre de otra función de este dominio"
    ),
    "a text is longer than its column takes": Tongues(
        "um texto é mais longo do que a coluna aceita",
        "un texto es más largo de lo que admite su columna",
    ),
    "the database refused it": Tongues("o banco de dados recusou", "la base de datos lo rechazó"),
    # Hours
    "{} is not a date like 2026-12-25": Tongues(
        "{} não é uma data como 2026-12-25", "{} no es una fecha como 2026-12-25"
    ),
    '{} is not a begin and an end like ["08:00", "18:00"]': Tongues(
        '{} não é um início e um fim como ["08:00", "18:00"]',
        '{} no es un comienzo y un final como ["08:00", "18:00"]',
    ),
    "begins and ends at {}": Tongues("começa e termina às {}", "comienza y termina a las {}"),
    "the whole day is {}": Tongues("o dia inteiro é {}", "el día entero es {}"),
    "{} is not a time like 08:00": Tongues(
        "{} não é uma hora como 08:00", "{} no es una hora como 08:00"
    ),
    # Transfers
    "{} is no outcome": Tongues("{} não é um desfecho", "{} no es un desenlace"),
    # Own systems
    "{} is not set": Tongues("{} não está definido", "{} no está definido"),
    "{} has no use": Tongues("{} não serve para nada", "{} no sirve de nada"),
    "a key goes over https:// alone, so nothing is sent there": Tongues(
        "uma chave só vai por https://, portanto nada é enviado para lá",
        "una clave solo va por https://, así que no se envía nada allí",
    ),
    "agenda_kind is caldav, but agenda_url is not set": Tongues(
        "agenda_kind é caldav, mas agenda_url não está definido",
        "agenda_kind es caldav, pero agenda_url no está definido",
    ),
    "agenda_user has no agenda_key": Tongues(
        "agenda_user não tem agenda_key", "agenda_user no tiene agenda_key"
    ),
    "it is not sent": Tongues("não é enviado", "no se envía"),
    "functions_config has no use while enable_functions is off": Tongues(
        "functions_config não serve enquanto enable_functions está desligado",
        "functions_config no sirve mientras enable_functions esté apagado",
    ),
    "{} is not offered": Tongues("{} não é oferecida", "{} no se ofrece"),
    "enable_functions is on, but the domain has set up no system": Tongues(
        "enable_functions está ligado, mas o domínio não configurou nenhum sistema",
        "enable_functions está encendido, pero el dominio no configuró ningún sistema",
    ),
    # A secretary and its provider
    "{} stands for nothing and is left as it is": Tongues(
        "{} não representa nada e fica como está", "{} no representa nada y queda como está"
    ),
    "{} is not used with {}": Tongues("{} não é usado com {}", "{} no se usa con {}"),
    "{} is no voice of {} this version knows": Tongues(
        "{} não é uma voz de {} que esta versão conheça",
        "{} no es una voz de {} que esta versión conozca",
    ),
    "{} is no model of {} this version knows": Tongues(
        "{} não é um modelo de {} que esta versão conheça",
        "{} no es un modelo de {} que esta versión conozca",
    ),
    "{} is no field, left out": Tongues(
        "{} não é um campo, fica de fora", "{} no es un campo, queda fuera"
    ),
    "{} is never taken from here and is left out": Tongues(
        "{} nunca é lido daqui e fica de fora", "{} nunca se toma de aquí y queda fuera"
    ),
    "{} is no setting of it and is left out": Tongues(
        "{} não é uma opção dele e fica de fora", "{} no es una opción suya y queda fuera"
    ),
    "{} is not spoken here": Tongues("{} não é falado aqui", "{} no se habla aquí"),
    "{} is not spoken here by the interface {}": Tongues(
        "{} não é falado aqui pela interface {}", "{} no se habla aquí por la interfaz {}"
    ),
    "model {} ends on {} (in {} days)": Tongues(
        "o modelo {} termina em {} (em {} dias)", "el modelo {} termina el {} (en {} días)"
    ),
    "model {} was to end on {}": Tongues(
        "o modelo {} terminaria em {}", "el modelo {} terminaba el {}"
    ),
    "its vendor names {} in its place": Tongues(
        "o fabricante indica {} no lugar", "su fabricante nombra {} en su lugar"
    ),
    # Functions of a domain's own
    "{} is no header name (RFC 9110 section 5.1)": Tongues(
        "{} não é um nome de cabeçalho (RFC 9110, seção 5.1)",
        "{} no es un nombre de cabecera (RFC 9110, sección 5.1)",
    ),
    "{} is ours to set": Tongues("{} somos nós que definimos", "{} lo definimos nosotros"),
    "must be path, query, query:name, body or body:/pointer": Tongues(
        "deve ser path, query, query:nome, body ou body:/ponteiro",
        "debe ser path, query, query:nombre, body o body:/puntero",
    ),
    "must be lower-case letters, digits and _, at most 32, a letter first": Tongues(
        "deve ter letras minúsculas, dígitos e _, no máximo 32, começando por letra",
        "debe tener letras minúsculas, dígitos y _, como máximo 32, y comenzar con una letra",
    ),
    "is {}, which is the name of a function of ours": Tongues(
        "é {}, que é o nome de uma função nossa", "es {}, que es el nombre de una función nuestra"
    ),
    "has a brace too many": Tongues("tem uma chave a mais", "tiene una llave de más"),
    "{} in braces is no name of an argument": Tongues(
        "{} entre chaves não é nome de argumento", "{} entre llaves no es nombre de un argumento"
    ),
    "may have arguments in its path alone": Tongues(
        "só pode ter argumentos no caminho", "solo puede tener argumentos en la ruta"
    ),
    "see argument_places": Tongues("veja argument_places", "vea argument_places"),
    "must not have a #fragment": Tongues("não pode ter #fragmento", "no debe tener #fragmento"),
    "must have at most {}": Tongues("deve ter no máximo {}", "debe tener como máximo {}"),
    "must have at most {} bytes": Tongues(
        "deve ter no máximo {} bytes", "debe tener como máximo {} bytes"
    ),
    "must have at most {} properties": Tongues(
        "deve ter no máximo {} propriedades", "debe tener como máximo {} propiedades"
    ),
    "must be an object": Tongues("deve ser um objeto", "debe ser un objeto"),
    "{} is no name of an argument": Tongues(
        "{} não é nome de argumento", "{} no es nombre de un argumento"
    ),
    "letters, digits and _": Tongues("letras, dígitos e _", "letras, dígitos y _"),
    "{} is no name": Tongues("{} não é um nome", "{} no es un nombre"),
    "{} is no name of a tool": Tongues(
        "{} não é nome de ferramenta", "{} no es nombre de una herramienta"
    ),
    "is nested too deeply": Tongues("está aninhado demais", "está anidado demasiado"),
    "{} is not used in functions": Tongues(
        "{} não é usado em funções", "{} no se usa en funciones"
    ),
    "type {} must be one of {}": Tongues(
        "o tipo {} deve ser um de {}", "el tipo {} debe ser uno de {}"
    ),
    "enum must be a list that is not empty": Tongues(
        "enum deve ser uma lista que não esteja vazia", "enum debe ser una lista que no esté vacía"
    ),
    "required must be a list of names": Tongues(
        "required deve ser uma lista de nomes", "required debe ser una lista de nombres"
    ),
    "is no tool as a server tells it": Tongues(
        "não é uma ferramenta como um servidor a descreve",
        "no es una herramienta como la describe un servidor",
    ),
    "properties must be a JSON object": Tongues(
        "properties deve ser um objeto JSON", "properties debe ser un objeto JSON"
    ),
    "requires {}, which is none of its properties": Tongues(
        "exige {}, que não é uma de suas propriedades",
        "exige {}, que no es una de sus propiedades",
    ),
    "{} must be a number": Tongues("{} deve ser um número", "{} debe ser un número"),
    "additionalProperties must be true or false": Tongues(
        "additionalProperties deve ser true ou false",
        "additionalProperties debe ser true o false",
    ),
    "{} is not one of {}": Tongues("{} não é um de {}", "{} no es uno de {}"),
    "must be a JSON Pointer such as /customer/name": Tongues(
        "deve ser um JSON Pointer como /cliente/nome",
        "debe ser un JSON Pointer como /cliente/nombre",
    ),
    "a key is stored, and no header holds {}": Tongues(
        "há uma chave guardada, e nenhum cabeçalho contém {}",
        "hay una clave guardada, y ninguna cabecera contiene {}",
    ),
    "{} stands for a key, and none is stored": Tongues(
        "{} representa uma chave, e não há nenhuma guardada",
        "{} representa una clave, y no hay ninguna guardada",
    ),
    "headers and keys go over https:// alone": Tongues(
        "cabeçalhos e chaves só vão por https://", "las cabeceras y claves solo van por https://"
    ),
    "the address of an MCP server has no arguments": Tongues(
        "o endereço de um servidor MCP não tem argumentos",
        "la dirección de un servidor MCP no tiene argumentos",
    ),
    "name the tools of the server that may be called": Tongues(
        "indique as ferramentas do servidor que podem ser chamadas",
        "nombre las herramientas del servidor que se pueden llamar",
    ),
    "{} is placed, and is no property of parameters": Tongues(
        "{} tem lugar, e não é propriedade de parameters",
        "{} tiene lugar, y no es propiedad de parameters",
    ),
    "{} goes into the path, or stands in it, and not both": Tongues(
        "{} vai no caminho ou está nele, mas não ambos",
        "{} va en la ruta o está en ella, pero no ambas cosas",
    ),
    "{} goes into the body, and {} has none": Tongues(
        "{} vai no corpo, e {} não tem corpo", "{} va en el cuerpo, y {} no lo tiene"
    ),
    "{} stands in the address": Tongues("{} está no endereço", "{} está en la dirección"),
    "parameters must require it": Tongues("parameters deve exigi-lo", "parameters debe exigirlo"),
    "the server has no tool {}": Tongues(
        "o servidor não tem a ferramenta {}", "el servidor no tiene la herramienta {}"
    ),
    "tool {} cannot be offered": Tongues(
        "a ferramenta {} não pode ser oferecida", "la herramienta {} no se puede ofrecer"
    ),
    "has no schema": Tongues("não tem esquema", "no tiene esquema"),
}
