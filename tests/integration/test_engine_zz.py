import time
import pytest
from tests.integration.test_engine_media import *
from tests.integration.test_engine_media import call
@pytest.mark.engine
@pytest.mark.parametrize("way,sends_ms", [("unicast",10),("file",10)])
def test_late(call, way, sends_ms):
    line = call(way, Phone("PCMU", 20, sends_ms), LONG_GREETING)
    time.sleep(0); gevent.sleep(6)
    print("restarts", restarts(line))
    for n in range(3):
        answers = len(line.moments("first_delta"))
        line.say()
        said = time.monotonic()
        line.wait(lambda: len(line.moments("first_delta")) > answers, "not answered")
        first = line.moments("first_delta")[-1]
        import datetime; print("ZZ wall of first delta", datetime.datetime.fromtimestamp(time.time()-(time.monotonic()-first)), "said", datetime.datetime.fromtimestamp(time.time()-(time.monotonic()-said)))
        hearing = line.phone.hearing
        line.wait(lambda: (hearing.last_sound_at or 0.0) > first, "not heard")
        heard = time.monotonic()
        print(f"ZZ {way} sends {sends_ms}: say took to {said:.2f}; first delta +{first-said:.2f} s after say; heard +{heard-first:.3f} after delta")
        line.listen(ANSWER)
        try: m = line.match(ANSWER, after=first-1); print("ZZ match first", m.first_at - first if hasattr(m,'first_at') else m)
        except Exception as e: print("ZZ", e)
    line.phone.hang_up()
