"""One conversation that uses everything a tenant brings: functions, an MCP server, documents."""

from __future__ import annotations

import subprocess
import sys

import gevent
import msgspec
import pytest

from esl_controller.database.pool import Pool
from esl_controller.knowledge.documents import Document, add
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.tenants.editing import Editor
from esl_controller.tenants.fields import FUNCTION
from tests.integration.service import SPEAK
from tests.integration.wire.http_peer import HttpPeer
from tests.unit.tools.own_kit import HTTP_ROW, MCP_ROW

CALLS = (
    ScriptedCall("order_status", '{"order": "7"}'),
    ScriptedCall("order_status", '{"order": "404"}'),
    ScriptedCall("order_status", '{"order": "../admin"}'),
    ScriptedCall("book", '{"order": "8"}'),
    ScriptedCall("away", '{"order": "9"}'),
    ScriptedCall("shop_stock", '{"sku": "abc"}'),
    ScriptedCall("search_knowledge", '{"question": "trocas"}'),
)


@pytest.fixture
def mcp_url():
    program = [sys.executable, "-m", "tests.integration.services.mcp_server"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().split()[0]}/mcp"
        server.kill()


def shop(sock, head, body):
    """Knows order 7, and takes for ever to book."""
    if b"POST" in head.splitlines()[0]:
        sock.recv(1)  # until nobody waits any more
    known = b"/orders/7 " in head
    answer = b'{"status": "sent\\u0000", "cost": 1}' if known else b'{"error": "no such order"}'
    status = b"200 OK" if known else b"404 Not Found"
    sock.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(answer), answer))


def test_a_caller_is_served_by_the_tenant_s_own_systems(serve, mcp_url):
    peer = HttpPeer(shop)
    script = Script(
        answers=(Answer("Let me look.", calls=CALLS), Answer("Certainly.")),
        after_function=Answer("So."),
    )
    service = serve(
        emulator=EmulatorConfig(script=script, think_s=0.05),
        secretary={"enable_rag": True},
        services={"allowed_hosts": ("127.0.0.1",)},
    )
    domain = service.tenant.domain_uuid
    pool = Pool(service.database.dsn, size=1)
    editor = Editor(pool, domain)
    editor.set_settings({"allowed_tool_hosts": ["127.0.0.1"]})
    order = {name: HTTP_ROW[name] for name in ("description", "parameters")}
    order["url"] = f"{peer.url}/orders/{{order}}"
    server = {name: MCP_ROW[name] for name in ("function_kind", "description", "mcp_tools")}
    editor.add(
        FUNCTION, {**order, "function_name": "order_status", "result_fields": {"is": "/status"}}
    )
    slow = {"function_name": "book", "http_method": "POST", "timeout_seconds": 1}
    editor.add(FUNCTION, {**order, **slow})
    editor.add(
        FUNCTION,
        {**order, "function_name": "away", "url": "http://127.0.0.1:9/{order}"},
    )
    row = editor.add(FUNCTION, {**server, "function_name": "shop", "url": mcp_url})
    service.database.execute(
        "update v_voice_realtime_functions set mcp_catalogue = %s"
        " where voice_realtime_function_uuid = %s",
        msgspec.json.encode(MCP_ROW["mcp_catalogue"]).decode(),
        row["voice_realtime_function_uuid"],
    )
    add(pool, domain, Document("Regras", "text", "pt-BR", b"Trocas em sete dias."))
    pool.close()

    call = service.call([Step(AgentSilent(0.4), SPEAK)])
    until_outputs(call)
    outputs = [output for _, output in call.tenant.record.function_outputs]
    call.caller.hang_up()
    call.wait()
    service.stored()
    told = "\n".join(outputs)
    assert '"result":{"is":"sent"}' in told
    assert "answered 404" in told
    assert "no such order" in told
    assert "order cannot be used" in told
    (unsure,) = [one for one in outputs if "did not answer in time" in one]
    assert "not known whether it was done" in unsure
    assert "The other system cannot be reached." in told
    assert '"pieces":3' in told
    assert "Trocas em sete dias." in told
    assert "Regras" in told
    paths = sorted(head.split(b" ")[1] for head, _ in peer.requests)
    assert paths == [b"/orders/404", b"/orders/7", b"/orders/8"]
    (booked,) = [head for head, _ in peer.requests if head.startswith(b"POST")]
    conversation = call.row()["conversation_uuid"]
    assert f"Idempotency-Key: {conversation}:".encode() in booked
    rows = service.database.execute(
        """select function_name, status from v_voice_function_calls_realtime
           where domain_uuid = %s order by 1, 2""",
        domain,
    )
    assert rows == [
        ("away", "failed"),
        ("book", "failed"),
        ("order_status", "completed"),
        ("order_status", "failed"),
        ("order_status", "failed"),
        ("search_knowledge", "completed"),
        ("shop_stock", "completed"),
    ]
    peer.close()
    service.app._systems.close()  # what it keeps is the worker's, not the call's


def until_outputs(call) -> None:
    """Every function has answered; the process that speaks MCP is started meanwhile."""
    with gevent.Timeout(30, AssertionError("a function has not answered")):
        while not call.tenant.records or len(call.tenant.record.function_outputs) < len(CALLS):
            gevent.sleep(0.01)
