"""A domain with every kind of destination on a real FreeSWITCH: the dialplan of `engine_places`."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration.api_kit import OPEN
from tests.integration.engine_kit import engine_client, event_socket
from tests.integration.engine_line import dial, media
from tests.integration.engine_stage import Stage, phone
from tests.integration.fusionpbx_tables import FUSIONPBX_TABLES
from tests.integration.sip_phone import BUSY, RINGS, TAKES, Phone
from tests.integration.who_heard import who_is_heard

DOMAIN = os.environ.get("FREESWITCH_PLACES", "")
RING_S = 5
NUMBER = "5511777"
"""The caller's own."""
PEOPLE = ("extension", "ring group", "external number", "alias")
"""Who can be asked. An alias leads to the extension."""
NAMES = {
    "extension": "Ana",
    "alias": "comercial",
    "ring group": "Vendas",
    "external number": "Rita",
    "queue": "Suporte",
    "ivr": "Menu",
    "voicemail": "the mailbox of Ana",
    "greeted ring group": "Recepção",
}
ROWS = (
    ("v_extensions", "extension_uuid", ("extension", "effective_caller_id_name", "enabled"), (
        ("201", "Ana", True), ("202", "Bia", True), ("203", "Caio", True))),
    ("v_ring_groups", "ring_group_uuid",
     ("ring_group_extension", "ring_group_name", "ring_group_greeting", "ring_group_enabled"),
     (("300", "Vendas", "", True), ("310", "Recepção", "welcome.wav", True))),
    ("v_call_center_queues", "call_center_queue_uuid", ("queue_extension", "queue_name"),
     (("500", "Suporte"),)),
    ("v_ivr_menus", "ivr_menu_uuid",
     ("ivr_menu_extension", "ivr_menu_name", "ivr_menu_enabled"), (("600", "Menu", True),)),
    ("v_voicemails", "voicemail_uuid", ("voicemail_id", "voicemail_enabled"), (("201", True),)),
)  # fmt: skip


def script(to: str, verdict: str) -> Script:
    """The caller asks for `to`; the human says yes or no."""
    calls = (
        ScriptedCall("transfer_call", f'{{"destination": "{NAMES[to]}", "reason": "an invoice"}}'),
        ScriptedCall(verdict, '{"message": "tomorrow"}' if verdict == "decline_call" else "{}"),
    )
    return Script(
        answers=(Answer("I try.", calls=calls), Answer("Well.")),
        keywords={
            "hears you again": Answer("Welcome back."),
            "with you again": Answer("What else may I do for you?"),
        },
    )


@dataclasses.dataclass
class Places(Stage):
    """A domain with telephones that are registered."""

    stack: ExitStack = dataclasses.field(kw_only=True)
    server: tuple[str, int] = dataclasses.field(kw_only=True)
    second: Phone | None = None
    began: float = 0.0

    def extension(self, number: str, does: str = TAKES) -> Phone:
        """Another telephone, registered."""
        one = phone(self.stack, does)
        one.register(number, DOMAIN, self.server)
        return one

    def report(self, to: str, outcome: str, statuses: list[str]) -> None:
        """One line of the table."""
        heard = [", ".join(sorted(who_is_heard(one))) or "nothing" for one in self.phones]
        took_s = time.monotonic() - self.began
        cells = (to, outcome, " ".join(statuses), *heard, f"{took_s:.1f} s")
        print(f"\n| {' | '.join(cells)} |")

    @property
    def phones(self) -> tuple[Phone, Phone]:
        """The caller's and the human's."""
        return self.caller, self.human


@pytest.fixture(name="places")
def places_of_a_domain(serve: Any) -> Iterator[Callable[..., Places]]:
    host, port = os.environ["FREESWITCH_SIP"].rsplit(":", 1)
    with ExitStack() as stack:

        def start(
            to: str,
            does: str = TAKES,
            *,
            verdict: str = "accept_call",
            registered: bool = True,
            before: Callable[[Places], None] = lambda line: None,
            **secretary: Any,
        ) -> Places:
            caller, human = phone(stack), phone(stack, does)
            number = human.address.rpartition(":")[2] if registered else "00009"
            more = secretary.pop("rule", {})
            rules: list[dict[str, Any]] = [
                {"destination": "201", "department": "Ana", "aliases": ["comercial"]},
                {"destination": "300", "department": "Vendas"},
                {"destination": "310", "department": "Recepção"},
                {"destination": f"+5511{number}", "department": "Rita"},
                {"destination": "500", "department": "Suporte"},
                {"destination": "600", "department": "Menu"},
            ]
            service = serve(
                emulator=EmulatorConfig(script=script(to, verdict), think_s=0.05),
                secretary={
                    "transfer_rules": [rule | more for rule in rules],
                    "transfer_mode": "announced",
                    "transfer_ring_seconds": RING_S,
                    "transfer_directory": True,
                }
                | secretary,
                transfer={"outside": r"\+5511\d{5}"},
                media=media("unicast"),
                freeswitch=dict(zip(("host", "port"), event_socket(), strict=True)),
                **OPEN,
            )
            service.tenant.domain_name = DOMAIN
            domain_uuid = service.tenant.domain_uuid
            service.database.execute(
                "update v_domains set domain_name = %s where domain_uuid = %s", DOMAIN, domain_uuid
            )
            _fill(service.database, domain_uuid)
            client = stack.enter_context(engine_client())
            server = (host, int(port))
            line = Places(client, service, caller, human, stack=stack, server=server)
            if registered:
                user = "203" if to == "queue" else "201"
                human.register(user, DOMAIN, server)
            if to == "ring group":
                line.second = line.extension("202", BUSY if does == BUSY else RINGS)
            before(line)
            dial(client, service, caller, "unicast", number=NUMBER)
            line.began = time.monotonic()
            line.ask()
            return line

        yield start


def _fill(database: Any, domain_uuid: str) -> None:
    database.execute(FUSIONPBX_TABLES)
    for table, key, names, rows in ROWS:
        for row in rows:
            marks = ", ".join(["%s"] * len(row))
            database.execute(
                f"insert into {table} ({key}, domain_uuid, {', '.join(names)})"
                f" values (gen_random_uuid(), %s, {marks})",
                domain_uuid,
                *row,
            )
