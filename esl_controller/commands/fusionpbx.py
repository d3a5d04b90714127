"""What FusionPBX's own settings file says: its database, and how FreeSWITCH is reached.

Two forms are read: `config.conf` (FusionPBX 5.0 and later, `key = value`), and the `config.php`
of older ones. Where the file does not name the event socket's password, FreeSWITCH's
`event_socket.conf.xml` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

PLACES = (
    "/etc/fusionpbx/config.conf",
    "/usr/local/etc/fusionpbx/config.conf",
    "/etc/fusionpbx/config.php",
)
MAX_BYTES = 1_000_000
_PHP = re.compile(r"""^\s*\$db_(\w+)\s*=\s*(['"])(.*?)\2\s*;""", re.MULTILINE)


class FusionPbxError(Exception):
    """FusionPBX's settings cannot be read or used; the text says what to do, and no password."""


@dataclass(frozen=True, slots=True)
class FusionPbx:
    """What is needed of them."""

    dsn: str
    switch_host: str = "127.0.0.1"
    switch_port: int = 8021
    switch_password: str = ""
    """Empty when nothing said what it is."""
    switch_conf_dir: str = "/etc/freeswitch"
    document_root: str = "/var/www/fusionpbx"


def find_settings(named: Path | None) -> Path:
    """The file that is named, else the first that is there. Raises FusionPbxError."""
    if named is not None:
        return named
    for place in PLACES:
        if Path(place).exists():
            return Path(place)
    raise FusionPbxError(
        f"no settings of FusionPBX at {', '.join(PLACES)}: name the file with --fusionpbx, or set "
        "VOICE_AI_DATABASE_DSN"
    )


def read_settings(path: Path) -> FusionPbx:
    """Read FusionPBX's file and what it refers to. Raises FusionPbxError."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode()
    except OSError as error:
        raise FusionPbxError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FusionPbxError(f"{path} is no text in UTF-8") from None
    found = parse(text)
    if found.switch_password:
        return found
    return with_event_socket(found, Path(found.switch_conf_dir))


def parse(text: str) -> FusionPbx:
    """What the text of either form says. Raises FusionPbxError."""
    if "<?php" in text or _PHP.search(text):
        return FusionPbx(_dsn({name: value for name, _, value in _PHP.findall(text)}))
    values = _pairs(text)
    database = {
        name.removeprefix("database.0."): value
        for name, value in values.items()
        if name.startswith("database.0.")
    }
    usual = FusionPbx("")
    return FusionPbx(
        dsn=_dsn(database),
        switch_host=_first(values, "switch.event_socket.host", "event_socket.ip_address")
        or usual.switch_host,
        switch_port=_port(_first(values, "switch.event_socket.port", "event_socket.port"))
        or usual.switch_port,
        switch_password=_first(values, "switch.event_socket.password", "event_socket.password"),
        switch_conf_dir=values.get("switch.conf.dir") or usual.switch_conf_dir,
        document_root=values.get("document.root") or usual.document_root,
    )


def with_event_socket(found: FusionPbx, conf_dir: Path) -> FusionPbx:
    """Add what FreeSWITCH's own file says; unchanged where it cannot be read."""
    try:
        root = ElementTree.fromstring(
            (conf_dir / "autoload_configs/event_socket.conf.xml").read_text("utf-8")
        )
    except (OSError, ElementTree.ParseError, UnicodeDecodeError):
        return found
    params = {one.get("name"): one.get("value") or "" for one in root.iter("param")}
    port = _port(params.get("listen-port", ""))
    return replace(
        found,
        switch_password=params.get("password", ""),
        switch_port=port or found.switch_port,
    )


def _pairs(text: str) -> dict[str, str]:
    """`key = value` lines; `#` and `;` begin a comment, quotes around a value are left out."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            values[name.strip()] = value[1:-1] if quoted else value
    return values


def _dsn(database: Mapping[str, str]) -> str:
    kind = database.get("type", "")
    if kind != "pgsql":
        raise FusionPbxError(
            f"FusionPBX's database is {kind or 'not named'}: PostgreSQL (pgsql) is needed"
        )
    user, password = database.get("username", ""), database.get("password", "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    host = database.get("host", "")
    shown = f"[{host}]" if ":" in host else quote(host, safe="")
    port = _port(database.get("port", ""))
    place = f"{login}@{shown}" + (f":{port}" if port and host else "")
    mode = database.get("sslmode", "")
    query = f"?sslmode={quote(mode, safe='')}" if mode else ""
    return f"postgresql://{place}/{quote(database.get('name', 'fusionpbx'), safe='')}{query}"


def _first(values: Mapping[str, str], *names: str) -> str:
    return next((values[name] for name in names if values.get(name)), "")


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) < 65536 else None
