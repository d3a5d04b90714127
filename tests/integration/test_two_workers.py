"""What two workers have to know of each other, they know: settings, places, and no tenant's words.

The workers are processes of the real program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.hub_watch import HubWatch
from tests.integration.killed_worker import kill_while_people_talk, kill_while_we_call
from tests.integration.service import FALLBACK, SPEAK, Tenant, TestCall, free_port, wait_for
from tests.integration.two_workers import (
    PATIENCE_S,
    Pair,
    Worker,
    logged,
    new_database,
    pair_of,
    restart,
    two_workers,
)

ASK = Step(AgentSilent(0.35), SPEAK)
SWITCH_PORT = free_port()
"""Where workers reach the switch to have calls made."""


@pytest.fixture(scope="module")
def site(
    postgres_server: Any, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Worker], Any]]:
    state_dir = tmp_path_factory.mktemp("state")
    with (
        new_database(postgres_server, migrated_template) as database,
        two_workers(database, state_dir, VOICE_AI_FREESWITCH_PORT=str(SWITCH_PORT)) as workers,
    ):
        yield workers, database


@pytest.fixture
def pair(site: tuple[list[Worker], Any], tmp_path: Any) -> Iterator[Pair]:
    with pair_of(*site, tmp_path) as pair:
        yield pair


# --- settings -------------------------------------------------------------------------------------


def voices(record: SessionRecord) -> set[str]:
    """Every voice a provider was asked for in one session."""
    return {update["audio"]["output"]["voice"] for update in record.updates if "audio" in update}


def test_a_change_is_used_by_the_next_call_on_both_workers(pair: Pair, hub_watch: HubWatch) -> None:
    tenant = pair.tenant_with(voice_id="alloy", first_message="Old.")
    running = [pair.talk(worker, tenant) for worker in pair.workers]
    took_s = pair.timed_change(
        """update v_voice_secretaries_realtime set voice_id = 'verse', first_message = 'New.'
           where domain_uuid = %s""",
        tenant.domain_uuid,
    )
    print(f"both workers had heard of the change after {took_s * 1000:.0f} ms")
    assert took_s < 1 + hub_watch.worst_ms / 500
    later = [pair.talk(worker, tenant) for worker in pair.workers]
    assert [(record.spoken, voices(record)) for _, record in later] == [(["New."], {"verse"})] * 2
    for call, _ in running:
        call.caller.say(SPEAK.clip)
    for _, record in running:
        wait_for(lambda record=record: len(record.spoken) == 2, PATIENCE_S)
        assert (record.spoken, voices(record)) == (["Old.", "Certainly."], {"alloy"})
    pair.hang_up(*(call for call, _ in running + later))


def test_a_number_that_was_nobodys_is_answered_a_moment_later(
    pair: Pair, hub_watch: HubWatch
) -> None:
    tenant = pair.tenant_with()
    new = {"tenant": tenant, "destination_number": "8055"}
    for _ in range(2):  # the second answer comes from memory
        for worker in pair.workers:
            assert pair.dial(worker, **new).wait().outcome == "not_ours"
    took_s = pair.timed_change(
        """insert into v_voice_secretaries_realtime (domain_uuid, extension, secretary_name,
             voice_realtime_provider_uuid, realtime_provider, first_message)
           select domain_uuid, '8055', 'New', voice_realtime_provider_uuid, realtime_provider,
             'I am new here.'
           from v_voice_secretaries_realtime where domain_uuid = %s""",
        tenant.domain_uuid,
    )
    assert took_s < 1 + hub_watch.worst_ms / 500
    talks = [pair.talk(worker, **new) for worker in pair.workers]
    assert [record.spoken for _, record in talks] == [["I am new here."]] * 2
    pair.hang_up(*(call for call, _ in talks))


def test_a_key_sealed_after_a_rotation_is_used_by_both_workers(pair: Pair) -> None:
    guarded = EmulatorConfig(api_keys=frozenset({"sk-first", "sk-second"}))
    tenant = pair.tenant_with(emulator=guarded)
    here, there = pair.workers
    store_key(pair, here, tenant, "sk-first")
    first = [pair.talk(worker, tenant) for worker in pair.workers]
    before = here.client.get(f"/domains/{tenant.domain_uuid}/keys/public").json["key_id"]

    resealed: list[str] = []
    pair.change(lambda: resealed.append(there.command("keys", "rotate")))
    assert "1 sealed again" in resealed[0]
    second = [pair.talk(worker, tenant) for worker in pair.workers]
    store_key(pair, there, tenant, "sk-second")
    third = [pair.talk(worker, tenant) for worker in pair.workers]
    after = here.client.get(f"/domains/{tenant.domain_uuid}/keys/public").json["key_id"]
    assert after != before
    pair.hang_up(*(call for call, _ in first + second + third))


def store_key(pair: Pair, worker: Worker, tenant: Tenant, key: str) -> None:
    """As the page does it: seal by the interface, store what comes back."""
    answer = worker.client.post(f"/domains/{tenant.domain_uuid}/keys/seal", {"key": key})
    pair.timed_change(
        "update v_voice_realtime_providers set credential = %s where domain_uuid = %s",
        answer.json["credential"],
        tenant.domain_uuid,
    )


# --- places ---------------------------------------------------------------------------------------


def refused(pair: Pair, worker: Worker, tenant: Tenant) -> bool:
    """One more call is sent back for want of a place."""
    call = pair.dial(worker, tenant).wait()
    return call.outcome == "overflow" and not call.leg.answered.is_set()


def test_places_are_counted_over_both_workers_and_come_back_from_a_dead_one(
    pair: Pair, hub_watch: HubWatch
) -> None:
    dying, living = pair.workers
    tenant = pair.tenant_with()
    pair.timed_change(
        "insert into v_voice_realtime_settings (domain_uuid, max_concurrent_calls) values (%s, 2)",
        tenant.domain_uuid,
    )
    lost, _ = pair.talk(dying, tenant, actions_after=FALLBACK)
    kept, _ = pair.talk(living, tenant)
    assert refused(pair, dying, tenant)
    assert refused(pair, living, tenant)

    killed_at = pair.switch.now()
    dying.kill()
    lost.wait()
    heard_at = lost.caller.hearing.first_sound_at(after=killed_at)
    assert heard_at - killed_at < 1 + hub_watch.worst_ms / 500, "the dialplan did not go on at once"
    assert refused(pair, living, tenant), "nobody gave the dead worker's place back"
    expire(pair, lost)
    again, _ = pair.talk(living, tenant)
    assert refused(pair, living, tenant)

    restart(pair.workers)
    assert refused(pair, dying, tenant)
    pair.wait_stored(lost)
    assert (lost.row()["outcome"], lost.row()["end_cause"]) == ("failed", "worker_lost")
    pair.hang_up(kept)
    wait_for(lambda: leases(pair, tenant) == [again.leg.uuid], PATIENCE_S)
    last, _ = pair.talk(dying, tenant)
    pair.hang_up(again, last)
    wait_for(lambda: leases(pair, tenant) == [], PATIENCE_S)


def leases(pair: Pair, tenant: Tenant) -> list[str]:
    """Calls of a tenant that hold a place."""
    sql = "select call_uuid from v_voice_call_leases_realtime where domain_uuid = %s"
    return [call_uuid for (call_uuid,) in pair.database.execute(sql, tenant.domain_uuid)]


def expire(pair: Pair, call: TestCall) -> None:
    """Let a minute pass for one call's place, by the only clock that counts: the database's."""
    ((left_s,),) = pair.database.execute(
        """update v_voice_call_leases_realtime old set expires_at = now()
           from v_voice_call_leases_realtime as it where it.lease_uuid = old.lease_uuid
             and old.call_uuid = %s returning extract(epoch from it.expires_at - now())::float""",
        call.leg.uuid,
    )
    assert 0 < left_s <= 60


# --- tenants --------------------------------------------------------------------------------------


class Party:
    """A tenant all of whose names, words and identifiers are known, with its calls."""

    def __init__(self, pair: Pair, word: str) -> None:
        """`word` is in everything it says, hears and is called."""
        self.pair = pair
        self.word = word.lower()
        self.calls: list[TestCall] = []
        self.taken: dict[str, Worker] = {}
        """Which worker has which call."""
        self.tenant = pair.tenant_with(
            emulator=EmulatorConfig(
                script=Script(answers=(Answer(f"{word} is fine."),), caller_lines=(f"my {word}",)),
                think_s=0.05,
            ),
            domain_name=f"{word}.example",
            secretary_name=f"{word} desk",
            system_prompt=f"You serve {word}.",
            first_message=f"{word} speaking.",
            max_concurrent_calls=10,
        )
        self.domain_uuid = self.tenant.domain_uuid

    def call(self, worker: Worker) -> TestCall:
        """Somebody calls who asks one thing and stays."""
        caller = {"caller_id_number": "5557777", "caller_id_name": f"Caller {self.word}"}
        call, _ = self.pair.talk(worker, self.tenant, ASK, **caller)
        self.calls.append(call)
        self.taken[call.leg.uuid] = worker
        return call

    def marks(self) -> set[str]:
        """What only rows, lines and answers of its own may hold."""
        keys = self.pair.database.execute(
            """select conversation_uuid::text from v_voice_conversations_realtime
                 where domain_uuid = %s
               union all select secretary_realtime_uuid::text from v_voice_secretaries_realtime
                 where domain_uuid = %s
               union all select voice_realtime_provider_uuid::text from v_voice_realtime_providers
                 where domain_uuid = %s""",
            *[self.domain_uuid] * 3,
        )
        own = {self.word, self.domain_uuid, *(call.leg.uuid for call in self.calls)}
        return own | {key for (key,) in keys}

    def conversations(self) -> list[str]:
        """Keys of its conversations."""
        return [str(call.row()["conversation_uuid"]) for call in self.calls]

    def page(self, path: str) -> str:
        """Path of a page of its own."""
        return f"/domains/{self.domain_uuid}/{path}"


def found(marks: set[str], text: str) -> list[str]:
    """Those that are in a text."""
    text = text.lower()
    return [mark for mark in marks if mark in text]


def rows(pair: Pair) -> Iterator[tuple[str, str, str]]:
    """Table, domain and text of every row of every table that has domains."""
    tables = pair.database.execute(
        """select table_name from information_schema.columns join information_schema.tables
             using (table_schema, table_name)
           where table_schema = 'public' and column_name = 'domain_uuid'
             and table_type = 'BASE TABLE'"""
    )
    for (table,) in tables:
        for row in pair.database.execute(
            f"select domain_uuid::text, to_jsonb(t)::text from {table} t"
        ):
            yield table, *row


def check_rows(pair: Pair, one: Party, other: Party, filled: set[str]) -> None:
    """No row of one party holds anything of the other, and the `filled` tables have rows of it."""
    foreign, tables = other.marks(), set()
    for table, domain_uuid, text in rows(pair):
        if domain_uuid == one.domain_uuid:
            tables.add(table.removeprefix("v_voice_"))
            assert found(foreign, text) == [], (table, text)
    assert filled <= tables


def check_logs(pair: Pair, one: Party, other: Party) -> None:
    """A line of one party's tells nothing of the other; every call's end has a line."""
    mine, foreign = one.marks(), other.marks()
    for worker in pair.workers:
        lines = [line for line in worker.log_lines() if found(mine, line)]
        assert [line for line in lines if found(foreign, line)] == []
        fields = [logged(line) for line in lines]
        assert {each["domain_uuid"] for each in fields} == {one.domain_uuid}, fields
        ended = {each["call_uuid"] for each in fields if each["event"] == "call.ended"}
        assert ended == {key for key, taken in one.taken.items() if taken is worker}


def check_pages(pair: Pair, one: Party, other: Party) -> None:
    """Whatever one party asks, of whichever worker, it hears of itself alone."""
    foreign = other.marks()
    own = ["conversations", "calls", "extensions/8001/check"]
    own += [f"conversations/{key}" for key in one.conversations()]
    theirs = [f"conversations/{key}" for key in other.conversations()]
    theirs += [f"calls/{call.leg.uuid}/events" for call in other.calls]
    for worker in pair.workers:
        assert found(one.marks() | foreign, worker.metrics()) == []
        for path in own:
            answer = worker.client.get(one.page(path))
            assert answer.status == 200, path
            assert found(foreign, answer.body.decode()) == [], path
        for path in theirs:
            assert worker.client.get(one.page(path)).status == 404, path


def watch(worker: Worker, party: Party, call: TestCall) -> Any:
    """Read a call's events to the end, at a worker that does not have it."""
    path = party.page(f"calls/{call.leg.uuid}/events")
    wait_for(lambda: call.leg.uuid in str(worker.client.get(party.page("calls")).json), PATIENCE_S)
    return gevent.spawn(lambda: [(e.kind, str(e.data)) for e in worker.client.watch(path)])


