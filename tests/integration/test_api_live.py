"""A call is watched while it goes on: from any worker, after a loss, and at nobody else's cost."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import gevent
import msgspec
import pytest

from esl_controller.app import App
from esl_controller.database.pool import DatabaseUnavailable
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.web.api import event_stream
from esl_controller.web.api.event_stream import EventStream, StreamTiming
from esl_controller.web.api.live import LiveFeed
from esl_controller.web.api.problems import Problem
from tests.integration.api_kit import OPEN, Client, client_of
from tests.integration.api_rows import Talk, begin, new_id, with_everything
from tests.integration.service import SPEAK, hang_up_after, service, settings_for, wait_for

STORY = [Step(AgentSilent(0.4), SPEAK), hang_up_after(AgentSilent(0.6))]
QUICK = StreamTiming(alive_s=0.3, unheard_s=0.05, pause_s=0.01, send_s=0.2)


@pytest.fixture
def feed(database) -> Iterator[LiveFeed]:
    feed = LiveFeed(database.dsn, max_viewers=3)
    yield feed
    assert len(feed) == 0
    wait_for(lambda: not feed.listening)


@pytest.fixture
def talk(database, pool) -> Talk:
    return begin(pool, database.seed().domain_uuid)


class Viewer:
    """Reads a stream in a greenlet of its own."""

    def __init__(self, feed: LiveFeed, talk: Talk, reading: Any = None, **options: Any) -> None:
        options = {"timing": QUICK} | options
        reading = reading or (lambda: talk.pool.connection(autocommit=True))
        self.stream = EventStream(feed, reading, talk.domain_uuid, talk.key, **options)
        self.text = ""
        self.reader = gevent.spawn(self._read)

    def _read(self) -> None:
        try:
            for piece in self.stream:
                self.text += piece.decode()
        finally:
            self.stream.close()

    @property
    def events(self) -> list[tuple[str, Any]]:
        found = []
        for block in self.text.split("\n\n"):
            fields = dict(line.partition(": ")[::2] for line in block.split("\n") if line)
            if "data" in fields:
                found.append((fields["event"], msgspec.json.decode(fields["data"])))
        return found

    @property
    def said(self) -> list[str]:
        return [data["content"] for kind, data in self.events if kind == "turn"]

    def wait(self, fact: Any) -> None:
        wait_for(lambda: fact(self), 5, what=self.text)

    def leave(self) -> None:
        self.reader.kill()
        self.stream.close()  # the reader may never have begun


def test_what_was_said_comes_first_and_then_what_is_said(feed, talk):
    talk.say("one")
    viewer = Viewer(feed, talk)
    viewer.wait(lambda v: v.said == ["one"])
    talk.say("two")
    viewer.wait(lambda v: v.said == ["one", "two"])
    with_everything(talk)
    talk.end()
    viewer.wait(lambda v: v.reader.ready())
    kinds = [kind for kind, _ in viewer.events]
    assert kinds[0] == "conversation"
    assert {"function_call", "transfer"} < set(kinds)
    assert "usage" not in kinds
    assert kinds[-1] == "end"
    assert viewer.events[-1][1]["conversation"]["outcome"] == "completed"


def test_a_word_is_enough_to_be_heard_without_looking_again(feed, talk):
    """Nothing but the notification can wake this viewer within the test."""
    viewer = Viewer(feed, talk, timing=StreamTiming(alive_s=600, pause_s=0.01))
    wait_for(lambda: feed.listening)
    viewer.wait(lambda v: v.events)
    talk.say("one")
    viewer.wait(lambda v: v.said == ["one"])
    viewer.leave()


def test_a_turn_stored_again_is_sent_again(feed, talk):
    """The caller cut it off after it was stored whole."""
    turn = talk.say("a long answer", "assistant")
    viewer = Viewer(feed, talk)
    viewer.wait(lambda v: v.said)
    talk.store(dataclasses.replace(turn, interrupted=True, heard_ms=300))
    viewer.wait(lambda v: len(v.said) == 2)
    first, again = (data for kind, data in viewer.events if kind == "turn")
    assert (first["interrupted"], again["interrupted"]) == (False, True)
    assert first["turn_uuid"] == again["turn_uuid"]
    viewer.leave()


def test_who_comes_back_gets_the_last_turn_again_and_what_followed(feed, talk):
    for text in ("one", "two", "three"):
        talk.say(text)
    viewer = Viewer(feed, talk, last_event_id="2")
    viewer.wait(lambda v: v.said == ["two", "three"])
    assert "id: 3\n" in viewer.text
    viewer.leave()


@pytest.mark.parametrize("last_event_id", ["x", "-1", "²"])
def test_an_event_id_of_somebody_else_means_everything(last_event_id, feed, talk):
    talk.say("one")
    viewer = Viewer(feed, talk, last_event_id=last_event_id)
    viewer.wait(lambda v: v.said == ["one"])
    viewer.leave()


def test_silence_is_filled_so_that_the_connection_is_seen_to_live(feed, talk):
    viewer = Viewer(feed, talk)
    viewer.wait(lambda v: v.text.count(": alive\n\n") >= 2)
    viewer.leave()


def test_a_call_that_is_over_is_told_whole(feed, talk):
    talk.say("one")
    talk.end()
    viewer = Viewer(feed, talk)
    viewer.reader.join(5)
    assert [kind for kind, _ in viewer.events] == ["conversation", "turn", "end"]


def test_an_erased_conversation_ends(feed, talk, database):
    viewer = Viewer(feed, talk)
    viewer.wait(lambda v: v.events)
    database.execute("delete from v_voice_conversations_realtime")
    viewer.wait(lambda v: v.reader.ready())
    assert viewer.events[-1] == ("end", {"conversation": None})


def test_the_listener_lives_as_long_as_somebody_watches(feed, talk, database):
    viewers = [Viewer(feed, talk) for _ in range(2)]
    wait_for(lambda: feed.listening)
    viewers[0].leave()
    assert feed.listening
    viewers[1].leave()
    wait_for(lambda: not feed.listening)
    wait_for(
        lambda: (
            not database.execute(
                """select 1 from pg_stat_activity
               where application_name = 'voice-ai-listen' and datname = current_database()"""
            )
        )
    )


def test_a_lost_listener_comes_back_and_nothing_is_missed(feed, talk, database):
    viewer = Viewer(feed, talk)
    wait_for(lambda: feed.listening)
    database.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'voice-ai-listen' and datname = current_database()"""
    )
    talk.say("said meanwhile")
    viewer.wait(lambda v: v.said == ["said meanwhile"])
    wait_for(lambda: feed.listening, 5)
    viewer.leave()


