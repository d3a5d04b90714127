"""Talking to a secretary from the browser: a recorded sentence is its microphone."""

from __future__ import annotations

import http.client
import socket
import uuid
from typing import Any

import pytest

from esl_controller.database.repository.tickets import spend_ticket
from tests.pages.test_conversation import begin


def talk_page(here: Any) -> str:
    return f"/app/voice_secretary/talk_realtime.php?id={here.one.secretary_realtime_uuid}"


@pytest.mark.slow
def test_a_conversation_in_the_browser(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(talk_page(here))
    browser.click("#btn_begin")
    browser.wait(lambda: browser.find("#talk_state").get_attribute("data-state") == "talking")
    turns = browser.find("#talk_turns")
    browser.wait(lambda: "Certainly." in turns.text and "go forward" in turns.text)
    browser.wait(lambda: int(browser.find("#talk_latency").get_attribute("data-ms") or 0) > 0)
    assert int(turns.get_attribute("data-sound")) > 10_000, "sound came back"
    # The second answer is long; the sentence comes again meanwhile and cuts it off.
    browser.wait(lambda: int(turns.get_attribute("data-interrupted") or 0) > 0)
    browser.wait(lambda: browser.all("#talk_turns .vs_cut"))
    browser.picture("talk")
    browser.click("#btn_end")
    assert browser.find("#talk_state").get_attribute("data-state") == "over"
    browser.wait(lambda: not here.app.talks.calls and not len(here.app.manager))
    assert here.app.journal.wait_stored(5)
    caller, outcome, turns_stored = here.row(
        """select caller_id, outcome, (select count(*) from v_voice_turns_realtime t
             where t.conversation_uuid = c.conversation_uuid) from v_voice_conversations_realtime c
           where domain_uuid = %s and caller_id = 'browser'""",
        here.one.domain_uuid,
    )
    assert (caller, outcome) == ("browser", "completed")
    assert turns_stored >= 4
    assert browser.complaints() == []


def test_what_is_done_to_a_call_is_asked_of_the_controller(here, browser):
    """Of a call that no worker has: the controller's answer is said."""
    key = begin(here, here.one, ended_at=None, outcome=None)
    browser.log_in(here.one.domain_uuid)
    browser.open(f"/app/voice_secretary/conversation_realtime_detail.php?id={key}")
    browser.fill("whisper", "Offer Tuesday.")
    for button in ("#btn_tell", "#btn_listen"):
        browser.driver.execute_script("document.getElementById('live').textContent = ''")
        browser.click(button)
        browser.wait(lambda: browser.text("#live"))
        assert "no longer there" in browser.text("#live")


def upgrade(here: Any, path: str) -> int:
    """Status of a WebSocket handshake."""
    connection = http.client.HTTPConnection(*here.app.media.address, timeout=5)
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    connection.request("GET", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def heard(here: Any, path: str) -> str:
    """What comes over a WebSocket until it is closed, as one text."""
    host, port = here.app.media.address
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""]
    with socket.create_connection((host, port), timeout=5) as browser:
        browser.sendall("\r\n".join(lines).encode())
        said = b""
        while b"\x88" not in said and (more := browser.recv(4096)):
            said += more
    return said.decode("utf-8", "replace")


@pytest.fixture
def ticket(here) -> str:
    """For 8001 of the first domain."""
    from tests.integration.api_kit import Client
    from tests.pages.world import TOKEN

    client = Client(here.app.media.address, TOKEN)
    answer = client.post(f"/domains/{here.one.domain_uuid}/tickets", {"scope": "talk/8001"})
    return str(answer.json["ticket"])


def test_a_ticket_is_for_one_number_of_one_domain_once(here, ticket):
    one, two = here.one.domain_uuid, here.two.domain_uuid
    wrong = {
        f"/talk/{two}/8001?ticket={ticket}": 403,
        f"/talk/{one}/8002?ticket={ticket}": 403,
        f"/talk/{one}/8001": 401,
        f"/talk/{one}/8001?ticket={ticket[:-1]}x": 403,
        f"/talk/{one}/8001?ticket={ticket}&rate=7": 400,
        f"/talk/{one}/8001?ticket={ticket}&ticket={ticket}": 401,
        f"/talk/{one}/-8001?ticket={ticket}": 403,
        "/talk/": 404,
        f"/talk/{one}": 404,
    }
    assert {path: upgrade(here, path) for path in wrong} == wrong
    assert upgrade(here, f"/talk/{one}/8001?ticket={ticket}") == 101
    assert upgrade(here, f"/talk/{one}/8001?ticket={ticket}") == 403


def test_a_ticket_that_was_spent_at_another_worker_is_refused(here, ticket):
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, ticket))
    with here.app._pool.connection(autocommit=True) as connection:
        assert spend_ticket(connection, here.one.domain_uuid, key)
        assert not spend_ticket(connection, here.one.domain_uuid, key)
    before = here.database.execute("select count(*) from v_voice_conversations_realtime")
    path = f"/talk/{here.one.domain_uuid}/8001?ticket={ticket}"
    assert "used before" in heard(here, path)
    assert here.database.execute("select count(*) from v_voice_conversations_realtime") == before
