"""Conversations: the list, its filters and spreadsheet, and one that grows while the call runs."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
import wave
from pathlib import Path
from typing import Any

import pytest

LIST = "/app/voice_secretary/conversations_realtime.php"
_ENDED = "update v_voice_conversations_realtime set ended_at = now()"
DETAIL = "/app/voice_secretary/conversation_realtime_detail.php"


def begin(here: Any, tenant: Any, **columns: object) -> str:
    """A stored conversation; ended unless told otherwise."""
    key = str(uuid.uuid4())
    row: dict[str, object] = {
        "conversation_uuid": key,
        "domain_uuid": tenant.domain_uuid,
        "call_uuid": str(uuid.uuid4()),
        "caller_id": "5511999990000",
        "destination": "8001",
        "outcome": "completed",
        "secretary_realtime_uuid": tenant.secretary_realtime_uuid,
    } | columns
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    sql = f"insert into v_voice_conversations_realtime ({names}) values ({values})"
    here.database.execute(sql, *row.values())
    if "ended_at" not in columns:
        here.database.execute(f"{_ENDED} where conversation_uuid = %s", key)
    return key


def say(here: Any, tenant: Any, key: str, number: int, role: str, text: str, **more: int) -> None:
    names = "".join(f", {name}" for name in more)
    sql = f"""insert into v_voice_turns_realtime (turn_uuid, domain_uuid, conversation_uuid,
                turn_number, role, content, started_at{names})
              values (gen_random_uuid(), %s, %s, %s, %s, %s, now(){", %s" * len(more)})"""
    here.database.execute(sql, tenant.domain_uuid, key, number, role, text, *more.values())
    channel = "select pg_notify('voice_ai_conversation', %s)"
    here.database.execute(channel, f"{tenant.domain_uuid} {key}")


@pytest.fixture
def some(here):
    """Three conversations of the first domain, one of the second."""
    here.database.execute("delete from v_voice_conversations_realtime")
    one = begin(here, here.one, caller_id="=cmd|' /C calc'!A0", estimated_cost=0.25)
    say(here, here.one, one, 1, "user", "<script>alert(1)</script> my order")
    say(
        here, here.one, one, 2, "assistant", "Certainly.", total_ms=700, model_ms=600, network_ms=90
    )
    failed = begin(
        here, here.one, outcome="fallback", error_code="REALTIME_001", caller_id="5521888880000"
    )
    begin(here, here.one, started_at="2026-01-01T12:00:00Z", caller_id="5531777770000")
    other = begin(here, here.two, caller_id="5541666660000")
    return {"one": one, "failed": failed, "other": other}


def test_the_list_and_its_filters(here, browser, some):
    browser.log_in(here.one.domain_uuid)
    browser.open(LIST)
    browser.picture("conversations")
    assert len(browser.all("tr.list-row")) == 3
    assert "5541666660000" not in browser.text()
    visitor = here.visitor(here.one)
    for query, count in {
        "outcome=fallback": 1,
        "caller=8888": 1,
        "text=my+order": 1,
        "to=2026-01-31": 1,
        "from=2026-02-01": 2,
        "cost=0.2": 1,
        f"secretary={here.one.secretary_realtime_uuid}": 3,
        "outcome=no&caller[]=1&from=yesterday&cost=a&order_by=evil;--&page=x": 3,
        "caller=%25": 0,
    }.items():
        html = visitor.get(f"{LIST}?{query}")[1]
        assert html.count("class='list-row'") == count, query
    assert browser.complaints() == []


def test_the_spreadsheet_holds_no_formula(here, some):
    status, text, _ = here.visitor(here.one, language="pt-br").get(f"{LIST}?export=csv")
    assert status == 200
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 3
    callers = {row["Quem ligou"] for row in rows}
    assert "'=cmd|' /C calc'!A0" in callers
    assert "5541666660000" not in text


def test_the_spreadsheet_holds_every_conversation_once(here, some):
    """More than one page of them, most of the same moment, and more than 50,000."""
    here.database.execute(
        """insert into v_voice_conversations_realtime
             (conversation_uuid, domain_uuid, call_uuid, caller_id, destination, started_at)
           select gen_random_uuid(), %s, gen_random_uuid(), 'n' || n, '8001',
             timestamptz '2026-01-01' + interval '0.3 ms' * (n / 1500)
           from generate_series(1, 50500) n""",
        here.one.domain_uuid,
    )
    text = here.visitor(here.one, language="pt-br").get(f"{LIST}?export=csv")[1]
    callers = [row["Quem ligou"] for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))]
    numbered = [one for one in callers if re.fullmatch(r"n\d+", one)]
    assert (len(numbered), len(set(numbered)), len(callers)) == (50500, 50500, 50503)


def test_one_conversation(here, browser, some):
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{DETAIL}?id={some['one']}")
    browser.picture("conversation")
    turns = browser.text("#turns")
    assert "<script>alert(1)</script> my order" in turns, "shown, not run"
    assert browser.all("#latency .vs_model"), "the waterfall"
    assert "700 ms" in browser.text("#latency")
    browser.open(f"{DETAIL}?id={some['failed']}")
    assert "The provider could not be had" in browser.text()
    assert "Test it on the page of providers" in browser.text()
    assert browser.complaints() == []


def spend(
    here: Any, purpose: str, cost_usd: float, key: str | None = None, account: str | None = None
) -> None:
    here.database.execute(
        """insert into v_voice_usage_realtime (usage_uuid, domain_uuid, conversation_uuid, provider,
             model, purpose, cost_usd, voice_realtime_provider_uuid, input_text_tokens, occurred_at)
           values (gen_random_uuid(), %s, %s, 'openai', 'm', %s, %s, %s, 7, now())""",
        *(here.one.domain_uuid, key, purpose, cost_usd, account),
    )


def test_what_money_was_spent_on_is_told_apart(here, some):
    """A summary is none of the talk, and what belongs to no call is found on the overview."""
    here.database.execute("delete from v_voice_usage_realtime")
    spend(here, "conversation", 0.2, some["one"])
    spend(here, "summary", 0.05, some["one"])
    spend(here, "embedding", 0.001)
    detail = here.visitor(here.one).get(f"{DETAIL}?id={some['one']}")[1]
    rows = re.findall(r"<td>([^<]*)</td><td>openai</td>.*?(\$[0-9.]+)</td></tr>", detail)
    assert rows == [("conversation", "$0.2000"), ("summary", "$0.0500")]
    page = "/app/voice_secretary/overview_realtime.php"
    overview = here.visitor(here.one, language="pt-br").get(page)[1]
    said = re.search(r"<small id='spent_on'>(.*?)</small>", overview)
    assert said is not None
    assert said[1] == "conversa US$ 0,20 · resumo US$ 0,05 · busca pelo sentido US$ 0,0010"
    here.database.execute("delete from v_voice_usage_realtime")


def test_each_account_s_part_of_a_call_is_told_apart(here, some):
    here.database.execute("delete from v_voice_usage_realtime")
    spend(here, "conversation", 0.2, some["one"])
    for cost_usd in (0.25, 0.5):
        spend(here, "conversation", cost_usd, some["one"], here.one.voice_realtime_provider_uuid)
    detail = here.visitor(here.one).get(f"{DETAIL}?id={some['one']}")[1]
    rows = re.findall(r"<td>conversation</td><td>([^<]*)</td>.*?(\$[0-9.]+)</td></tr>", detail)
    assert rows == [("demo (openai)", "$0.7500"), ("openai", "$0.2000")]
    here.database.execute("delete from v_voice_usage_realtime")


def test_a_transcript_grows_while_the_call_runs(here, browser, some):
    key = begin(here, here.one, ended_at=None, outcome=None)
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{DETAIL}?id={key}")
    say(here, here.one, key, 1, "user", "Is anybody there?")
    browser.wait(lambda: "Is anybody there?" in browser.text("#turns"))
    assert "every two seconds" not in browser.text("#live"), "by events, through nginx's location"
    say(here, here.one, key, 2, "assistant", "Yes, of course.")
    browser.wait(lambda: "Yes, of course." in browser.text("#turns"))
    sql = """update v_voice_conversations_realtime set ended_at = now(), outcome = 'completed'
             where conversation_uuid = %s"""
    here.database.execute(sql, key)
    say(here, here.one, key, 3, "assistant", "Good-bye.")
    browser.wait(lambda: not browser.all("#live"), "the page shows the call's end")
    assert "completed" in browser.text("#fact_outcome")


def test_a_call_is_acted_on_by_keyboard_alone(here, browser):
    here.database.execute(
        "insert into v_extensions values (%s, '1009', 'Ana', '', true)", here.one.domain_uuid
    )
    key = begin(here, here.one, ended_at=None, outcome=None)
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{DETAIL}?id={key}")
    browser.driver.execute_script(
        "window.asked = []; const was = window.fetch;"
        "window.fetch = (url, more) => { asked.push(more.body.get('ask')); return was(url, more); }"
    )

    def press(name: str) -> None:
        browser.tab_to(name)
        browser.press("ENTER")
        if name in ("btn_hang_up", "btn_takeover"):
            browser.driver.switch_to.alert.accept()
        wanted = name.removeprefix("btn_")
        browser.wait(lambda: wanted in browser.driver.execute_script("return asked"), wanted)

    press("btn_hang_up")
    browser.tab_to("whisper")
    browser.press("Offer a call back.")
    browser.tab_to("respond")
    press("btn_tell")
    browser.tab_to("my_extension")
    press("btn_listen")
    press("btn_takeover")
    browser.complaints()
    here.database.execute("delete from v_extensions where extension = '1009'")
    here.database.execute(
        "delete from v_voice_conversations_realtime where conversation_uuid = %s", key
    )


def test_without_nginx_the_page_asks_and_says_so(here, browser, some):
    key = begin(here, here.one, ended_at=None, outcome=None)
    behind, browser.url = browser.url, here.url
    try:
        browser.log_in(here.one.domain_uuid)
        browser.open(f"{DETAIL}?id={key}")
        browser.wait(lambda: "every two seconds" in browser.text("#live"))
        say(here, here.one, key, 1, "user", "Without nginx.")
        browser.wait(lambda: "Without nginx." in browser.text("#turns"))
    finally:
        browser.url = behind
        browser.complaints()


def three_seconds(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000 * 2 * 3))
    return path


def test_a_recording_of_fusionpbx_is_played_and_sought(here, browser, some, tmp_path: Path):
    file = three_seconds(tmp_path / "call.wav")
    call = here.row(
        "select call_uuid from v_voice_conversations_realtime where conversation_uuid = %s",
        some["one"],
    )[0]
    sql = "insert into v_xml_cdr values (%s, %s, %s, 'call.wav')"
    here.database.execute(sql, call, here.one.domain_uuid, str(file.parent))
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{DETAIL}?id={some['one']}")
    browser.wait(lambda: browser.driver.execute_script("return player.duration") == 3)
    assert browser.all(".vs_seek")
    visitor = here.visitor(here.two)
    assert visitor.get(f"{DETAIL}?id={some['one']}&audio=true")[0] == 302
    assert here.visitor(here.one).get(f"{DETAIL}?id={some['failed']}&audio=true")[0] == 404


def test_a_recording_of_ours_is_played_by_the_controller(here, browser) -> None:
    folder = Path(here.app.settings.freeswitch.recordings_dir)
    file = three_seconds(folder / "one.example" / "archive" / "own.wav")
    theirs = three_seconds(folder / "two.example" / "archive" / "own.wav")
    kept = {"record_name": "own.wav", "recording_consent": "announced"}
    one = begin(here, here.one, record_path=str(file.parent), **kept)
    say(here, here.one, one, 1, "user", "Recorded.")
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{DETAIL}?id={one}")
    browser.wait(lambda: browser.driver.execute_script("return player.duration") == 3)
    assert browser.all(".vs_seek")
    assert browser.complaints() == []
    # A path that leads into another domain's folder is not believed.
    forged = begin(here, here.one, record_path=str(theirs.parent), **kept)
    assert here.visitor(here.one).get(f"{DETAIL}?id={forged}&audio=true")[0] == 404


def test_a_caller_is_erased_by_the_page(here, browser) -> None:
    ours = [begin(here, here.one, caller_id="+55 11 4444-0000") for _ in range(2)]
    running = begin(here, here.one, caller_id="551144440000", ended_at=None, outcome=None)
    theirs = begin(here, here.two, caller_id="551144440000")
    say(here, here.one, ours[0], 1, "user", "Forget me.")
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{DETAIL}?id={ours[0]}")
    browser.click("#btn_erase_caller")
    browser.wait(lambda: browser.all("#caller"))
    assert browser.find("#caller").get_attribute("value") == "+55 11 4444-0000"
    browser.click("#btn_erase")
    browser.wait(lambda: "tick the box" in browser.text("#error_caller"))
    browser.click("#sure")
    browser.click("#btn_erase")
    browser.wait(lambda: browser.all("#erased"))
    assert "2 conversations" in browser.text("#erased")
    assert "still going on: 1" in browser.text("#erased")
    sql = """select count(*) from v_voice_conversations_realtime
             where conversation_uuid = any(%s::uuid[])"""
    assert here.row(sql, [*ours, running, theirs]) == (2,)
    browser.fill("caller", "Ana")
    browser.click("#sure")
    browser.click("#btn_erase")
    browser.wait(lambda: "telephone number" in browser.text("#error_caller"))
    assert browser.complaints() == []


def test_the_overview(here, browser, some):
    browser.log_in(here.one.domain_uuid)
    browser.open("/app/voice_secretary/overview_realtime.php")
    browser.picture("overview")
    assert browser.text("#calls_now") == "0"
    assert browser.text("#calls_today") == "2"
    assert browser.text("#controller") in ("works", "works, with trouble")
    assert "The provider could not be had" in browser.text()
    drawn = json.loads(browser.find("#chart_days").get_attribute("data-drawn"))
    assert len(drawn["labels"]) == 14
    assert [rows["data"][-1] for rows in drawn["datasets"]] == [1, 1, 0.25]
    assert browser.complaints() == []
