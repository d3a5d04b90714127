"""Whether a command of the pages exists as it is written: each judge names what does not."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import click

from esl_controller.cli import cli
from esl_controller.settings.table import every_setting
from esl_controller.web.api.table import ROUTES
from tests.arch.tree import ROOT, setup_cfg
from tests.docs.shell import Command

UUID = "4f2b1c9e-5a0d-4c3b-8e21-9f6d2a7b1c00"
PLACEHOLDER = re.compile(r"(UUID|…|4f2b1c9e-…)")
_FILE = re.compile(r"@?([\w-]+\.(?:pdf|toml|key|json|txt|secret|wav|md))")
VARIABLES = {row.variable for row in every_setting()} | {"VOICE_AI_CONFIG"}
PAGES_OF_A_WORKER = {"/health", "/ready", "/metrics", "/admin/sessions"}
_FS_CLI = re.compile(
    r"status|version|show (channels|calls|modules|codec)|uuid_dump \S+|uuid_kill \S+"
    r"|uuid_audio_stream|module_exists mod_\w+|reloadxml|reload mod_\w+|reloadacl"
    r"|sofia status( profile \w+( reg)?)?|sofia profile \w+ siptrace (on|off)|global_getvar \w+"
    r"|originate \S+ \S+|console loglevel \w+"
)
"""Commands of FreeSWITCH that the pages use; the engine tests run those that matter."""
ORDINARY = frozenset(
    """amtool apt-get cat cd chmod chown createdb df docker git grep haproxy journalctl ln ls mkdir
    nft nginx node npm openssl pg_dump php promtool psql rm
    sed setfacl sysctl tail useradd usermod wc""".split()  # noqa: SIM905
)
"""Programs that are not ours, with nothing of ours in their options."""


def judge(command: Command) -> str | None:
    """What is wrong with a command; None is nothing."""
    wrong = [name for name in command.environment if _unknown_variable(name)]
    if wrong:
        return f"no setting {wrong[0]}"
    if not command.words:
        return None
    if "_ESL_CONTROLLER_COMPLETE" in command.environment:  # the shell's completion: click's own
        return None
    program, *arguments = command.words
    name = program.rpartition("/")[2]
    if program.startswith("deploy/"):
        return deploy_script(program, arguments)
    if name in JUDGES:
        return JUDGES[name](arguments)
    return None if name in ORDINARY else f"no judge knows {name}"


def _unknown_variable(name: str) -> bool:
    return name.startswith("VOICE_AI_") and name not in VARIABLES


def filled(arguments: Sequence[str], place: Path | None = None) -> list[str]:
    """Arguments with something real in place of what stands for it; files are made in `place`."""
    for word in arguments:
        if place and (file := _FILE.fullmatch(word)) and not (place / file[1]).exists():
            (place / file[1]).write_text("{}" if word.endswith(".json") else "0123456789abcdef\n")
    return [PLACEHOLDER.sub(UUID, word) for word in arguments]


def esl_controller(arguments: Sequence[str], *, whole: bool = True) -> str | None:
    """Resolved against the command line's own parser. Not `whole`: arguments may be missing."""
    context = click.Context(cli, info_name="esl-controller", **cli.context_settings)
    command: click.Command = cli
    words = filled(arguments)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        child = command.get_command(context, words.pop(0))
        if child is None:
            return f"no such command: {' '.join(arguments)}"
        command, context = child, click.Context(child, context, child.name)
    if {"-h", "--help"} & {*words} or (isinstance(command, click.Group) and not whole):
        return None
    try:
        command.make_context(command.name, words, parent=context.parent, resilient_parsing=False)
    except click.exceptions.Exit:
        return None
    except click.MissingParameter as error:
        return error.format_message() if whole else None
    except click.ClickException as error:
        return error.format_message()
    return None


@cache
def makefile() -> str:
    return (ROOT / "Makefile").read_text()


def make(arguments: Sequence[str]) -> str | None:
    for word in arguments:
        name, is_variable, _ = word.partition("=")
        known = f"$({name})" if is_variable else f"\n{name}:"
        if known not in makefile() and not re.search(rf"^{name} \?=", makefile(), re.MULTILINE):
            return f"the Makefile has no {name}"
    return None


@cache
def _help_of(script: str) -> str:
    done = subprocess.run([ROOT / script, "--help"], capture_output=True, text=True, timeout=20)
    return done.stdout