def test_a_database_away_is_waited_for(feed, talk):
    away = [DatabaseUnavailable("away"), DatabaseUnavailable("away")]

    @contextmanager
    def reading() -> Iterator[Any]:
        if away:
            raise away.pop()
        with talk.pool.connection(autocommit=True) as connection:
            yield connection

    talk.say("one")
    viewer = Viewer(feed, talk, reading)
    viewer.wait(lambda v: v.said == ["one"])
    assert viewer.text.count(": cannot read\n\n") == 2
    viewer.leave()


def test_there_is_a_limit_to_viewers(feed, talk):
    viewers = [Viewer(feed, talk) for _ in range(3)]
    with pytest.raises(Problem) as caught:
        Viewer(feed, talk)
    assert caught.value.status == 429
    for viewer in viewers:
        viewer.leave()


def test_a_viewer_that_does_not_read_is_dropped_and_holds_up_nobody(feed, talk):
    """Its greenlet is stuck in sending when its time is over."""
    stuck: list[BaseException] = []

    def send() -> None:
        stream = EventStream(
            feed,
            lambda: talk.pool.connection(autocommit=True),
            talk.domain_uuid,
            talk.key,
            timing=QUICK,
        )
        try:
            for _piece in stream:
                gevent.sleep(60)
        except BrokenPipeError as error:
            stuck.append(error)
        finally:
            stream.close()

    slow = gevent.spawn(send)
    quick = Viewer(feed, talk)
    talk.say("one")
    quick.wait(lambda v: v.said == ["one"])
    slow.join(5)
    assert stuck[0].errno == errno.EPIPE
    quick.leave()


