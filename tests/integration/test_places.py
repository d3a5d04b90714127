"""Whom callers can be connected to, on FusionPBX's own tables."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from esl_controller.calls.transfer import directory
from esl_controller.calls.transfer.destination import Ambiguous, Destination, Kind, Unknown
from esl_controller.calls.transfer.resolve import FusionPlaces
from esl_controller.database.pool import Pool
from esl_controller.database.repository.places import count_outside
from esl_controller.settings.transfer import Transfer
from esl_controller.simulator.switch import api
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.legs import FarEnd
from tests.integration.fusionpbx_tables import FUSIONPBX_TABLES

ROWS = (
    ("v_extensions", "extension_uuid", [
        {"extension": "201", "effective_caller_id_name": "Ana Souza", "number_alias": "5501"},
        {"extension": "202", "directory_first_name": "José", "directory_last_name": "Lima"},
        {"extension": "203", "description": "Ana Lima", "do_not_disturb": True},
        {"extension": "204", "description": "Left", "enabled": False},
    ]),
    ("v_ring_groups", "ring_group_uuid", [
        {"ring_group_extension": "300", "ring_group_name": "Vendas", "ring_group_enabled": True},
        {"ring_group_extension": "301", "ring_group_name": "Vendas 2", "ring_group_enabled": True},
    ]),
    ("v_call_center_queues", "call_center_queue_uuid", [
        {"queue_extension": "500", "queue_name": "Suporte Técnico"},
    ]),
    ("v_ivr_menus", "ivr_menu_uuid", [
        {"ivr_menu_extension": "600", "ivr_menu_name": "Menu", "ivr_menu_enabled": True},
    ]),
    ("v_voicemails", "voicemail_uuid", [{"voicemail_id": "201", "voicemail_enabled": True}]),
)  # fmt: skip


@dataclasses.dataclass
class Site:
    """A domain with people in it."""

    database: Any
    pool: Pool
    domain_uuid: str

    def places(self, **settings: Any) -> FusionPlaces:
        return FusionPlaces(self.pool, Transfer(**settings))

    def entry(self, *rules: dict[str, Any], directory: bool = True, extension: str = "7000") -> Any:
        secretary = SimpleNamespace(transfer_rules=rules, transfer_directory=directory)
        return SimpleNamespace(
            secretary=secretary,
            extension=extension,
            domain_uuid=self.domain_uuid,
            domain_name="d.example.com",
        )


def fill(database: Any, domain_uuid: str) -> None:
    for table, key, rows in ROWS:
        for row in rows:
            whole = {key: str(uuid.uuid4()), "domain_uuid": domain_uuid} | row
            if table == "v_extensions":
                whole.setdefault("enabled", True)
            names, marks = ", ".join(whole), ", ".join(["%s"] * len(whole))
            database.execute(f"insert into {table} ({names}) values ({marks})", *whole.values())


@pytest.fixture
def site(database: Any, pool: Pool) -> Site:
    database.execute(FUSIONPBX_TABLES)
    own, other = database.seed(), database.seed()
    fill(database, own.domain_uuid)
    database.execute(
        "insert into v_extensions (extension_uuid, domain_uuid, extension, description, enabled)"
        " values (gen_random_uuid(), %s, '999', 'Stranger', true)",
        other.domain_uuid,
    )
    return Site(database, pool, own.domain_uuid)


def found(site: Site, wanted: str, *rules: dict[str, Any], **how: Any) -> tuple[Any, ...]:
    one = site.places().find(site.entry(*rules, **how), wanted)
    if isinstance(one, Destination):
        return (one.kind, one.name, one.number, one.dial_string)
    return (type(one), *(one.names if isinstance(one, Ambiguous) else one.near))


CASES = [
    ("201", (Kind.EXTENSION, "Ana Souza", "201", "user/201@d.example.com")),
    ("extension two zero one", (Kind.EXTENSION, "Ana Souza", "201", "user/201@d.example.com")),
    ("5501", (Kind.EXTENSION, "Ana Souza", "201", "user/201@d.example.com")),
    ("jose", (Kind.EXTENSION, "José Lima", "202", "user/202@d.example.com")),
    ("Ana", (Ambiguous, "Ana Souza", "Ana Lima")),
    ("ana lima", (Kind.EXTENSION, "Ana Lima", "203", "user/203@d.example.com")),
    ("vendas", (Kind.RING_GROUP, "Vendas", "300", "loopback/300/d.example.com")),
    ("suporte tecnico", (Kind.QUEUE, "Suporte Técnico", "500", "")),
    ("menu", (Kind.IVR, "Menu", "600", "")),
    ("the mailbox of Ana Souza", (Kind.VOICEMAIL, "Ana Souza", "*99201", "")),
    ("the mailbox of José", (Unknown,)),
    ("Demo secretary", (Kind.IVR, "Demo secretary", "8000", "")),
]


def test_everybody_of_the_domain_is_found_as_callers_say(site: Site) -> None:
    for wanted, expected in CASES:
        assert found(site, wanted)[: len(expected)] == expected, wanted


def test_nobody_of_another_domain_and_nobody_who_left(site: Site) -> None:
    for wanted in ("Stranger", "999", "Left", "204", "0900123456"):
        assert found(site, wanted)[0] is Unknown


def test_feature_codes_of_fusionpbx_are_not_for_callers(site: Site) -> None:
    """An open directory does not lead a caller into DISA; what the rules list is listed."""
    site.database.execute(
        "create table v_dialplans (domain_uuid uuid, dialplan_name text, dialplan_number text,"
        " dialplan_enabled boolean)"
    )
    sql = "insert into v_dialplans values (%s, %s, %s, true)"
    for name, number in (("disa", "*3472"), ("recordings", "*732"), ("night", "900")):
        site.database.execute(sql, site.domain_uuid, name, number)
    for wanted in ("disa", "*3472", "star 3472", "recordings"):
        assert found(site, wanted)[0] is Unknown, wanted
        assert "disa" not in str(found(site, wanted))
    assert found(site, "night")[2] == "900"
    rule = {"department": "notes", "destination": "*732"}
    assert found(site, "notes", rule)[:3] == (Kind.IVR, "notes", "*732")


def test_nobody_is_connected_to_the_secretary_itself_or_to_a_parking_lot(site: Site) -> None:
    site.database.execute(
        "create table v_dialplans (domain_uuid uuid, dialplan_name text, dialplan_number text,"
        " dialplan_enabled boolean)"
    )
    site.database.execute(
        "insert into v_dialplans values (%s, 'valet_park_in', '5900', true)", site.domain_uuid
    )
    for wanted in ("valet_park_in", "valet park in", "5900"):
        assert found(site, wanted)[0] is Unknown, wanted
    assert found(site, "Demo secretary", extension="8000")[0] is Unknown
    assert "Demo secretary" not in str(found(site, "nobody", extension="8000"))
    assert "valet" not in str(found(site, "nobody"))
    rule = {"department": "another number of mine", "destination": "8000"}
    assert found(site, "another number of mine", rule, extension="8000")[2] == "8000"


def test_a_department_may_be_called_mailbox(site: Site) -> None:
    rule = {"department": "Mailbox", "destination": "*99201"}
    assert found(site, "mailbox", rule, directory=False)[2] == "*99201"


def test_only_those_in_the_rules_unless_the_directory_is_open(site: Site) -> None:
    rule = {"department": "Comercial", "destination": "300", "aliases": ["sales"]}
    vendas = (Kind.RING_GROUP, "Comercial", "300", "loopback/300/d.example.com")
    for wanted in ("comercial", "SALES", "Vendas", "300"):
        assert found(site, wanted, rule, directory=False) == vendas
    assert found(site, "Ana Souza", rule, directory=False) == (Unknown, "Comercial")
    assert found(site, "Ana Souza", rule)[0] is Kind.EXTENSION


def test_a_large_company_is_searched_beside_the_calls(site: Site) -> None:
    site.database.execute(
        """insert into v_extensions (extension_uuid, domain_uuid, extension, description, enabled)
           select gen_random_uuid(), %s, (3000 + n)::text, 'Person ' || chr(65 + n / 26) ||
             chr(65 + n %% 26) || ' Number ' || n, true from generate_series(0, 600) as n""",
        site.domain_uuid,
    )
    assert found(site, "3007")[2] == "3007"
    assert found(site, "Ana Souza")[2] == "201"
    assert found(site, "nobody at all")[0] is Unknown


def test_what_a_number_is_the_tables_say_and_not_the_rule(site: Site) -> None:
    rules = [
        {"department": "a", "destination": "500", "kind": "extension"},
        {"department": "b", "destination": "201", "kind": "voicemail"},
        {"department": "c", "destination": "5511999998888"},
        {"department": "d", "destination": "190"},
        {"department": "e", "destination": "voice_ai_turn_based"},
    ]
    places, entry = site.places(), site.entry(*rules)
    offered: list[Any] = [places.find(entry, rule["department"]) for rule in rules]
    assert [one.kind for one in offered] == [
        Kind.QUEUE, Kind.VOICEMAIL, Kind.EXTERNAL, Kind.EXTERNAL, Kind.IVR
    ]  # fmt: skip
    numbers = ["500", "*99201", "5511999998888", "190", "voice_ai_turn_based"]
    assert [one.number for one in offered] == numbers
    assert [one.announceable for one in offered] == [False, False, True, True, False]


def test_without_fusionpbx_the_rules_are_taken_at_their_word(database: Any, pool: Pool) -> None:
    site = Site(database, pool, database.seed().domain_uuid)
    rules = [{"destination": "1000"}, {"destination": "+5511999998888"}]
    places = site.places()
    found = [places.of_number(site.entry(*rules), str(rule["destination"])) for rule in rules]
    assert [one.kind for one in found] == [Kind.EXTENSION, Kind.EXTERNAL]


def test_what_a_number_is_that_no_rule_lists(site: Site) -> None:
    numbers = {
        "201": Kind.EXTENSION,
        "300": Kind.RING_GROUP,
        "500": Kind.QUEUE,
        "777": Kind.EXTERNAL,
    }
    places, entry = site.places(), site.entry(directory=False)
    assert {number: places.of_number(entry, number).kind for number in numbers} == numbers
    assert places.of_number(entry, "201").mailbox == "*99201"
    assert places.of_number(entry, "202").mailbox == ""


def test_a_ring_group_that_greets_answers_by_itself(site: Site) -> None:
    site.database.execute(
        "update v_ring_groups set ring_group_greeting = 'hello.wav'"
        " where ring_group_extension = '301'"
    )
    places, entry = site.places(), site.entry()
    assert places.of_number(entry, "300").announceable
    assert not places.of_number(entry, "301").announceable


def test_whom_an_extension_is_forwarded_to(site: Site) -> None:
    def presence(**row: Any) -> Any:
        for name, value in row.items():
            sql = f"update v_extensions set {name} = %s where extension = '201'"
            site.database.execute(sql, value)
        places, entry = site.places(), site.entry()
        answers = {"sofia_contact": "error/user_not_registered"}
        asked: Any = SimpleNamespace(api=lambda command, *_, **__: answers[command])
        found = places.presence(asked, entry, places.of_number(entry, "201"))
        return found.state, found.to, found.instead

    follow_me = str(uuid.uuid4())
    for order, number in enumerate(("0551199999", "202")):
        site.database.execute(
            """insert into v_follow_me_destinations (domain_uuid, follow_me_uuid,
                 follow_me_destination_uuid, follow_me_destination, follow_me_order)
               values (%s, %s, gen_random_uuid(), %s, %s)""",
            site.domain_uuid,
            follow_me,
            number,
            order,
        )
    assert presence() == ("unregistered", (), True)
    other = {"forward_user_not_registered_destination": "202"}
    assert presence(**other)[0] == "unregistered"
    assert presence(forward_user_not_registered_enabled=True) == ("forwarded", ("202",), True)
    assert presence(follow_me_uuid=follow_me)[1] == ("202",)
    followed = ("forwarded", ("0551199999", "202"), False)
    assert presence(follow_me_enabled=True) == followed
    assert presence(forward_all_enabled=True) == followed  # to nowhere
    assert presence(forward_all_destination="300") == ("forwarded", ("300",), True)
    assert (
        site.places()
        .through_dialplan(site.entry(), site.places().of_number(site.entry(), "201"))
        .dial_string
        == "loopback/201/d.example.com"
    )


def test_what_is_remembered_grows_old_and_serves_while_the_database_is_away(site: Site) -> None:
    clock = SimpleNamespace(now=0.0)
    places = FusionPlaces(site.pool, Transfer(), clock=lambda: clock.now)
    entry = site.entry()
    assert isinstance(places.find(entry, "202"), Destination)
    site.database.execute("update v_extensions set enabled = false where extension = '202'")
    assert isinstance(places.find(entry, "202"), Destination)
    clock.now = directory.TTL_S + 1
    with gevent.Timeout(5):
        while isinstance(places.find(entry, "202"), Destination):
            gevent.sleep(0.01)
    site.database.execute("alter table v_extensions rename to v_extensions_away")
    site.database.execute("create view v_extensions as select 1 / 0 as extension")
    clock.now *= 3
    assert isinstance(places.find(entry, "201"), Destination)
    places.stop()


OUTSIDE = Destination(Kind.EXTERNAL, "x", "5511999998888", announceable=True)


def test_nothing_outside_is_dialled_unless_the_installation_allows_it(site: Site) -> None:
    entry = site.entry()
    own = site.places().find(entry, "201")
    assert isinstance(own, Destination)
    assert site.places().may_dial(entry, own) is None
    assert "may not be dialled" in (site.places().may_dial(entry, OUTSIDE) or "")
    national = site.places(outside=r"55\d{11}")
    assert national.may_dial(entry, OUTSIDE) is None
    longer = dataclasses.replace(OUTSIDE, number=OUTSIDE.number + "0")
    assert "may not be dialled" in (national.may_dial(entry, longer) or "")


def test_calls_outside_are_counted_over_all_workers(site: Site) -> None:
    entry, workers = site.entry(), [site.places(outside=".*", outside_per_hour=3) for _ in "ab"]
    asked = [gevent.spawn(workers[n % 2].may_dial, entry, OUTSIDE) for n in range(8)]
    answers = [one.get(timeout=10) for one in asked]
    assert answers.count(None) == 3
    assert sum("too many" in (one or "") for one in answers) == 5
    with site.pool.connection(autocommit=True) as connection:
        stranger = site.database.seed().domain_uuid
        assert count_outside(connection, stranger, 1)
        assert not count_outside(connection, stranger, 1)
        assert not count_outside(connection, stranger, 0)
    for minutes, free in ((64, False), (66, True)):  # an hour, whatever the clock says
        site.database.execute(
            "update v_voice_outside_transfers_realtime"
            " set hour = now() - %s * interval '1 minute' where domain_uuid = %s",
            minutes,
            stranger,
        )
        with site.pool.connection() as connection:
            assert count_outside(connection, stranger, 1) is free


def test_what_cannot_be_counted_is_not_dialled(site: Site) -> None:
    site.database.execute("drop table v_voice_outside_transfers_realtime")
    refused = site.places(outside=".*").may_dial(site.entry(), OUTSIDE)
    assert "cannot be counted" in (refused or "")


class Engine:
    """The caller's own socket to a switch in software."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def api(
        self, command: str, argument: str = "", timeout_s: float = 5.0, *, check: bool = True
    ) -> str:
        return api.run(self._switch, command, argument)


@pytest.fixture
def switch() -> Iterator[Switch]:
    people = {"201": FarEnd(), "203": FarEnd()}
    with Switch(SwitchConfig(far_ends=people, queues={"500": 0})) as switch:
        yield switch


def test_presence_is_asked_of_the_engine_and_of_what_the_owner_has_set(
    site: Site, switch: Switch
) -> None:
    places, entry = site.places(), site.entry()

    def state(wanted: str) -> str:
        one = places.find(entry, wanted)
        assert isinstance(one, Destination)
        return places.presence(Engine(switch), entry, one).state

    assert [state(who) for who in ("201", "202", "203", "500", "600")] == [
        "free", "unregistered", "dnd", "unregistered", "unknown"
    ]  # fmt: skip
    talking = ChannelOptions(variables={"presence_id": "201@d.example.com"})
    session = switch.start_call([Action("answer"), Action("park")], channel=talking)
    session.channel.name = "sofia/internal/201@192.0.2.7:5060"
    assert state("201") == "busy"
