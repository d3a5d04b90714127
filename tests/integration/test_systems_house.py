"""`esl-controller simulate systems`: what it tells of what comes, and how a tenant is set up."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from esl_controller.commands import simulate
from esl_controller.simulator.systems.house import SystemsHouse

ASKED = {"messages": [{"content": "x"}, {"content": '[{"who": "user", "said": "Hello."}]'}]}


def test_everything_that_comes_is_told() -> None:
    told: list[Any] = []
    house = SystemsHouse(told.append, "t", [{"id": 1, "name": "Maria", "phone": "+5511999990000"}])
    found = house.start(mcp=False)
    key = {"Authorization": "Bearer t"}
    customers = requests.get(f"{found['crm_url']}/customers?phone=999990000", headers=key)
    assert customers.json()["customers"][0]["name"] == "Maria"
    assert requests.post(found["ticket_url"], json={"subject": "s"}).status_code == 401
    requests.post(found["webhook_url"], json={"event": "call.ended", "data": {}})
    text = requests.post(f"{found['summary_url']}/chat/completions", json={"model": "m", **ASKED})
    assert "It began with: Hello." in text.text and text.json()["usage"]["prompt_tokens"]
    assert (
        requests.post(f"{found['summary_url']}/chat/completions", data=b"\xff").status_code == 200
    )
    with smtplib.SMTP("127.0.0.1", int(found["mail_port"])) as mail:
        mail.sendmail("a@b.example", ["desk@b.example"], "Subject: Hi\r\n\r\nA call.\r\n")
    house.stop()
    assert [one["system"] for one in told] == ["crm", "tickets", "webhook", "text", "text", "mail"]
    assert told[0]["answered"] == 200 and told[1]["answered"] == 401
    assert told[5]["subject"] == "Hi" and told[5]["to"] == ["desk@b.example"]
    words = simulate.set_up(found, "t")
    assert f"--ticket-url {found['ticket_url']}" in words and "function add" not in words


@pytest.mark.parametrize("text", ["{}", "no JSON", "[1]"])
def test_a_file_that_is_no_list_of_customers_is_named(tmp_path: Any, text: str) -> None:
    file = tmp_path / "customers.json"
    file.write_text(text)
    result = CliRunner().invoke(simulate.command, ["systems", "--customers", str(file)])
    assert result.exit_code == 1 and "has no list of customers" in result.output
