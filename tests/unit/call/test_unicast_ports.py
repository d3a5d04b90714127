"""One port a call, and none that somebody else has."""

import socket

import pytest

from esl_controller.calls.unicast_ports import PortRange, PortsExhausted

HOST = "127.0.0.1"
ELSEWHERE = "192.0.2.7"
"""An address of documentation: no host of ours has it."""


def test_every_port_is_given_once_and_comes_back_last() -> None:
    ports = PortRange(61500, 61509)
    taken = [ports.take(ELSEWHERE) for _ in range(10)]
    assert sorted(taken) == list(range(61500, 61510))
    with pytest.raises(PortsExhausted):
        ports.take(ELSEWHERE)
    ports.give_back(taken[3])
    ports.give_back(taken[1])
    assert [ports.take(ELSEWHERE), ports.take(ELSEWHERE)] == [taken[3], taken[1]]


def test_workers_share_the_range_out() -> None:
    shares = [PortRange(61500, 61509, worker=n, workers=3) for n in range(3)]
    taken = [share.take(ELSEWHERE) for share in shares for _ in range(len(share))]
    assert sorted(taken) == list(range(61500, 61510))


def test_a_port_of_somebody_elses_is_passed_over_and_not_lost() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        ports = PortRange(port, port)
        with pytest.raises(PortsExhausted):
            ports.take(HOST)
        assert len(ports) == 1
    assert ports.take(HOST) == port
