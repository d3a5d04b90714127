"""What columns of secretaries mean, in Spanish. Pure."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    "Name in lists and checks.": "Nombre en listas y comprobaciones.",
    "The number it answers; empty: none.": "El número que atiende; vacío: ninguno.",
    "Language of the caller and of our own phrases; empty: the model finds out.": (
        "Idioma de quien llama y de nuestras propias frases; vacío: lo descubre el modelo."
    ),
    (
        "Other languages the caller may change to, by asking or by "
        "speaking one: the AI and our own phrases follow."
    ): (
        "Otros idiomas a los que puede cambiar quien llama, pidiéndolo o "
        "hablándolos: la IA y nuestras frases lo siguen."
    ),
    "Kind of provider, where no row is named.": "Tipo de proveedor, cuando no se nombra una fila.",
    "The domain's provider row to use; empty: the first of that kind by priority.": (
        "La fila de proveedor del dominio que se usa; vacío: la primera de ese tipo por prioridad."
    ),
    "Fields of the provider's own session, over everything else here.": (
        "Campos de la sesión propia del proveedor, por encima de todo lo demás."
    ),
    "Model to ask for; empty: the provider row's.": (
        "Modelo que se pide; vacío: el de la fila del proveedor."
    ),
    "Model that writes down what the caller says.": "Modelo que escribe lo que dice quien llama.",
    "Voice; empty: the provider row's.": "Voz; vacío: la de la fila del proveedor.",
    "How fast it speaks.": "Con qué rapidez habla.",
    "What the provider does against noise.": "Lo que hace el proveedor contra el ruido.",
    "Who the AI is and what it does.": "Quién es la IA y qué hace.",
    "What it says first; empty: the caller begins.": (
        "Lo primero que dice; vacío: comienza quien llama."
    ),
    "Its good-bye; empty: ours, in its language.": "Su despedida; vacío: la nuestra, en su idioma.",
    "What a silent caller is asked, once; empty: ours.": (
        "Lo que se pregunta, una vez, a quien calla; vacío: lo nuestro."
    ),
    "A turn ends by silence, or by sense.": "Un turno termina por silencio o por sentido.",
    "How loud speech is; higher where lines are noisy.": (
        "Qué tan fuerte es el habla; más alto donde hay ruido en la línea."
    ),
    "Sound kept from before speech began.": (
        "Sonido que se conserva de antes de que empezara el habla."
    ),
    "Silence that ends a turn, with `server`.": "Silencio que termina un turno, con `server`.",
    "How soon it answers, with `semantic`.": "Con qué prontitud responde, con `semantic`.",
    "The model speaks up after such a silence; empty: it waits.": (
        "El modelo habla tras ese silencio; vacío: espera."
    ),
    "The caller may interrupt.": "Quien llama puede interrumpir.",
    "Who finds the caller's turns: the provider, or our own ear, where the provider lets it.": (
        "Quién encuentra los turnos de quien llama: el proveedor, o "
        "nuestro propio oído, donde el proveedor lo permite."
    ),
    (
        "A sound without words does not interrupt: the AI goes on where it stopped."
    ): "Un sonido sin palabras no interrumpe: la IA sigue donde se detuvo.",
    '"Uh-huh" and the like do not interrupt either.': "«Ajá» y similares tampoco interrumpen.",
    "The caller may interrupt what it says first.": (
        "Quien llama puede interrumpir lo primero que dice."
    ),
    "Said before everything else; nobody can interrupt it, or the first message after it.": (
        "Se dice antes que todo lo demás; nadie puede interrumpirlo, ni "
        "el primer mensaje que le sigue."
    ),
    "A soft sound while a function works.": "Un sonido suave mientras trabaja una función.",
    "Keys pressed are handed to the model after this pause, or at `#`.": (
        "Las teclas pulsadas se entregan al modelo tras esta pausa, o con `#`."
    ),
    "It may look things up in the documents of the domain (`esl-controller knowledge`).": (
        "Puede consultar los documentos del dominio (`esl-controller knowledge`)."
    ),
    (
        "Whether it offers functions that reach the domain's own "
        "systems, and messages; those of the call itself need no switch."
    ): (
        "Si ofrece funciones que llegan a los sistemas del dominio, y "
        "mensajes; las de la propia llamada no necesitan esto."
    ),
    "Names of those it offers; empty: all that are set up, `send_dtmf` excepted.": (
        "Nombres de las que ofrece; vacío: todas las configuradas, salvo `send_dtmf`."
    ),
    "Where the AI may transfer to; a wrong entry costs itself. Empty: it cannot transfer.": (
        "Adónde puede transferir la IA; una entrada mala solo se pierde "
        "ella. Vacío: no puede transferir."
    ),
    (
        "Callers are also connected to any extension, ring group, queue "
        "or IVR of the domain they name, not only to those in "
        "transfer_rules."
    ): (
        "También se comunica a quien llama con cualquier extensión, "
        "grupo de timbrado, cola o IVR del dominio que nombre, no solo "
        "con los de transfer_rules."
    ),
    (
        "How callers are connected where a rule says nothing else: "
        "handed over at once, or `announced`: the human hears who calls "
        "and why, and accepts first; `attended`: the AI then introduces "
        "both."
    ): (
        "Cómo se comunica a quien llama si una regla no dice otra cosa: "
        "se entrega de inmediato, o `announced`: la persona oye quién "
        "llama y por qué, y acepta primero; `attended`: además la IA "
        "presenta a ambos."
    ),
    "Longest ringing of an announced transfer.": (
        "Lo máximo que timbra una transferencia anunciada."
    ),
    "After an announced transfer the caller is with the AI again when the human hangs up.": (
        "Tras una transferencia anunciada, quien llama vuelve con la IA cuando la persona cuelga."
    ),
    "Music for a caller who waits for a human; else silence.": (
        "Música para quien espera a una persona; si no, silencio."
    ),
    "Longest call: a good-bye comes then.": "Duración máxima de la llamada: entonces se despide.",
    "Turns of the caller; a good-bye comes then.": "Turnos de quien llama; entonces se despide.",
    "A silent caller is asked after this, and left some seconds later.": (
        "Tras este tiempo se pregunta a quien calla, y unos segundos después se le deja."
    ),
    "Calls at once; empty: no limit.": "Llamadas simultáneas; vacío: sin límite.",
    "Who takes the call when the AI cannot; empty: the dialplan's next action.": (
        "Quién atiende cuando la IA no puede; vacío: la siguiente acción del plan de marcado."
    ),
    "Who takes it when there is no room; empty: as above.": (
        "Quién atiende cuando no hay lugar; vacío: como arriba."
    ),
    "Zone of its hours; empty: the domain's.": "Zona de su horario; vacío: la del dominio.",
    (
        "When it answers; empty: always. A span may go on past midnight "
        '(`["18:00", "02:00"]`): it belongs to the day it begins on, and '
        "a closed date closes what begins on it. A date that cannot be "
        "read is left out; a day that cannot counts as open all day."
    ): (
        "Cuándo atiende; vacío: siempre. Un tramo puede pasar de la "
        'medianoche (`["18:00", "02:00"]`): pertenece al día en que '
        "comienza, y una fecha cerrada cierra lo que comienza en ella. "
        "Una fecha que no se puede leer queda fuera; un día que no se "
        "puede leer cuenta como abierto todo el día."
    ),
    (
        "Number or name of a time condition of the domain in FusionPBX, "
        "whose hours and holidays are used in place of `business_hours`."
    ): (
        "Número o nombre de una condición de tiempo del dominio en "
        "FusionPBX, cuyos horarios y feriados se usan en lugar de "
        "`business_hours`."
    ),
    (
        "What becomes of calls outside the hours: given back to the "
        "dialplan, or answered by the AI, which says that it is closed "
        "and when it opens."
    ): (
        "Qué pasa con las llamadas fuera de horario: vuelven al plan de "
        "marcado, o las atiende la IA, que dice que está cerrado y "
        "cuándo abre."
    ),
    "What it says first then; empty: ours, with the time it opens.": (
        "Lo primero que dice entonces; vacío: lo nuestro, con la hora en que abre."
    ),
    "What it can still do then, added to its instructions.": (
        "Lo que todavía puede hacer entonces, añadido a sus instrucciones."
    ),
    "Who takes the call outside these hours; empty: the dialplan's next action.": (
        "Quién atiende fuera de este horario; vacío: la siguiente acción del plan de marcado."
    ),
    "How the voice reaches the caller; `auto`: as installed.": (
        "Cómo llega la voz a quien llama; `auto`: según lo instalado."
    ),
    "How the caller's voice comes: the audio module, or `unicast`.": (
        "Cómo viene la voz de quien llama: el módulo de audio, o `unicast`."
    ),
    "Whether it answers.": "Si atiende.",
    "Whether calls are recorded, in stereo, where FusionPBX looks for recordings.": (
        "Si las llamadas se graban, en estéreo, donde FusionPBX busca las grabaciones."
    ),
    (
        "What callers are told of it: nothing, that they are recorded, "
        "or also that they may refuse. What is said before the notice "
        "was heard is silence in the recording."
    ): (
        "Lo que se dice de ello a quien llama: nada, que se le graba, o "
        "también que puede negarse. Lo dicho antes de oírse el aviso es "
        "silencio en la grabación."
    ),
    "The words of that notice; empty: ours, in its language.": (
        "Las palabras de ese aviso; vacío: las nuestras, en su idioma."
    ),
    (
        "Words of either side after which the recording pauses, as "
        "before a card number; empty: ours, in its language."
    ): (
        "Palabras de cualquiera de los dos tras las que la grabación se "
        "detiene, como antes de un número de tarjeta; vacío: las "
        "nuestras, en su idioma."
    ),
    "What is left on an answering machine we reach; empty: nothing, we hang up.": (
        "Lo que se deja en un contestador al que llamamos; vacío: nada, colgamos."
    ),
    "Who gets this secretary's calls and messages by e-mail; empty: the domain's.": (
        "Quién recibe por correo las llamadas y mensajes de esta "
        "secretaria; vacío: quien diga el dominio."
    ),
}
