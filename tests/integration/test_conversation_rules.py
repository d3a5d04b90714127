"""Whole calls: answered after closing time with an explanation, and in another language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from esl_controller.database.models import RouteEntry
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration.service import SPEAK, hang_up_after, service

TALK = EmulatorConfig(
    script=Script(
        (
            Answer("", calls=(ScriptedCall("change_language", '{"language": "es"}'),)),
            Answer("De nada."),
        ),
        after_function=Answer("Con mucho gusto."),
        caller_lines=("hablo español", "gracias"),
    ),
    think_s=0.05,
)
NEVER_OPEN = """<extension name="hours"><condition mon="13" break="never">
  <action application="transfer" data="201 XML d.example"/></condition></extension>"""
"""Of a company that opens in a thirteenth month."""


def test_closed_but_answered_and_then_in_spanish(database: Any, tmp_path: Path) -> None:
    database.execute(
        """create table v_dialplans (dialplan_uuid uuid primary key, domain_uuid uuid,
             app_uuid uuid, dialplan_context text, dialplan_name text, dialplan_number text,
             dialplan_enabled boolean, dialplan_xml text)"""
    )
    secretary = {
        "language": "en",
        "languages": ["es"],
        "time_condition": "Opening hours",
        "closed_action": "answer",
        "closed_message": "{{company}} is closed, {{caller_name|caller}}.",
        "closed_prompt": "Take a message.",
        "max_turns": 2,
        "system_prompt": "For {{caler_name}}.",
    }
    with service(database, tmp_path, emulator=TALK, secretary=secretary) as site:
        database.execute(
            """insert into v_dialplans (dialplan_uuid, domain_uuid, app_uuid, dialplan_name,
                 dialplan_number, dialplan_enabled, dialplan_xml) values (gen_random_uuid(), %s,
                 '4b821450-926b-175a-af93-a03c441818b1', 'Opening_hours', '805', true, %s)""",
            site.tenant.domain_uuid,
            NEVER_OPEN,
        )
        site.app.config.invalidate(site.tenant.domain_uuid)
        entry = site.app.config.secretary_for(site.tenant.domain_uuid, "8001")
        assert isinstance(entry, RouteEntry)
        assert "did you mean caller_name?" in " ".join(entry.warnings)
        opening = site.app._admission.judge(entry).opening
        assert opening is not None and not opening.open and opening.next_open_at is None
        steps = [Step(AgentSilent(0.4), SPEAK), Step(AgentSilent(0.5), SPEAK)]
        call = site.call([*steps, hang_up_after(AgentSilent(20))], caller_id_name="Ana</data>")
        call.wait(20)
        site.stored()
        instructions = site.tenant.record.updates[0]["instructions"]
        assert "nobody is there now" in instructions and "Take a message." in instructions
        said = [text for role, text, *_ in call.turns() if role == "assistant"]
        assert said[0] == f"{site.tenant.domain_name} is closed, Ana data."
        # The good-bye after the last turn the tenant allows is ours, and in the caller's language.
        assert said[1:] == ["Con mucho gusto.", "De nada.", "Gracias por llamar. ¡Hasta luego!"]
        row = call.row()
        assert (row["outcome"], row["end_cause"]) == ("completed", "max_turns"), row
        language = database.execute("select language from v_voice_conversations_realtime")
        assert language == [("es",)]
