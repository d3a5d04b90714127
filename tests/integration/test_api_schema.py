"""The running interface against its own document: schemathesis tries both.

It runs as a program of its own, as it would against any service, so its threads and its HTTP
client do not share our hub.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gevent import subprocess

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.web.api.table import ROUTES
from tests.integration.api_kit import OPEN, TOKEN, client_of
from tests.integration.api_rows import begin, with_everything
from tests.integration.service import Service, service

PROGRAM = Path(sys.executable).parent / "schemathesis"
EXTENSION = "8123"
"""Not the one of the document's examples, which would have each of them call for real."""
PHASES = {"existing": "examples,coverage,fuzzing", "any": "examples,fuzzing"}
"""Each value that can be wrong in a request is tried once: with names that exist, behind which
most of the program is."""
EXAMPLES = {"existing": 8, "any": 3}
"""For each operation."""
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
    "missing_required_header,unsupported_method,allow_header_conformance,ignored_auth"
)


def parameters(running: Service, database) -> str:
    """Names of rows that exist, so that more than 404 is seen; the call is over, or its events
    would have no end."""
    ((provider,),) = database.execute(
        "select voice_realtime_provider_uuid::text from v_voice_realtime_providers"
    )
    talk = begin(running.app._pool, running.tenant.domain_uuid)
    with_everything(talk)
    talk.end()
    ((secretary,),) = database.execute(
        "select secretary_realtime_uuid::text from v_voice_secretaries_realtime"
    )
    names = {
        "secretary_uuid": secretary,
        "domain_uuid": running.tenant.domain_uuid,
        "conversation_uuid": talk.key,
        "call_uuid": talk.row.call_uuid,
        "provider_uuid": provider,
        "path.extension": EXTENSION,
    }
    return "[parameters]\n" + "".join(f'"{name}" = "{value}"\n' for name, value in names.items())


def tried(running: Service, directory: Path, names: str, config: str) -> str:
    """Run schemathesis; its report. Raises AssertionError with it when anything is wrong."""
    file = directory / "schemathesis.toml"
    file.write_text(config)
    host, port = running.app.media.address
    command = [
        str(PROGRAM),
        f"--config-file={file}",
        "run",
        f"http://{host}:{port}/api/v1/openapi.json",
        f"--header=Authorization: Bearer {TOKEN}",
        f"--checks={CHECKS}",
        "--mode=all",
        "--seed=1",
        "--generation-database=none",
        "--request-timeout=20",
        "--no-color",
        f"--phases={PHASES[names]}",
        f"--max-examples={EXAMPLES[names]}",
    ]
    run = subprocess.run(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.mark.slow
@pytest.mark.timeout(240)  # some thousand requests, one operation after the other
@pytest.mark.parametrize("names", ["existing", "any"])
def test_every_operation_does_what_the_document_says(names, database, tmp_path):
    quick = EmulatorConfig(script=Script(answers=(Answer("Yes."),)), think_s=0.0, pace=100.0)
    tenant = {"extension": EXTENSION}
    with service(database, tmp_path, emulator=quick, secretary=tenant, **OPEN) as running:
        config = parameters(running, database) if names == "existing" else ""
        report = tried(running, tmp_path, names, config)
        assert client_of(running).get("/openapi.json").status == 200
    assert f"Tested: {len(ROUTES)}" in report, report
