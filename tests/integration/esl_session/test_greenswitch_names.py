"""The names of greenswitch's session do what they did there."""

from __future__ import annotations

import pytest

from esl_controller.esl.errors import CallGone, LocalProtocolError
from tests.integration.esl_peer import UUID, channel_data, event, header, reply, until


def test_greenswitch_names(call):
    session, peer = call
    peer.answers["sendmsg"] = lambda command: (
        reply()
        + event(
            "CHANNEL_EXECUTE_COMPLETE",
            ("Application-UUID", header(command, "Event-UUID")),
            ("variable_digits", "42"),
        )
    )
    session.connect()
    session.myevents()
    session.linger()
    assert session.call_uuid == session.session_data.get("variable_call_uuid")
    assert session.caller_id_number == "5551000"
    assert session.playback("a.wav").name == "CHANNEL_EXECUTE_COMPLETE"
    assert session.playback("a.wav", block=False).wait(1)
    assert session.bridge("user/1", response_timeout=1)
    assert session.say(lang="de", text="5", response_timeout=1)
    assert header(peer.commands[-1], "execute-app-arg") == "en:de NUMBER pronounced FEMININE 5"
    digits = session.play_and_get_digits(1, 2, 3, timeout=4000, terminators="#", variable="digits")
    assert digits == "42"
    assert header(peer.commands[-1], "execute-app-arg") == (
        "1 2 3 4000 # None None digits None None None"
    )
    assert session.play_and_get_digits(variable="digits", block=False) is None
    with pytest.raises(LocalProtocolError):
        session.play_and_get_digits(typo=1)
    with pytest.raises(LocalProtocolError):
        session.call_command("no_such_application")
    session.park()
    session.uuid_break()
    assert peer.commands[-1] == f"api uuid_break {UUID}"
    with session.while_connected():
        pass
    session.stop()
    with pytest.raises(CallGone):
        session.raise_if_disconnected()


def test_greenswitch_handlers(call):
    session, peer = call
    seen = []

    def handler(e):
        seen.append(e.key)

    session.register_handle("DTMF", handler)
    session.register_handle("DTMF", handler)
    peer.send(event("DTMF"))
    until(lambda: seen)
    session.unregister_handle("DTMF", handler)
    with pytest.raises(ValueError, match="DTMF"):
        session.unregister_handle("DTMF", handler)
    peer.send(event("DTMF"), channel_data())
    assert session.gone.wait(5)
    assert seen == ["DTMF"]