def test_a_change_of_another_conversation_wakes_nobody(feed, talk, pool):
    reads = []

    @contextmanager
    def reading() -> Iterator[Any]:
        reads.append(1)
        with talk.pool.connection(autocommit=True) as connection:
            yield connection

    viewer = Viewer(feed, talk, reading, timing=StreamTiming(alive_s=600, pause_s=0.01))
    wait_for(lambda: feed.listening and len(reads) == 2)  # at first, and when it is listened
    begin(pool, talk.domain_uuid, talk.row.call_uuid).say("not for you")
    talk.say("for you")
    viewer.wait(lambda v: v.said == ["for you"])
    assert len(reads) == 3
    viewer.leave()


def test_another_worker_shows_a_call_as_it_is_held(database, tmp_path):
    with service(database, tmp_path, **OPEN) as running:
        other = App(settings_for(tmp_path / "other", **OPEN), database.dsn)
        other.start()
        try:
            call = running.call(STORY)
            client = Client(other.media.address)
            domain = f"/domains/{running.tenant.domain_uuid}"
            wait_for(lambda: client.get(f"{domain}/calls").json["calls"])
            seen = []
            for event in client.watch(f"{domain}/calls/{call.leg.uuid}/events"):
                if event.kind == "turn" and event.data["role"] == "user":
                    assert not call.leg.ended.is_set()
                seen.append((event.kind, event.id, event.data.get("content")))
            call.wait()
        finally:
            other.stop()
    turns = [one for one in seen if one[0] == "turn"]
    assert turns == [
        ("turn", "1", "Hello."),
        ("turn", "2", "a question"),
        ("turn", "3", "Certainly."),
    ]
    assert seen[-1][0] == "end"


def test_what_a_tenant_does_not_store_is_not_shown(database, tmp_path):
    with service(database, tmp_path, **OPEN) as running:
        domain_uuid = running.tenant.domain_uuid
        database.execute(
            """insert into v_voice_realtime_settings (domain_uuid, store_transcripts)
               values (%s, false)""",
            domain_uuid,
        )
        client = client_of(running)
        call = running.call(STORY)
        domain = f"/domains/{domain_uuid}"
        wait_for(lambda: client.get(f"{domain}/calls").json["calls"])
        events = list(client.watch(f"{domain}/calls/{call.leg.uuid}/events"))
        call.wait()
    assert {event.kind for event in events} - {":"} == {"conversation", "end"}


def test_a_worker_that_stops_ends_its_streams(database, tmp_path):
    with service(database, tmp_path, **OPEN) as running:
        pool = running.app._pool
        talk = begin(pool, running.tenant.domain_uuid)
        page = f"/domains/{talk.domain_uuid}/calls/{talk.row.call_uuid}/events"
        stream = client_of(running).watch(page)
        read = gevent.spawn(list, stream)
        wait_for(lambda: len(running.app._live) == 1)
        running.app.stop()
        assert read.get(timeout=5)[0].kind == "conversation"
        assert len(running.app._live) == 0
        stream.close()


def test_a_viewer_that_leaves_is_forgotten(database, tmp_path):
    with service(database, tmp_path, **OPEN) as running:
        talk = begin(running.app._pool, running.tenant.domain_uuid)
        page = f"/domains/{talk.domain_uuid}/calls/{talk.row.call_uuid}/events"
        stream = client_of(running).watch(page)
        assert next(iter(stream)).kind == "conversation"
        stream.close()

        def gone() -> bool:
            talk.say("is anybody there?")
            return len(running.app._live) == 0

        wait_for(gone)
        assert client_of(running).get(page.replace(talk.row.call_uuid, new_id())).status == 404


def test_a_viewer_that_stops_reading_is_cut_off(database, tmp_path, monkeypatch):
    """Over real sockets, with more to send than they hold."""
    monkeypatch.setattr(event_stream, "StreamTiming", partial(StreamTiming, send_s=0.3))
    with service(database, tmp_path, **OPEN) as running:
        talk = begin(running.app._pool, running.tenant.domain_uuid)
        for _ in range(8):
            talk.say("x" * 2_000_000)
        page = f"/domains/{talk.domain_uuid}/calls/{talk.row.call_uuid}/events"
        stream = client_of(running).watch(page)
        wait_for(lambda: len(running.app._live) == 1)
        wait_for(lambda: len(running.app._live) == 0)
        stream.close()
