"""A tenant's MCP server: a real one, the real process that speaks with it, and what goes wrong."""

from __future__ import annotations

import signal
import subprocess
import sys

import gevent
import pytest

from esl_controller.services import mcp
from esl_controller.services.http import ServiceFailed, ServiceHttp
from esl_controller.services.mcp import McpClient
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.tool_schema import catalogue
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.mcp_function import McpFunction
from tests.integration.wire.http_peer import HttpPeer, reply
from tests.unit.tools.own_kit import DOMAIN, MCP_ROW, context, own
from tests.wire.ws.peers import until

WHOLE_S = 20.0
"""Both processes load the SDK first."""


@pytest.fixture(scope="module")
def url():
    program = [sys.executable, "-m", "tests.integration.services.mcp_server"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().split()[0]
        yield f"http://127.0.0.1:{port}/mcp"
        server.kill()


@pytest.fixture(scope="module")
def client():
    http = ServiceHttp(
        lambda _: ["127.0.0.1", "mcp.example", "public.example"],
        ServiceHosts(["*", "127.0.0.1", "mcp.example"]),
        resolve=lambda host, port: ["10.0.0.1" if host == "public.example" else "127.0.0.1"],
    )
    client = McpClient(http)
    yield client
    client.stop()
    http.close()
    assert client._process is None


def call(client, url, tool, arguments, timeout_s=WHOLE_S):
    return client.call(url, {}, tool, arguments, domain_uuid=DOMAIN, timeout_s=timeout_s)


def test_tools_are_listed_and_called(client, url):
    listed = client.tools(url, {"X-Key": "k"}, domain_uuid=DOMAIN, timeout_s=WHOLE_S)
    kept, said = catalogue(listed, ["stock", "sleep"])
    assert said == []
    assert kept[0]["name"] == "stock"
    assert kept[0]["parameters"]["properties"]["shop"]["type"] == "string"
    function = McpFunction(own(MCP_ROW, url=url), kept[0])
    assert function.describe(None).name == "shop_stock"
    assert function.run({"sku": "abc"}, context(mcp=client)) == {"result": {"pieces": 3}}
    with pytest.raises(FunctionFailed, match="refused it: Error executing"):
        function.run({"sku": "none"}, context(mcp=client))
    greeted = McpFunction(own(MCP_ROW, url=url), {"name": "greet"})
    told = greeted.run({"name": "Ana"}, context(mcp=client))
    assert "\x07" not in str(told)
    assert "Hello, Ana!" in str(told)


def test_a_name_is_kept_and_only_the_judged_address_is_connected(client, url):
    port = url.rpartition(":")[2].partition("/")[0]
    told = call(client, f"http://127.0.0.1:{port}/mcp", "greet", {"name": "x"})
    assert "Hello, x!" in told["text"]
    # The name is not known to any resolver but the test's: the process asks none.
    peer = HttpPeer(reply(404, b"no"))
    with pytest.raises(ServiceFailed):
        call(client, f"http://mcp.example:{peer.port}/mcp", "greet", {"name": "x"})
    assert f"\r\nHost: mcp.example:{peer.port}\r\n".encode() in peer.requests[0][0].replace(
        b"host:", b"Host:"
    )
    peer.close()


def test_a_name_that_leads_inside_is_never_told_to_the_process(client):
    with pytest.raises(ServiceFailed) as caught:
        call(client, "https://public.example/mcp", "greet", {})
    assert caught.value.reason == "refused"
    assert caught.value.words.startswith("public.example (10.0.0.1) is not a public address")
    with pytest.raises(ServiceFailed, match="allowed_tool_hosts"):
        call(client, "https://elsewhere.example/mcp", "greet", {})


def test_what_is_slow_huge_or_no_mcp_ends_in_time(client, url):
    peers = [
        HttpPeer(reply(200, b"<html>hello</html>")),
        HttpPeer(reply(307, b"", Location="http://127.0.0.1:1/mcp")),
    ]
    for address, tool, arguments, timeout_s, reason in (
        (url, "sleep", {"seconds": 30}, 0.7, "timeout"),
        (url, "flood", {}, WHOLE_S, "too_large"),
        (f"{peers[0].url}/mcp", "greet", {}, WHOLE_S, "status"),
        (f"{peers[1].url}/mcp", "greet", {}, WHOLE_S, "status"),
        ("http://127.0.0.1:9/mcp", "greet", {}, WHOLE_S, "unreachable"),
    ):
        with pytest.raises(ServiceFailed) as caught:
            call(client, address, tool, arguments, timeout_s)
        assert caught.value.reason == reason, (tool, address, caught.value)
    for peer in peers:
        peer.close()
    assert client.starts == 1


def test_a_process_that_dies_is_started_again(client, url, monkeypatch):
    monkeypatch.setattr(mcp, "REST_S", 0.0)
    call(client, url, "greet", {"name": "x"})
    waiting = gevent.spawn(call, client, url, "sleep", {"seconds": 30})
    until(lambda: client._waiting)
    client._process.send_signal(signal.SIGKILL)
    waiting.join()
    assert waiting.exception.reason == "unreachable"
    assert waiting.exception.may_have_arrived
    assert "Hello" in call(client, url, "greet", {"name": "x"})["text"]
    assert client.starts == 2


def test_a_process_that_hangs_is_killed(client, url, monkeypatch):
    monkeypatch.setattr(mcp, "REST_S", 0.0)
    monkeypatch.setattr(mcp, "LATE_S", 0.1)
    call(client, url, "greet", {"name": "x"})
    client._process.send_signal(signal.SIGSTOP)
    with pytest.raises(ServiceFailed) as caught:
        call(client, url, "greet", {"name": "x"}, 0.2)
    assert caught.value.reason == "timeout"
    assert client._process is None


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(mcp, "is_installed", lambda: False)
    http = ServiceHttp(lambda _: ["127.0.0.1"], ServiceHosts(["127.0.0.1"]))
    with pytest.raises(ServiceFailed, match=r"voice-ai-switch\[mcp\]") as caught:
        call(McpClient(http), "http://127.0.0.1:9/mcp", "greet", {})
    assert caught.value.reason == "refused"
