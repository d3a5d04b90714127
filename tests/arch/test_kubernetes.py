"""The files of deploy/kubernetes are what Kubernetes takes, and fit the program they start.

Checked against Kubernetes' own schemas, unknown fields refused.
"""

from __future__ import annotations

import copy
import re
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from esl_controller.settings.loader import load_settings
from esl_controller.settings.table import Settings
from esl_controller.telemetry import catalogue
from tests.arch.tree import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.31", kubernetes_validate.latest_version())
"""`endPort` and preStop's delays are older; what is newest says what was taken away."""


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


RESOURCES = read("kustomization.yaml")["resources"]
WORKERS = read("workers.yaml")
POD = WORKERS["spec"]["template"]["spec"]
(WORKER,) = POD["containers"]
FILE = read("settings.yaml")["data"]["voice-ai.toml"]


@pytest.fixture(name="settings", scope="module")
def settings_of_a_pod(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What a worker makes of the ConfigMap, with every secret a file that is there."""
    directory = tmp_path_factory.mktemp("pod")
    for name in secrets():
        (directory / name).write_text("x" * 32)
    path = directory / "voice-ai.toml"
    path.write_text(FILE.replace("/etc/voice-ai/secrets/", f"{directory}/"))
    return load_settings({"VOICE_AI_CONFIG": str(path), "VOICE_AI_MEDIA_PUBLIC_HOST": "10.1.2.3"})


def secrets() -> list[str]:
    """Files the settings ask for."""
    return re.findall(r"/etc/voice-ai/secrets/([\w.]+)", FILE)


def with_host_network() -> dict[str, Any]:
    """The workers as the patch leaves them."""

    def merged(base: Any, patch: Any) -> Any:
        if not isinstance(base, dict) or not isinstance(patch, dict):
            return patch
        return base | {name: merged(base.get(name), value) for name, value in patch.items()}

    whole: dict[str, Any] = merged(copy.deepcopy(WORKERS), read("host-network.yaml"))
    return whole


def test_every_file_is_named() -> None:
    there = {path.name for path in FOLDER.iterdir()}
    assert there == {*RESOURCES, "kustomization.yaml", "host-network.yaml"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", RESOURCES)
def test_kubernetes_takes_it(name: str, version: str) -> None:
    kubernetes_validate.validate(read(name), version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_the_workers_with_the_hosts_network(version: str) -> None:
    kubernetes_validate.validate(with_host_network(), version, strict=True)


def test_what_kubernetes_refuses_is_refused_here() -> None:
    wrong = copy.deepcopy(WORKERS)
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_settings_are_settings(settings: Settings) -> None:
    assert settings.storage.secret_key_file.endswith("secret.key")
    ports = {port["name"]: port["containerPort"] for port in WORKER["ports"]}
    expected = (settings.esl.port, settings.media.port, settings.esl.door_port)
    assert (ports["esl"], ports["media"], ports["door"]) == expected


def test_a_worker_has_the_time_it_takes_to_drain(settings: Settings) -> None:
    (_, seconds) = WORKER["lifecycle"]["preStop"]["exec"]["command"]
    goodbyes_s = 60
    needed_s = settings.worker.drain_deadline_s + int(seconds) + goodbyes_s
    assert POD["terminationGracePeriodSeconds"] >= needed_s


def test_no_variable_of_a_service_is_taken_for_a_setting() -> None:
    assert POD["enableServiceLinks"] is False


@pytest.mark.parametrize("pod", [0, read("autoscaling.yaml")["spec"]["maxReplicas"] - 1])
def test_every_pod_has_ports_of_its_own_for_its_calls(settings: Settings, pod: int) -> None:
    """The script of the container, run with a program that only says what it was given."""
    (script,) = WORKER["args"]
    said = "echo $VOICE_AI_MEDIA_UNICAST_PORT_FIRST $VOICE_AI_MEDIA_UNICAST_PORT_LAST"
    script = script.replace("exec esl-controller serve", said)
    environ = {"POD": str(pod), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*WORKER["command"], script], env=environ, capture_output=True, check=True
    )
    first, last = map(int, done.stdout.split())
    media = settings.media
    assert media.unicast_port_first <= first < last <= media.unicast_port_last
    assert last - first + 1 == 200 > settings.esl.capacity
    assert (first - media.unicast_port_first) % 200 == 0


def test_the_policy_lets_through_what_is_used_and_nothing_else(settings: Settings) -> None:
    policy = read("network-policy.yaml")["spec"]
    taken = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    ephemeral = 1024  # the worker's end of `unicast` may be any port
    media, esl = settings.media, settings.esl
    assert taken == {esl.port, media.port, esl.door_port, ephemeral}
    out = [port for rule in policy["egress"] for port in rule["ports"]]
    unicast = {"protocol": "UDP", "port": media.unicast_port_first}
    assert unicast | {"endPort": media.unicast_port_last} in out
    names, postgresql, https = 53, 5432, 443
    ours = {settings.freeswitch.port, media.unicast_port_first, media.port}
    assert {port["port"] for port in out} == ours | {names, postgresql, https}


def test_it_is_scaled_by_a_metric_that_exists(settings: Settings) -> None:
    scaling = read("autoscaling.yaml")["spec"]
    (metric,) = scaling["metrics"]
    metrics = [one for one in vars(catalogue).values() if isinstance(one, catalogue.Metric)]
    known = {one.name for one in metrics}
    assert metric["pods"]["metric"]["name"] in known
    assert float(metric["pods"]["target"]["averageValue"]) < settings.esl.capacity
    assert scaling["scaleTargetRef"]["name"] == WORKERS["metadata"]["name"]
