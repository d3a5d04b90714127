"""Handlers: calls to try a secretary out, by a caller in software or by a telephone."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus

import msgspec
from gevent import subprocess

from esl_controller.esl import dialstring
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.esl.errors import CommandFailed, CommandTimeout, EslError, LocalProtocolError
from esl_controller.esl.inbound import InboundClient
from esl_controller.routes.routing import Outcome
from esl_controller.web.api.checks import judge
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.jobs import Job
from esl_controller.web.api.problems import Problem, invalid, not_found, unavailable
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import (
    SimulatedCall,
    SimulatedCallRequest,
    TelephoneCall,
    TelephoneCallRequest,
    TestCall,
)

TestResult = SimulatedCall | TelephoneCall
START_AND_END_S = 40.0
"""What a simulated call takes besides talking: start of Python, ringing, hanging up."""
_ENVIRONMENT = ("PATH", "LANG", "HOME", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR")
"""All the caller's process gets to see of ours: no setting, no key."""


def simulate_call(resources: Resources, request: Request) -> TestCall:
    """Run the simulator's caller in a process of its own: the hub has no time for it."""
    wanted: SimulatedCallRequest = request.body
    command = _command(resources, request.domain_uuid, wanted)
    return _begin(resources, request, wanted.extension, lambda: _run(command, wanted.seconds))


def call_telephone(resources: Resources, request: Request) -> TestCall:
    """Have FreeSWITCH ring a user of the domain, then send the call to the secretary."""
    wanted: TelephoneCallRequest = request.body
    dial, target = _dial(request, wanted)
    return _begin(
        resources,
        request,
        wanted.extension,
        lambda: _originate(resources, dial, target, wanted.ring_s),
    )


def show_test_call(resources: Resources, request: Request) -> TestCall:
    """What is known of it by now; only the worker it was begun on knows."""
    job = resources.jobs.find(request.domain_uuid, request.path["test_call_uuid"])
    if job is None:
        raise not_found("test call")
    return _shown(job)


def _begin(
    resources: Resources, request: Request, extension: str, work: Callable[[], TestResult]
) -> TestCall:
    """One at a time; what is refused at once is no job."""
    with ExitStack() as stack:
        stack.enter_context(resources.gates.through(Gate.TEST_CALL))
        _require_answered(resources, request.domain_uuid, extension)
        held = stack.pop_all()

    def run() -> TestResult:
        with held:
            return work()

    return _shown(resources.jobs.begin(request.domain_uuid, run))


def _shown(job: Job[TestResult]) -> TestCall:
    result = job.result
    return TestCall(
        test_call_uuid=job.key,
        state="running" if not job.over else "done" if result is not None else "failed",
        simulated=result if isinstance(result, SimulatedCall) else None,
        telephone=result if isinstance(result, TelephoneCall) else None,
        problem=job.problem,
    )


def _command(resources: Resources, domain_uuid: str, wanted: SimulatedCallRequest) -> list[str]:
    host, port = resources.event_socket()
    options = {
        "--domain": domain_uuid,
        "--extension": wanted.extension,
        "--seconds": str(wanted.seconds),
        "--host": "127.0.0.1" if host == "0.0.0.0" else host,
        "--port": str(port),
    }
    pairs = [f"{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "esl_controller", "test-call", "--json", *pairs]


def _run(command: list[str], seconds: float) -> SimulatedCall:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds + START_AND_END_S)
        return msgspec.json.decode(output, type=SimulatedCall)
    except (subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise unavailable("simulator", "the simulated caller gave no report") from error
    finally:
        if process.poll() is None:  # timed out, or the request was ended
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _dial(request: Request, wanted: TelephoneCallRequest) -> tuple[DialString, str]:
    """Both ends are of the domain in the path: nobody is called at its cost."""
    variables = {
        "origination_uuid": str(uuid.uuid4()),
        "originate_timeout": str(wanted.ring_s),
        "origination_caller_id_number": wanted.extension,
        "domain_uuid": request.domain_uuid,
        "domain_name": request.domain_name,
    }
    try:
        endpoint = dialstring.user(wanted.ring, request.domain_name)
        dial = DialString([Leg(endpoint)], variables)
        return dial, dialstring.extension(wanted.extension, request.domain_name)
    except LocalProtocolError as error:
        raise invalid(str(error)) from error


def _originate(resources: Resources, dial: DialString, target: str, ring_s: float) -> TelephoneCall:
    at = resources.settings.freeswitch
    client = InboundClient((at.host, at.port), at.password.reveal(), timeout_s=at.timeout_s)
    try:
        _log_in(client, at.timeout_s)
        call_uuid = client.originate(dial, target, ring_s + at.timeout_s)
    except CommandFailed as error:
        return TelephoneCall(answered=False, call_uuid=None, cause=error.text[:200])
    except CommandTimeout:
        return TelephoneCall(answered=False, call_uuid=None, cause="no answer in time")
    except EslError as error:
        raise unavailable("freeswitch", "FreeSWITCH's event socket does not answer") from error
    finally:
        client.close()
    return TelephoneCall(answered=True, call_uuid=call_uuid, cause=None)


def _log_in(client: InboundClient, timeout_s: float) -> None:
    try:
        client.connect(timeout_s)
    except EslError as error:
        raise unavailable("freeswitch", "FreeSWITCH lets nobody in on its event socket") from error


def _require_answered(resources: Resources, domain_uuid: str, extension: str) -> None:
    """Only numbers a secretary of the domain answers now: anything else may cost money."""
    verdict = judge(resources, domain_uuid, extension)
    if verdict.outcome is not Outcome.REALTIME:
        raise Problem(
            HTTPStatus.CONFLICT,
            "not-answered",
            f"{verdict.outcome.value}: {verdict.why}",
            problems=verdict.problems,
        )