def test_a_worker_killed_takes_no_caller_along(pair: Pair) -> None:
    kill_while_people_talk(pair)


def test_a_call_of_ours_whose_worker_is_killed_is_made_again(pair: Pair) -> None:
    kill_while_we_call(pair, SWITCH_PORT)


def test_two_tenants_alike_never_meet(pair: Pair) -> None:
    """Same number called, same caller, at the same time, each on both workers."""
    parties = one, other = Party(pair, "Zanzibar"), Party(pair, "Quetzal")
    here, there = pair.workers
    orders = [(one, here, there), (other, there, here), (other, here, there), (one, there, here)]
    viewers = []
    for party, worker, elsewhere in orders:
        viewers.append((party, watch(elsewhere, party, party.call(worker))))
    for party in parties:
        wait_for(lambda party=party: answered(party), PATIENCE_S)
    check_rows(pair, one, other, {"call_leases_realtime", "conversations_realtime"})
    check_pages(pair, one, other)
    check_pages(pair, other, one)
    pair.hang_up(*one.calls, *other.calls)
    pair.wait_stored(*one.calls, *other.calls)

    said = [("assistant", "{} speaking."), ("user", "my {}"), ("assistant", "{} is fine.")]
    for party, stranger, word in ((one, other, "Zanzibar"), (other, one, "Quetzal")):
        for call in party.calls:
            turns = [(role, text) for role, text, *_ in call.turns()]
            assert turns == [(role, text.format(word)) for role, text in said]
            assert call.row()["caller_name"] == f"Caller {party.word}"
        full = {f"{name}_realtime" for name in ("conversations", "turns", "usage", "secretaries")}
        check_rows(pair, party, stranger, full)
        check_pages(pair, party, stranger)
        check_logs(pair, party, stranger)
        for record in party.tenant.records:
            assert found(stranger.marks(), str(record.as_json())) == []
    for party, viewer in viewers:
        events = viewer.get(timeout=PATIENCE_S)
        stranger = other if party is one else one
        assert [kind for kind, _ in events][-1] == "end"
        assert [text for kind, text in events if kind == "turn" and party.word in text.lower()]
        assert found(stranger.marks(), str(events)) == []


def answered(party: Party) -> bool:
    """Each of its callers has had an answer."""
    return all(len(record.spoken) == 2 for record in party.tenant.records)
