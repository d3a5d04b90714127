"""Functions and documents, from the command line and over the interface: keys never come out."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import pytest

from esl_controller.database.repository.demo import DemoProvider
from esl_controller.services import mcp
from tests.integration.api_kit import OPEN, client_of
from tests.integration.cli_kit import run
from tests.integration.service import service
from tests.integration.wire.http_peer import HttpPeer, reply
from tests.unit.tools.own_kit import ORDER

KEY = "sk-of-the-shop"
ORDERS = {
    "function_name": "order_status",
    "description": "What became of an order.",
    "parameters": ORDER,
    "headers": {"Authorization": "Bearer {key}"},
}


@pytest.fixture
def peer():
    peer = HttpPeer(reply(200, b'{"status":"sent"}'))
    yield peer
    peer.close()


@pytest.fixture
def mcp_url():
    program = [sys.executable, "-m", "tests.integration.services.mcp_server"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().split()[0]}/mcp"
        server.kill()


@pytest.fixture
def do(database, tmp_path):
    database.seed(provider=DemoProvider(credential="env:OPENAI_API_KEY"))
    environ = {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "OPENAI_API_KEY": "sk-x",
        "VOICE_AI_SERVICES_ALLOWED_HOSTS": "127.0.0.1",
    }
    return lambda *arguments, **more: run(*arguments, **(environ | more))


def test_a_function_is_added_tried_changed_and_removed(do, peer, database):
    url, order = f"{peer.url}/orders/{{order}}", json.dumps(ORDER)
    words = ("--description", "What became of an order.", "--parameters", order)
    headers = json.dumps(ORDERS["headers"])
    wrong = do("function", "add", "Order", "--url", "ftp://x", "--parameters", "{}", "x=y")
    assert wrong.exit_code == 2
    assert all(name in wrong.stderr for name in ("function_name", "url", "description", "x is no"))
    added = do("function", "add", "order_status", "--url", url, *words, "--headers", headers,
               "--key-stdin", stdin=f"{KEY}\n")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "is not among the tenant's allowed_tool_hosts" in added.stdout
    assert do("tenant", "set", "--allowed-tool-hosts", '["127.0.0.1"]').exit_code == 0
    tried = do("function", "try", "order_status", '{"order": "7"}')
    assert (tried.exit_code, json.loads(tried.stdout)) == (0, {"result": {"status": "sent"}})
    assert f"Authorization: Bearer {KEY}".encode() in peer.requests[0][0]
    refused = do("function", "try", "order_status", '{"order": "../x"}')
    assert (refused.exit_code, len(peer.requests)) == (1, 1)
    changed = do("function", "set", "order_status", "--result-fields", '{"is": "/status"}')
    assert changed.exit_code == 0, changed.output
    shown = do("function", "show", "order_status", "--json")
    assert json.loads(shown.stdout)["key"] == "sealed"
    for answer in (added, tried, shown, do("function", "list"), changed):
        assert KEY not in answer.output
    assert KEY not in str(database.execute("select * from v_voice_realtime_functions"))
    again = do("function", "add", "order_status", "--url", url.replace("http", "https"), *words)
    assert "is the name of another function" in again.stderr
    assert do("keys", "rotate").exit_code == 0
    assert json.loads(do("function", "try", "order_status", '{"order": "7"}').stdout) == {
        "result": {"is": "sent"}
    }
    assert do("function", "remove", "order_status", "--yes").exit_code == 0
    assert do("function", "show", "order_status").exit_code != 0


def test_a_server_s_tools_are_offered_once_it_was_asked(do, mcp_url, database, monkeypatch):
    do("tenant", "set", "--allowed-tool-hosts", '["127.0.0.1"]')
    added = do("function", "add", "shop", "--kind", "mcp", "--url", mcp_url, "--description", "x",
               "--mcp-tools", '["stock"]')  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "until `function refresh`" in added.stdout
    asked = do("function", "refresh", "shop")
    assert asked.exit_code == 0, asked.output
    assert "offered   stock" in asked.stdout
    assert "left out  flood" in asked.stdout
    tried = do("function", "try", "shop", '{"sku": "abcd"}', "--tool", "shop_stock")
    assert json.loads(tried.stdout) == {"result": {"pieces": 4}}
    assert "MCP servers" not in do("config", "check", "--domain", domain(database)).stdout
    monkeypatch.setattr(mcp, "is_installed", lambda: False)
    monkeypatch.setattr("esl_controller.doctor.outside.is_installed", lambda: False)
    told = do("config", "check", "--domain", domain(database))
    assert "need the extra" in told.stdout
    assert "voice-ai-switch[mcp]" in do("doctor").stdout


def domain(database) -> str:
    return database.execute("select domain_uuid::text from v_domains")[0][0]


def test_documents_from_the_command_line(do, tmp_path):
    page = tmp_path / "rules.md"
    page.write_text("# Trocas\nEm até sete dias.\n")
    added = do("knowledge", "add", str(page), "--title", "Regras", "--language", "pt-BR")
    assert (added.exit_code, added.stdout) == (0, "Regras is stored: 1 passages.\n")
    found = do("knowledge", "search", "troca").stdout
    assert found.startswith("By words:\n\nRegras:\nTrocas\nEm até sete")
    assert "Regras" in do("knowledge", "list").stdout
    assert "sete dias" in do("knowledge", "show", "regras").stdout
    bad = tmp_path / "x.pdf"
    bad.write_bytes(b"no")
    assert "is no PDF" in do("knowledge", "add", str(bad)).stderr
    assert do("knowledge", "add", str(page), "--language", "português!").exit_code == 2
    assert do("knowledge", "remove", "Regras", "--yes").exit_code == 0
    assert do("knowledge", "search", "troca").stdout == "Nothing fits.\n"


def test_the_interface_does_the_same_and_keeps_tenants_apart(database, tmp_path, peer, mcp_url):
    hosts = {"services": {"allowed_hosts": ("127.0.0.1",)}}
    with service(database, tmp_path, **OPEN, **hosts) as running:
        client, mine = client_of(running), f"/domains/{running.tenant.domain_uuid}"
        theirs = f"/domains/{running.add_tenant().domain_uuid}"
        client.ask("PATCH", f"{mine}/settings", {"allowed_tool_hosts": ["127.0.0.1"]})
        row = {**ORDERS, "url": f"{peer.url}/orders/{{order}}", "credential": KEY}
        wrong = {**row, "url": "ftp://x", "parameters": {"type": "list"}}
        told = client.post(f"{mine}/functions/validate", wrong).json
        assert {one["field"] for one in told["problems"]} == {"url", "parameters"}
        assert client.post(f"{mine}/functions/validate", row).json["ok"]
        env = client.post(f"{mine}/functions", {**row, "credential": "env:OPENAI_API_KEY"})
        assert env.status == 422
        added = client.post(f"{mine}/functions", row)
        assert added.status == 201, added.body
        assert added.json["key"] == "sealed"
        path = f"functions/{added.json['voice_realtime_function_uuid']}"
        tried = client.post(f"{mine}/{path}/try", {"arguments": {"order": "7"}})
        assert tried.json["told"] == {"result": {"status": "sent"}}
        assert f"Bearer {KEY}".encode() in peer.requests[-1][0]
        changed = client.ask("PATCH", f"{mine}/{path}", {"url": "http://127.0.0.1:9/{order}"})
        assert changed.status == 200, changed.body
        away = client.post(f"{mine}/{path}/try", {"arguments": {"order": "7"}}).json
        assert (away["ok"], away["why"]) == (
            False,
            "unreachable: 127.0.0.1: no connection",
        )
        assert client.get(f"{theirs}/{path}").status == 404
        assert client.post(f"{theirs}/{path}/try", {"arguments": {}}).status == 404
        server = {"function_name": "shop", "function_kind": "mcp", "description": "x",
                  "url": mcp_url, "mcp_tools": ["stock", "gone"]}  # fmt: skip
        shop = client.post(f"{mine}/functions", server).json["voice_realtime_function_uuid"]
        asked = client.post(f"{mine}/functions/{shop}/refresh").json
        assert [one["name"] for one in asked["tools"] if one["kept"]] == ["stock"]
        assert asked["remarks"] == ["the server has no tool 'gone'"]
        assert client.get(f"{theirs}/functions").json == {"functions": []}
        assert KEY.encode() not in client.get(f"{mine}/functions").body
        assert client.ask("DELETE", f"{mine}/{path}").status == 200

        text = base64.b64encode(b"Trocas em sete dias.").decode()
        page = {"title": "Regras", "source_format": "text", "language": "pt-BR", "content": text}
        stored = client.post(f"{mine}/documents", page)
        assert stored.status == 201, stored.body
        one = f"documents/{stored.json['document_uuid']}"
        found = client.get(f"{mine}/documents/search?question=troca").json["passages"]
        assert found == [{"source": "Regras", "text": "Trocas em sete dias."}]
        assert client.get(f"{theirs}/documents/search?question=troca").json["passages"] == []
        assert client.get(f"{mine}/{one}").json["texts"] == ["Trocas em sete dias."]
        assert client.get(f"{theirs}/{one}").status == 404
        assert client.ask("DELETE", f"{theirs}/{one}").status == 404
        assert client.post(f"{mine}/documents", {**page, "content": "?"}).status == 422
        assert client.post(f"{mine}/documents", {**page, "source_format": "pdf"}).status == 422
        assert client.ask("DELETE", f"{mine}/{one}").status == 200
        running.app._systems.close()