def deploy_script(program: str, arguments: Sequence[str]) -> str | None:
    if not (ROOT / program).is_file():
        return f"no {program}"
    unknown = [word for word in arguments if word.startswith("-") and word not in _help_of(program)]
    return f"{program} knows no {unknown[0]}" if unknown else None


def python(arguments: Sequence[str]) -> str | None:
    """A module of ours and its options, or one of Python's own."""
    if arguments[:1] != ["-m"]:
        return None if arguments and (ROOT / arguments[0]).is_file() else "no such program"
    module, rest = arguments[1], arguments[2:]
    if module == "pytest":
        return pytest(rest)
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return f"no module {module}"
    if module.partition(".")[0] not in ("bench", "esl_controller", "tests"):
        return None
    origin = Path(spec.origin)
    whole_package = spec.submodule_search_locations or origin.stem in ("__init__", "__main__")
    files = [*origin.parent.glob("*.py")] if whole_package else [origin]
    files += [*(ROOT / "esl_controller/simulator").rglob("*.py")] if "simulator" in module else []
    files += [ROOT / "bench/options.py"] if (ROOT / "bench/options.py").exists() else []
    code = "".join(file.read_text() for file in files) + '"--help"'
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    unknown = [word for word in options if f'"{word}"' not in code]
    return f"{module} knows no {unknown[0]}" if unknown else None


def pytest(arguments: Sequence[str]) -> str | None:
    paths = [word for word in arguments if word.startswith("tests/")]
    missing = [path for path in paths if not (ROOT / path.partition("::")[0]).exists()]
    return f"no {missing[0]}" if missing else None


def pip(arguments: Sequence[str]) -> str | None:
    """Extras that are named are ours."""
    extras = [word for each in arguments for word in re.findall(r"voice-ai-switch\[(\w+)\]", each)]
    missing = [extra for extra in extras if extra not in setup_cfg()["options.extras_require"]]
    return f"no extra {missing[0]}" if missing else None


def curl(arguments: Sequence[str]) -> str | None:
    """A path of a worker's port, or of the interface's own table."""
    for word in arguments:
        if found := re.match(r"https?://127\.0\.0\.1:80\d\d(/[^?]*)", word):
            path = re.sub(r"/(\$\w+|UUID|8\d\d\d|…)(?=/|$)", "/{}", found[1])
            if path in PAGES_OF_A_WORKER:
                continue
            known = {"/api/v1" + re.sub(r"\{[^}]+\}", "{}", route.path) for route in ROUTES}
            if path not in known | {"/api/v1/openapi.json"}:
                return f"no page {found[1]}"
    return None


def fs_cli(arguments: Sequence[str]) -> str | None:
    if not arguments:
        return None
    if len(arguments) != 2 or arguments[0] != "-x" or not _FS_CLI.fullmatch(arguments[1]):
        return f"unknown to the pages' tests: fs_cli {' '.join(arguments)}"
    return None


_UNITS = {"prometheus", "nginx", "haproxy", "freeswitch", "supervisor", "postgresql"}


def systemctl(arguments: Sequence[str]) -> str | None:
    ours = {path.name.removesuffix(".service") for path in (ROOT / "deploy/systemd").glob("*")}
    for unit in (word for word in arguments[1:] if not word.startswith("-")):
        plain = re.sub(r"@.*", "@", unit)
        if plain not in ours and plain not in _UNITS:
            return f"no unit {unit}"
    return None


def supervisorctl(arguments: Sequence[str]) -> str | None:
    text = (ROOT / "supervisord.conf").read_text()
    for name in arguments[1:]:
        if f":{name.removesuffix(':*')}]" not in text:
            return f"supervisord.conf has no {name}"
    return None


def copy(arguments: Sequence[str]) -> str | None:
    """Files of ours that it is given are there."""
    sources = [word for word in arguments if re.match(r"(deploy|fusionpbx_app|lua|docs)/", word)]
    sources = [word for word in sources if word not in MADE_BY_OPERATORS]
    missing = [source for source in sources if not (ROOT / source).exists()]
    return f"no {missing[0]}" if missing else None


MADE_BY_OPERATORS = {"deploy/.env"}


JUDGES: dict[str, Callable[[Sequence[str]], str | None]] = {
    "esl-controller": esl_controller,
    "make": make,
    "python": python,
    "python3": lambda words: None if words[:2] == ["-m", "venv"] else python(words),
    "pytest": pytest,
    "pip": pip,
    "curl": curl,
    "fs_cli": fs_cli,
    "systemctl": systemctl,
    "supervisorctl": supervisorctl,
    "cp": copy,
    "mv": copy,
    "install": copy,
    "kubectl": copy,
}
