"""FusionPBX's settings are read in both of their forms, and nothing of a password is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from esl_controller.commands.fusionpbx import FusionPbx, FusionPbxError, parse, read_settings

CONF = """
#database system settings
database.0.type = pgsql
database.0.host = 10.0.0.5
database.0.port = 5433
database.0.sslmode = prefer
database.0.name = fusionpbx
database.0.username = fusionpbx
database.0.password = p@ss/w=rd #1

#database switch settings
database.1.type = sqlite
database.1.path = /var/lib/freeswitch/db

document.root = /srv/fusionpbx
switch.conf.dir = /opt/freeswitch/conf
switch.event_socket.host = 10.0.0.6
switch.event_socket.port = 8022
switch.event_socket.password = "secret"
"""
PHP = """<?php
//set the database type
\t$db_type = 'pgsql'; //sqlite, mysql, pgsql
\t//$db_name = 'fusionpbx.db';
\t$db_host = 'localhost'; //set the host only if the database is not local
\t$db_port = '5432';
\t$db_name = 'fusionpbx';
\t$db_username = 'fusionpbx';
\t$db_password = "old";
"""


def test_the_present_form() -> None:
    assert parse(CONF) == FusionPbx(
        dsn="postgresql://fusionpbx:p%40ss%2Fw%3Drd%20%231@10.0.0.5:5433/fusionpbx?sslmode=prefer",
        switch_host="10.0.0.6",
        switch_port=8022,
        switch_password="secret",
        switch_conf_dir="/opt/freeswitch/conf",
        document_root="/srv/fusionpbx",
    )


def test_the_form_of_5_0_names_the_event_socket_otherwise() -> None:
    text = CONF.replace("switch.event_socket.host", "event_socket.ip_address")
    text = text.replace("switch.event_socket.", "event_socket.")
    assert parse(text) == parse(CONF)


def test_the_old_form() -> None:
    found = parse(PHP)
    assert found.dsn == "postgresql://fusionpbx:old@localhost:5432/fusionpbx"
    assert (found.switch_host, found.switch_port, found.switch_password) == ("127.0.0.1", 8021, "")


def test_an_ipv6_host_and_a_local_socket() -> None:
    assert "@[::1]:5433/" in parse(CONF.replace("10.0.0.5", "::1")).dsn
    assert "@/fusionpbx" in parse(CONF.replace("10.0.0.5", "")).dsn


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", CONF.replace("= pgsql", "= sqlite"), "<?php $db_type = 'mysql';", "\x00=\n="],
)
def test_what_is_no_postgresql_is_refused(text: str) -> None:
    with pytest.raises(FusionPbxError, match="PostgreSQL"):
        parse(text)


def test_freeswitch_s_own_file_knows_the_password(tmp_path: Path) -> None:
    lines = [line for line in CONF.splitlines() if not line.startswith("switch.event_socket")]
    file = tmp_path / "config.conf"
    file.write_text("\n".join(lines).replace("/opt/freeswitch/conf", str(tmp_path)))
    assert read_settings(file).switch_password == ""
    xml = tmp_path / "autoload_configs/event_socket.conf.xml"
    xml.parent.mkdir()
    for content, password, port in [
        ("<configuration>", "", 8021),
        (
            '<configuration><settings><param name="listen-port" value="8023"/>'
            '<param name="password" value="other"/></settings></configuration>',
            "other",
            8023,
        ),
    ]:
        xml.write_text(content)
        found = read_settings(file)
        assert (found.switch_password, found.switch_port) == (password, port)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FusionPbxError, match=str(path)):
            read_settings(path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(FusionPbxError, match="UTF-8"):
        read_settings(tmp_path / "bytes")
