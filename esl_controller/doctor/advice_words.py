"""What `doctor` advises, in Portuguese and Spanish. Pure.

The English sentence is the key, as in gettext; `{}` stands for what is filled in.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

LANGUAGES = ("en", "pt", "es")


class Tongues(NamedTuple):
    """The same sentence."""

    pt: str
    es: str


ADVICE: dict[str, Tongues] = {
    "install the extra: compiled": Tongues(
        "instale o extra: compiled", "instale el extra: compiled"
    ),
    "install the extra: {}": Tongues("instale o extra: {}", "instale el extra: {}"),
    "install pgvector on the database's host (postgresql-NN-pgvector), then in the database, "
    "as its superuser: create extension vector": Tongues(
        "instale o pgvector no servidor do banco (postgresql-NN-pgvector) e depois, no banco, "
        "como superusuário: create extension vector",
        "instale pgvector en el servidor de la base (postgresql-NN-pgvector) y después, en la "
        "base, como superusuario: create extension vector",
    ),
    "for FusionPBX set VOICE_AI_DATABASE_DSN to its database": Tongues(
        "para o FusionPBX, aponte VOICE_AI_DATABASE_DSN para o banco dele",
        "para FusionPBX, apunte VOICE_AI_DATABASE_DSN a su base de datos",
    ),
    "check VOICE_AI_DATABASE_DSN and pg_hba.conf": Tongues(
        "verifique VOICE_AI_DATABASE_DSN e pg_hba.conf",
        "revise VOICE_AI_DATABASE_DSN y pg_hba.conf",
    ),
    "copy it with `pg_dump` into a new database in UTF8 (docs/operations.md)": Tongues(
        "copie-o com `pg_dump` para um banco novo em UTF8 (docs/pt-BR/operacao.md)",
        "cópiela con `pg_dump` a una base nueva en UTF8 (docs/operations.md)",
    ),
    "point the DSN at FusionPBX's database": Tongues(
        "aponte o DSN para o banco do FusionPBX",
        "apunte el DSN a la base de datos de FusionPBX",
    ),
    "point VOICE_AI_DATABASE_DSN at the primary: a replica takes no rows": Tongues(
        "aponte VOICE_AI_DATABASE_DSN para o primário: uma réplica não aceita linhas",
        "apunte VOICE_AI_DATABASE_DSN al primario: una réplica no acepta filas",
    ),
    "see the finding about the secret key": Tongues(
        "veja o resultado sobre a chave secreta",
        "vea el resultado sobre la clave secreta",
    ),
    "enter the key again: `esl-controller provider set`": Tongues(
        "informe a chave de novo: `esl-controller provider set`",
        "introduzca la clave de nuevo: `esl-controller provider set`",
    ),
    "run NTP on both hosts": Tongues(
        "use NTP nos dois servidores",
        "use NTP en los dos servidores",
    ),
    "make [worker] count of voice-ai.toml as many as the supervisor starts": Tongues(
        "ponha em [worker] count de voice-ai.toml o número que o supervisor inicia",
        "ponga en [worker] count de voice-ai.toml el número que inicia el supervisor",
    ),
    "set VOICE_AI_MEDIA_PUBLIC_HOST there, to end from here a call they have": Tongues(
        "defina VOICE_AI_MEDIA_PUBLIC_HOST lá, para encerrar daqui uma chamada deles",
        "defina VOICE_AI_MEDIA_PUBLIC_HOST allí, para terminar desde aquí una llamada suya",
    ),
    "finish the upgrade": Tongues(
        "termine a atualização",
        "termine la actualización",
    ),
    "run `esl-controller migrate`": Tongues(
        "execute `esl-controller migrate`",
        "ejecute `esl-controller migrate`",
    ),
    "update this program": Tongues(
        "atualize este programa",
        "actualice este programa",
    ),
    "run `esl-controller setup`, or import dialplan_xml/900_voice_ai_realtime.xml": Tongues(
        "execute `esl-controller setup`, ou importe dialplan_xml/900_voice_ai_realtime.xml",
        "ejecute `esl-controller setup`, o importe dialplan_xml/900_voice_ai_realtime.xml",
    ),
    "give voice_ai_realtime a lower order in Dialplan Manager, or that one a higher": Tongues(
        "dê a voice_ai_realtime uma ordem menor no Dialplan Manager, ou maior ao outro",
        "dé a voice_ai_realtime un orden menor en Dialplan Manager, o mayor al otro",
    ),
    "enable it in Dialplan Manager": Tongues(
        "habilite-o no Dialplan Manager",
        "habilítelo en Dialplan Manager",
    ),
    "check mod_event_socket and VOICE_AI_FREESWITCH_HOST, _PORT and _PASSWORD": Tongues(
        "verifique mod_event_socket e VOICE_AI_FREESWITCH_HOST, _PORT e _PASSWORD",
        "revise mod_event_socket y VOICE_AI_FREESWITCH_HOST, _PORT y _PASSWORD",
    ),
    "change it in event_socket.conf.xml and VOICE_AI_FREESWITCH_PASSWORD": Tongues(
        "mude-a em event_socket.conf.xml e VOICE_AI_FREESWITCH_PASSWORD",
        "cámbiela en event_socket.conf.xml y VOICE_AI_FREESWITCH_PASSWORD",
    ),
    "load mod_lua: the shipped dialplan asks with it who answers a number": Tongues(
        "carregue mod_lua: o plano de discagem pergunta com ele quem atende um número",
        "cargue mod_lua: el plan de marcado pregunta con él quién atiende un número",
    ),
    "load mod_audio_stream, or set VOICE_AI_MEDIA_INPUT=unicast to do without": Tongues(
        "carregue mod_audio_stream, ou use VOICE_AI_MEDIA_INPUT=unicast para dispensá-lo",
        "cargue mod_audio_stream, o use VOICE_AI_MEDIA_INPUT=unicast para prescindir de él",
    ),
    "set VOICE_AI_MEDIA_FLAVOUR if it is not the first": Tongues(
        "defina VOICE_AI_MEDIA_FLAVOUR se não for o primeiro",
        "defina VOICE_AI_MEDIA_FLAVOUR si no es el primero",
    ),
    "build the open edition (deploy/audio-module); docs/editions.md says why": Tongues(
        "compile a edição aberta (deploy/audio-module); docs/editions.md diz por quê",
        "compile la edición abierta (deploy/audio-module); docs/editions.md dice por qué",
    ),
    "set VOICE_AI_MEDIA_FLAVOUR to the edition it is like, and make a call": Tongues(
        "defina VOICE_AI_MEDIA_FLAVOUR com a edição a que se assemelha e faça uma chamada",
        "defina VOICE_AI_MEDIA_FLAVOUR con la edición a la que se parece y haga una llamada",
    ),
    "set VOICE_AI_MEDIA_FLAVOUR to what is installed": Tongues(
        "defina VOICE_AI_MEDIA_FLAVOUR com o que está instalado",
        "defina VOICE_AI_MEDIA_FLAVOUR con lo que está instalado",
    ),
    "use unicast": Tongues(
        "use unicast",
        "use unicast",
    ),
    "set VOICE_AI_MEDIA_PLAYBACK=auto": Tongues(
        "defina VOICE_AI_MEDIA_PLAYBACK=auto",
        "defina VOICE_AI_MEDIA_PLAYBACK=auto",
    ),
    "unicast has no delay of its own; set VOICE_AI_MEDIA_PLAYBACK=unicast": Tongues(
        "unicast não tem atraso próprio; defina VOICE_AI_MEDIA_PLAYBACK=unicast",
        "unicast no tiene retardo propio; defina VOICE_AI_MEDIA_PLAYBACK=unicast",
    ),
    "let a firewall pass these ports from this host only: they ask for no password": Tongues(
        "deixe o firewall passar essas portas só deste servidor: elas não pedem senha",
        "deje que el cortafuegos pase estos puertos solo de este servidor: no piden clave",
    ),
    "choose VOICE_AI_MEDIA_UNICAST_PORT_FIRST and _LAST outside, as 61000 to 62999": Tongues(
        "escolha VOICE_AI_MEDIA_UNICAST_PORT_FIRST e _LAST fora disso, como 61000 a 62999",
        "elija VOICE_AI_MEDIA_UNICAST_PORT_FIRST y _LAST fuera, como 61000 a 62999",
    ),
    "set VOICE_AI_MEDIA_PORT to another, 8085 for instance": Tongues(
        "defina outra VOICE_AI_MEDIA_PORT, 8085 por exemplo",
        "defina otro VOICE_AI_MEDIA_PORT, 8085 por ejemplo",
    ),
    "stop the other program or set {}": Tongues(
        "pare o outro programa ou defina {}",
        "pare el otro programa o defina {}",
    ),
    "set VOICE_AI_ESL_LISTEN_HOST, VOICE_AI_MEDIA_LISTEN_HOST and _PUBLIC_HOST": Tongues(
        "defina VOICE_AI_ESL_LISTEN_HOST, VOICE_AI_MEDIA_LISTEN_HOST e _PUBLIC_HOST",
        "defina VOICE_AI_ESL_LISTEN_HOST, VOICE_AI_MEDIA_LISTEN_HOST y _PUBLIC_HOST",
    ),
    "set VOICE_AI_MEDIA_PUBLIC_HOST to this host's address": Tongues(
        "defina VOICE_AI_MEDIA_PUBLIC_HOST com o endereço deste servidor",
        "defina VOICE_AI_MEDIA_PUBLIC_HOST con la dirección de este servidor",
    ),
    "make {} and give it to the service's user": Tongues(
        "crie {} e dê-o ao usuário do serviço",
        "cree {} y déselo al usuario del servicio",
    ),
    "make room: a full disk costs records, recordings and logs": Tongues(
        "libere espaço: um disco cheio custa registros, gravações e logs",
        "libere espacio: un disco lleno cuesta registros, grabaciones y logs",
    ),
    "it is made when the service starts; back it up": Tongues(
        "é criada quando o serviço inicia; faça uma cópia",
        "se crea cuando el servicio arranca; haga una copia",
    ),
    "chown it to the service's user: {}": Tongues(
        "dê-a ao usuário do serviço (chown): {}",
        "désela al usuario del servicio (chown): {}",
    ),
    "restore it from your backup, or remove it and enter every provider key anew": Tongues(
        "restaure-a da cópia, ou remova-a e informe de novo cada chave de provedor",
        "restáurela de su copia, o bórrela e introduzca de nuevo cada clave de proveedor",
    ),
    "raise the limit to {} (ulimit -n, supervisord minfds)": Tongues(
        "aumente o limite para {} (ulimit -n, supervisord minfds)",
        "suba el límite a {} (ulimit -n, supervisord minfds)",
    ),
    "one worker a core is enough; set VOICE_AI_WORKER_COUNT": Tongues(
        "um processo por núcleo basta; defina VOICE_AI_WORKER_COUNT",
        "un proceso por núcleo basta; defina VOICE_AI_WORKER_COUNT",
    ),
    "this host is too busy for steady audio": Tongues(
        "este servidor está ocupado demais para áudio sem falhas",
        "este servidor está demasiado ocupado para un audio sin cortes",
    ),
    "use --online to connect to it": Tongues(
        "use --online para conectar a ele",
        "use --online para conectarse a él",
    ),
    "set VOICE_AI_PROVIDER_API_KEY; at the vendor's own address {} will do": Tongues(
        "defina VOICE_AI_PROVIDER_API_KEY; no endereço do próprio fornecedor basta {}",
        "defina VOICE_AI_PROVIDER_API_KEY; en la dirección del propio proveedor basta {}",
    ),
    "use {}": Tongues(
        "use {}",
        "use {}",
    ),
    "ask the vendor what takes its place": Tongues(
        "pergunte ao fornecedor o que o substitui",
        "pregunte al proveedor qué lo sustituye",
    ),
    "see the vendor's own page": Tongues(
        "veja a página do fornecedor",
        "vea la página del proveedor",
    ),
    "every answer waits for this way; choose a nearer region": Tongues(
        "cada resposta espera por esse caminho; escolha uma região mais próxima",
        "cada respuesta espera por este camino; elija una región más cercana",
    ),
    "check DNS, firewall, proxy and certificates": Tongues(
        "verifique DNS, firewall, proxy e certificados",
        "revise DNS, cortafuegos, proxy y certificados",
    ),
    "renew it: calls are refused on that day": Tongues(
        "renove-o: as chamadas serão recusadas nesse dia",
        "renuévelo: ese día se rechazan las llamadas",
    ),
    "restore it, or unset VOICE_AI_PROVIDER_CA_FILE": Tongues(
        "restaure-o, ou remova VOICE_AI_PROVIDER_CA_FILE",
        "restáurelo, o quite VOICE_AI_PROVIDER_CA_FILE",
    ),
    "it cannot keep up: fewer calls a host, or more cores": Tongues(
        "não dá conta: menos chamadas por servidor, ou mais núcleos",
        "no da abasto: menos llamadas por servidor, o más núcleos",
    ),
    "a running worker starts one within ten seconds; see its log for why it ends": Tongues(
        "um processo em execução inicia um em dez segundos; veja no log por que termina",
        "un proceso en marcha inicia uno en diez segundos; vea en su log por qué termina",
    ),
    "end it, and see its log: {}": Tongues(
        "encerre-o e veja o log dele: {}",
        "termínelo y vea su log: {}",
    ),
    "pip install 'voice-ai-switch[speech]', or apt-get install espeak-ng": Tongues(
        "pip install 'voice-ai-switch[speech]', ou apt-get install espeak-ng",
        "pip install 'voice-ai-switch[speech]', o apt-get install espeak-ng",
    ),
    "pip install 'voice-ai-switch[speech]', then `esl-controller voices fetch`": Tongues(
        "pip install 'voice-ai-switch[speech]', depois `esl-controller voices fetch`",
        "pip install 'voice-ai-switch[speech]', luego `esl-controller voices fetch`",
    ),
    "apt-get install espeak-ng: it speaks every other language": Tongues(
        "apt-get install espeak-ng: ele fala todos os outros idiomas",
        "apt-get install espeak-ng: habla todos los demás idiomas",
    ),
    "only providers with `stt: pocketsphinx` need it": Tongues(
        "só provedores com `stt: pocketsphinx` precisam dele",
        "solo los proveedores con `stt: pocketsphinx` lo necesitan",
    ),
    "pip install 'voice-ai-switch[speech]'": Tongues(
        "pip install 'voice-ai-switch[speech]'",
        "pip install 'voice-ai-switch[speech]'",
    ),
    "install FreeSWITCH {} or later": Tongues(
        "instale o FreeSWITCH {} ou mais novo",
        "instale FreeSWITCH {} o posterior",
    ),
    "buy a licence for it, install the open edition, or lower VOICE_AI_ESL_CAPACITY": Tongues(
        "compre uma licença, instale a edição aberta, ou reduza VOICE_AI_ESL_CAPACITY",
        "compre una licencia, instale la edición abierta, o baje VOICE_AI_ESL_CAPACITY",
    ),
    "raise max-sessions in switch.conf.xml: a transferred call has two legs": Tongues(
        "aumente max-sessions em switch.conf.xml: uma chamada transferida tem duas pernas",
        "suba max-sessions en switch.conf.xml: una llamada transferida tiene dos tramos",
    ),
    "set listen-ip to 127.0.0.1 or apply-inbound-acl in event_socket.conf.xml": Tongues(
        "defina listen-ip 127.0.0.1 ou apply-inbound-acl em event_socket.conf.xml",
        "defina listen-ip 127.0.0.1 o apply-inbound-acl en event_socket.conf.xml",
    ),
    "add PCMA or PCMU to inbound-codec-prefs of the profile": Tongues(
        "acrescente PCMA ou PCMU a inbound-codec-prefs do perfil",
        "añada PCMA o PCMU a inbound-codec-prefs del perfil",
    ),
    "behind NAT set ext-rtp-ip and ext-sip-ip of the profile to the public address": Tongues(
        "atrás de NAT, defina ext-rtp-ip e ext-sip-ip do perfil com o endereço público",
        "detrás de NAT, defina ext-rtp-ip y ext-sip-ip del perfil con la dirección pública",
    ),
    "run `esl-controller database-role --apply` as the owner of the tables": Tongues(
        "execute `esl-controller database-role --apply` como dono das tabelas",
        "ejecute `esl-controller database-role --apply` como dueño de las tablas",
    ),
    "give the workers a role of their own: deploy/database (docs/security.md)": Tongues(
        "dê aos processos um papel só deles: deploy/database (docs/security.md)",
        "dé a los procesos un rol propio: deploy/database (docs/security.md)",
    ),
    "add sslmode=verify-full and sslrootcert to VOICE_AI_DATABASE_DSN": Tongues(
        "acrescente sslmode=verify-full e sslrootcert a VOICE_AI_DATABASE_DSN",
        "añada sslmode=verify-full y sslrootcert a VOICE_AI_DATABASE_DSN",
    ),
    "check sslrootcert and the certificate": Tongues(
        "verifique sslrootcert e o certificado",
        "revise sslrootcert y el certificado",
    ),
    "name the host in VOICE_AI_MEDIA_PUBLIC_URL, with a certificate for that name": Tongues(
        "ponha o nome do servidor em VOICE_AI_MEDIA_PUBLIC_URL, com certificado desse nome",
        "ponga el nombre del servidor en VOICE_AI_MEDIA_PUBLIC_URL, con certificado de ese nombre",
    ),
    "put nginx with TLS before the workers: deploy/nginx": Tongues(
        "ponha nginx com TLS na frente dos processos: deploy/nginx",
        "ponga nginx con TLS delante de los procesos: deploy/nginx",
    ),
    "lead it through a private network or a VPN (docs/security.md)": Tongues(
        "leve-o por uma rede privada ou VPN (docs/security.md)",
        "llévelo por una red privada o VPN (docs/security.md)",
    ),
    "check nginx and its certificate: deploy/nginx says what it sees": Tongues(
        "verifique o nginx e o certificado dele: deploy/nginx diz o que vê",
        "revise nginx y su certificado: deploy/nginx dice lo que ve",
    ),
    "start the worker, or run deploy/nginx again for the ports of now": Tongues(
        "inicie o processo, ou execute deploy/nginx de novo para as portas de agora",
        "inicie el proceso, o ejecute deploy/nginx otra vez para los puertos de ahora",
    ),
    "name FreeSWITCH's networks in VOICE_AI_ESL_ALLOW, the pages' in _HTTP_ADMIN_ALLOW": Tongues(
        "ponha as redes do FreeSWITCH em VOICE_AI_ESL_ALLOW, as das páginas em _HTTP_ADMIN_ALLOW",
        "ponga las redes de FreeSWITCH en VOICE_AI_ESL_ALLOW, las otras en _HTTP_ADMIN_ALLOW",
    ),
    "streams ask for a ticket, /metrics for nothing: see what deploy/firewall shows": Tongues(
        "streams pedem um ticket, /metrics não pede nada: veja o que deploy/firewall mostra",
        "los streams piden un ticket, /metrics nada: vea lo que muestra deploy/firewall",
    ),
    "run doctor as the user of the workers": Tongues(
        "execute o doctor como o usuário dos processos",
        "ejecute doctor como el usuario de los procesos",
    ),
    "chmod 600 {}": Tongues(
        "chmod 600 {}",
        "chmod 600 {}",
    ),
}


def told(advice: str, language: str) -> str:
    """The advice in this language; in English where it is not known in another."""
    if language == "en" or not advice:
        return advice
    for pattern, tongues in _patterns():
        if (found := pattern.fullmatch(advice)) is not None:
            text: str = getattr(tongues, language)
            return text.format(*found.groups())
    return advice


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Tongues], ...]:
    """Whole sentences first: `use {}` fits any that begins so."""
    keys = sorted(ADVICE, key=lambda key: "{}" in key)
    return tuple(
        (re.compile(re.escape(key).replace(r"\{\}", "(.+)"), re.DOTALL), ADVICE[key])
        for key in keys
    )
