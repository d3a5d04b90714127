from bridge.session.silence import SilenceAction, SilenceWatch


def watch(now: float = 0.0) -> SilenceWatch:
    return SilenceWatch(now, silence_s=10, give_up_s=5, max_s=300, longest_s=3600)


def test_a_silent_caller_is_asked_once_then_let_go() -> None:
    w = watch()
    w.floor_open(1.0)
    assert w.handle_timeout(10.9) is None
    assert w.handle_timeout(11.0) is SilenceAction.ASK
    w.floor_taken()
    w.floor_open(14.0)
    assert w.handle_timeout(19.0) is SilenceAction.GIVE_UP


def test_speech_starts_the_count_anew_and_earns_a_new_question() -> None:
    w = watch()
    w.floor_open(0.0)
    assert w.handle_timeout(10.0) is SilenceAction.ASK
    w.caller_active()
    w.floor_open(20.0)
    assert w.handle_timeout(30.0) is SilenceAction.ASK


def test_nobody_is_asked_while_the_agent_holds_the_floor() -> None:
    w = watch()
    w.floor_open(0.0)
    w.floor_taken()
    assert w.handle_timeout(100.0) is None


def test_time_is_up_once() -> None:
    w = watch()
    w.floor_open(295.0)
    assert w.handle_timeout(300.0) is SilenceAction.TIME_UP
    assert w.handle_timeout(400.0) is None


def test_time_stands_still_in_a_hold() -> None:
    w = watch()
    w.floor_open(0.0)
    w.hold(4.0)
    w.hold(5.0)
    assert w.handle_timeout(1000.0) is None
    w.resume(1004.0)
    w.resume(1005.0)
    assert w.handle_timeout(1009.9) is None
    assert w.handle_timeout(1010.0) is SilenceAction.ASK
    w.caller_active()
    assert w.handle_timeout(1299.9) is None
    assert w.handle_timeout(1300.0) is SilenceAction.TIME_UP
