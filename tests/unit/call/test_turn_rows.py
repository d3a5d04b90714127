"""What a secretary's row says of turns, in each provider's terms and in the session's."""

from __future__ import annotations

from esl_controller.tenants.providers import brief_of, provider_protocol, turn_taking
from tests.unit.call.test_provider_rows import access, asked, gemini_setup, secretary

TURNS = {
    "resume_after_noise": True,
    "ignore_back_channels": False,
    "greeting_barge_in": True,
    "legal_notice": None,
    "comfort_sound": True,
    "first_message": "Good morning.",
    "system_prompt": None,
    "language": "pt-BR",
}


def test_a_service_that_is_to_go_on_after_a_noise_does_not_stop_by_itself() -> None:
    """But for Gemini, which takes no word of ours to stop."""
    wishes = secretary(resume_after_noise=True)
    _, session = asked(provider_protocol(access(), wishes, own=True))
    assert session["audio"]["input"]["turn_detection"]["interrupt_response"] is False
    setup = gemini_setup(provider_protocol(access(kind="gemini"), wishes, own=True))
    assert setup["realtimeInputConfig"]["activityHandling"] == "START_OF_ACTIVITY_INTERRUPTS"


def test_turns_that_our_own_ear_finds() -> None:
    wishes = secretary(turn_detector="own")
    _, session = asked(provider_protocol(access(), wishes, own=True))
    assert session["audio"]["input"]["turn_detection"] is None
    setup = gemini_setup(provider_protocol(access(kind="gemini"), wishes, own=True))
    assert setup["realtimeInputConfig"]["automaticActivityDetection"] == {"disabled": True}


def test_how_turns_are_taken() -> None:
    taking = turn_taking(secretary(**TURNS))
    assert (taking.resumes, taking.back_channels, taking.greeting_barge_in) == (True, False, True)
    assert (taking.vad_threshold, taking.turn_end_ms, taking.comfort_sound) == (0.7, 500, True)


def test_a_legal_notice_comes_first_and_is_heard() -> None:
    row = secretary(**TURNS | {"legal_notice": "This call is recorded."})
    assert brief_of(row, ()).greeting == "This call is recorded. Good morning."
    assert not turn_taking(row).greeting_barge_in
