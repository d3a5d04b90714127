"""`calls explain`: one call's story from database, spool and log."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from esl_controller.commands.call_found import chosen_domains, whole
from esl_controller.commands.call_told import call_told
from esl_controller.commands.shared import Shell
from esl_controller.commands.site import chosen_database
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.doctor.causes import Facts, Story, explain
from esl_controller.doctor.evidence import lines_of, log_files, spooled
from esl_controller.settings.table import Settings
from esl_controller.tenants.checks import Words

LOG_HELP = "A log of the workers; - is standard input. May be given again."
_HEADS = {
    "heard": Words("caller heard", "quem ligou ouviu"),
    "todo": Words("do this", "faça isto"),
    "also": Words("besides", "além disso"),
}
_NAMED = ("timestamp", "level", "event", "domain_uuid", "call_uuid")


@dataclass(frozen=True, slots=True)
class Sought:
    """Which call, where, and in what language."""

    name: str
    domain: str | None
    logs: tuple[IO[bytes], ...]
    language: str


def explained(shell: Shell, sought: Sought) -> None:
    """Print the story."""
    settings = shell.settings()
    stored, remark = _stored(shell, settings, sought)
    waiting = spooled(Path(settings.storage.spool_dir), sought.name)
    found = _newer(stored, waiting)
    row = found.get("conversation", {})
    call_uuid = row.get("call_uuid", sought.name)
    lines = lines_of(_log(sought.logs), call_uuid, row.get("started_at"), row.get("ended_at"))
    facts = Facts(
        row,
        found.get("turns", ()),
        found.get("function_calls", ()),
        found.get("transfers", ()),
        lines,
        in_spool=bool(waiting),
    )
    story = explain(facts, sought.language)
    data = {**asdict(story), "remark": remark, "found": found, "log": lines}
    shell.result(data, _told(story, remark, found, lines, sought.language))


def _stored(shell: Shell, settings: Settings, sought: Sought) -> tuple[dict[str, Any], str]:
    """What the database has of it, and a remark where it cannot be asked."""
    try:
        with chosen_database(settings, shell) as dsn, closing(Pool(dsn, size=1)) as pool:
            for row in chosen_domains(pool, sought.domain):
                found = whole(pool, row["domain_uuid"], sought.name)
                if found is not None:
                    return {"domain": row["domain_name"], **found}, ""
    except DatabaseError as error:
        return {}, f"the database was not asked: {error}"
    return {}, ""


def _newer(stored: dict[str, Any], waiting: dict[str, Any]) -> dict[str, Any]:
    """A row whose end is in the spool alone still says that it goes on."""
    if waiting and not stored.get("conversation", {}).get("ended_at"):
        turns = [*stored.get("turns", ()), *waiting["turns"]]
        return {"domain": waiting["conversation"]["domain_uuid"], **stored, **waiting} | {
            "turns": list({turn["turn_uuid"]: turn for turn in turns}.values())
        }
    return stored


def _log(logs: Iterable[IO[bytes]]) -> Iterator[bytes]:
    if logs := tuple(logs):
        yield from itertools.chain.from_iterable(logs)
        return
    for path in log_files():
        with path.open("rb") as lines:
            yield from lines


def _told(
    story: Story,
    remark: str,
    found: Mapping[str, Any],
    lines: Iterable[Mapping[str, Any]],
    language: str,
) -> str:
    heads = {name: getattr(words, language) for name, words in _HEADS.items()}
    width = max(map(len, heads.values()))
    told = [story.cause, ""]
    told += [f"{heads[name]:<{width}}  {getattr(story, name)}" for name in ("heard", "todo")]
    told += [f"{heads['also']:<{width}}  {text}" for text in story.also]
    if remark:
        told.append(f"{'':<{width}}  {remark}")
    if found:
        told += ["", call_told(found)]
    shown = [_line(line) for line in lines]
    return "\n".join([*told, *(["", *shown] if shown else [])])


def _line(line: Mapping[str, Any]) -> str:
    fields = " ".join(f"{key}={value}" for key, value in line.items() if key not in _NAMED)
    return f"{str(line.get('timestamp', ''))[:23]}  {line.get('event')}  {fields}".rstrip()
