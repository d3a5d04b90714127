"""A real FreeSWITCH with files of its own, for one machine; where it is says FREESWITCH_HOME.

That is the directory it was installed into (`bin/freeswitch`, `lib/freeswitch/mod`). It needs
mod_audio_stream, mod_sofia, mod_sndfile and mod_tone_stream.
"""

from __future__ import annotations

import os
from pathlib import Path

HOME = os.environ.get("FREESWITCH_HOME", "")
ESL_PORT, SIP_PORT, PASSWORD, CONTEXT = 8021, 5060, "ClueCon", "hosts"
TONE_HZ = 950
TONE = f"tone_stream://%(20000,0,{TONE_HZ})"
"""What the dialplan plays where the AI cannot take the call."""
SENT_ON = "9950"
GUARD_S = 6
GUARD = f"+{GUARD_S} voice_ai_${{uuid}} uuid_transfer ${{uuid}} {SENT_ON} XML"
"""As in the shipped dialplan: what frees a caller whom a hung worker has taken."""

_MODULES = (
    "mod_logfile mod_event_socket mod_commands mod_dptools mod_dialplan_xml mod_sndfile "
    "mod_tone_stream mod_audio_stream mod_sofia"
)
_XML = """<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="modules.conf"><modules>{modules}</modules></configuration>
    <configuration name="switch.conf"><settings>
      <param name="max-sessions" value="1000"/><param name="sessions-per-second" value="200"/>
      <param name="loglevel" value="warning"/>
      <param name="rtp-start-port" value="20000"/><param name="rtp-end-port" value="24000"/>
    </settings></configuration>
    <configuration name="event_socket.conf"><settings>
      <param name="listen-ip" value="127.0.0.1"/><param name="listen-port" value="{esl}"/>
      <param name="password" value="{password}"/>
      <param name="apply-inbound-acl" value="loopback.auto"/>
    </settings></configuration>
    <configuration name="logfile.conf"><profiles><profile name="default">
      <settings><param name="logfile" value="{directory}/freeswitch.log"/></settings>
      <mappings><map name="all" value="info,notice,warning,err,crit,alert"/></mappings>
    </profile></profiles></configuration>
    <configuration name="acl.conf"><network-lists/></configuration>
    <configuration name="sofia.conf"><profiles><profile name="internal">
      <domains><domain name="all" alias="false" parse="false"/></domains>
      <settings>
        <param name="sip-ip" value="127.0.0.1"/><param name="rtp-ip" value="127.0.0.1"/>
        <param name="sip-port" value="{sip}"/>
        <param name="context" value="{context}"/><param name="dialplan" value="XML"/>
        <param name="inbound-codec-prefs" value="PCMU"/>
        <param name="outbound-codec-prefs" value="PCMU"/>
        <param name="auth-calls" value="false"/><param name="manage-presence" value="false"/>
        <param name="rtp-timer-name" value="soft"/><param name="enable-timer" value="false"/>
      </settings>
    </profile></profiles></configuration>
  </section>
  <section name="dialplan"><context name="{context}">
    <extension name="secretary"><condition field="destination_number" expression="^(8\\d+)$">
      <action application="set" data="voice_ai_extension=$1"/>
      <action application="set" data="voice_ai_guard=${{sched_api({guard} ${{context}})}}"/>
      <action application="socket" data="{socket} async full"/>
      <action application="sched_cancel" data="voice_ai_${{uuid}}"/>
      <action application="playback" data="{tone}"/>
      <action application="hangup"/>
    </condition></extension>
    <extension name="sent_on"><condition field="destination_number" expression="^{sent_on}$">
      <action application="answer"/>
      <action application="playback" data="{tone}"/>
    </condition></extension>
  </context></section>
</document>
"""


def command(directory: Path, socket: str) -> list[str]:
    """How it is started; `socket` is where its dialplan's calls go."""
    modules = "".join(f'<load module="{name}"/>' for name in _MODULES.split())
    directory.mkdir(exist_ok=True)
    (directory / "freeswitch.xml").write_text(
        _XML.format(
            modules=modules,
            esl=ESL_PORT,
            password=PASSWORD,
            sip=SIP_PORT,
            context=CONTEXT,
            directory=directory,
            socket=socket,
            tone=TONE,
            guard=GUARD,
            sent_on=SENT_ON,
        )
    )
    folders = "conf log run db scripts temp storage recordings sounds cache certs htdocs grammar"
    where = [word for name in folders.split() for word in (f"-{name}", str(directory))]
    mod = ["-mod", f"{HOME}/lib/freeswitch/mod"]
    return [f"{HOME}/bin/freeswitch", "-nf", "-nc", "-np", "-nonat", "-base", HOME, *where, *mod]
