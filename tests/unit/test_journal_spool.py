"""The spool's files by themselves: names, locks, limits, cuts."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.record import spool as spool_module
from esl_controller.record.spool import Spool, SpoolUnusable


def obituary(name: str) -> bytes:
    return f"lost {name}\n".encode()


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path)
    yield spool
    spool.close()


def drain(spool: Spool) -> bytes:
    content = b""
    while (segment := spool.oldest_segment()) is not None:
        content += spool.read(segment)
        spool.delete(segment)
    return content


def die(spool: Spool) -> None:
    """What the kernel does when a process ends: its descriptors go, its locks with them."""
    spool.close_segment()
    os.close(spool._lock)


@given(
    st.lists(st.binary(min_size=1, max_size=40).map(lambda b: b + b"\n"), max_size=30), st.data()
)
def test_what_goes_in_comes_out_in_order(tmp_path_factory, lines, data):
    spool = Spool(tmp_path_factory.mktemp("spool"))
    taken = b""
    for line in lines:
        spool.append(line)
        if data.draw(st.booleans()):
            taken += drain(spool)
        if data.draw(st.booleans()):
            spool.close_segment()
    assert taken + drain(spool) == b"".join(lines)
    assert spool.waiting_bytes == 0
    spool.close()


def test_segments_are_limited(spool, monkeypatch):
    monkeypatch.setattr(spool_module, "MAX_SEGMENT_BYTES", 10)
    for _ in range(4):
        spool.append(b"123456\n")
    assert len(list(spool._own.glob("*.segment"))) == 2
    assert spool.waiting_bytes == 28


def test_a_dead_worker_s_segments_come_first_and_its_obituary_after_them(tmp_path):
    living, dead = Spool(tmp_path), Spool(tmp_path)
    living.append(b"living\n")
    dead.append(b"dead 1\n")
    dead.close_segment()
    dead.append(b"dead 2\n")
    assert living.adopt(obituary) == 0
    die(dead)
    assert living.adopt(obituary) == 2
    living.append(b"later\n")
    expected = b"living\ndead 1\ndead 2\n" + obituary(dead.worker) + b"later\n"
    assert living.waiting_bytes == len(expected)
    assert drain(living) == expected
    assert living.adopt(obituary) == 0
    living.close()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_is_just_beginning_is_left_alone(tmp_path):
    """Its directory gets its name only when its lock is held."""
    (tmp_path / ".1-beginning").mkdir()
    (tmp_path / ".1-beginning" / "lock").touch()
    (tmp_path / "no-lock-yet").mkdir()
    (tmp_path / "rejected").mkdir()
    spool = Spool(tmp_path)
    assert spool.adopt(obituary) == 0
    assert len(list(tmp_path.iterdir())) == 4
    spool.close()


def test_only_one_of_two_takes_over(tmp_path):
    first, second, dead = (Spool(tmp_path) for _ in range(3))
    dead.append(b"once\n")
    die(dead)
    assert first.adopt(obituary) + second.adopt(obituary) == 1
    assert (drain(first) + drain(second)).count(b"once") == 1
    first.close()
    second.close()


def test_a_full_spool_stays_for_the_next_worker(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"kept\n")
    spool.close()
    following = Spool(tmp_path)
    assert following.adopt(obituary) == 1
    assert drain(following).startswith(b"kept\n")
    following.close()


def test_after_a_failed_write_a_new_segment_begins(spool, monkeypatch):
    real, written = os.write, []

    def half(descriptor: int, data: memoryview) -> int:
        if written:
            raise OSError(28, "no space left on device")
        written.append(real(descriptor, data[:3]))
        return written[0]

    monkeypatch.setattr(spool_module.os, "write", half)
    with pytest.raises(OSError, match="no space"):
        spool.append(b"first line\n")
    monkeypatch.setattr(spool_module.os, "write", real)
    spool.append(b"second line\n")
    assert spool.waiting_bytes == 3 + 12
    oldest = spool.oldest_segment()
    assert oldest is not None and spool.read(oldest) == b"fir"
    spool.delete(oldest)
    assert drain(spool) == b"second line\n"


def test_order_is_kept_when_the_clock_is_set_back(tmp_path, monkeypatch):
    """Also over what a dead worker wrote while the clock was ahead."""
    clock = iter([9_000, 5_000, 4_000, 100, 50])
    monkeypatch.setattr(spool_module.time, "time_ns", lambda: next(clock))
    dead, spool = Spool(tmp_path), Spool(tmp_path)
    for line in (b"1\n", b"2\n"):
        dead.append(line)
        dead.close_segment()
    die(dead)
    spool.append(b"mine\n")
    spool.adopt(obituary)
    spool.close_segment()
    spool.append(b"later\n")
    assert drain(spool) == b"mine\n1\n2\n" + obituary(dead.worker) + b"later\n"
    spool.close()


def test_a_takeover_that_fails_is_done_the_next_time(tmp_path, monkeypatch):
    spool, dead = Spool(tmp_path), Spool(tmp_path)
    dead.append(b"dead\n")
    die(dead)
    append = spool.append

    def full(_lines: bytes) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(spool, "append", full)
    with pytest.raises(OSError, match="no space"):
        spool.adopt(obituary)
    monkeypatch.setattr(spool, "append", append)
    assert spool.adopt(obituary) == 0  # moved already
    assert drain(spool) == b"dead\n" + obituary(dead.worker)
    assert not (dead._own).exists()
    spool.close()


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpoolUnusable, match=r"spool directory .*file/spool: Not a directory"):
        Spool(tmp_path / "file" / "spool")


def test_rejected_lines_are_not_kept_for_ever(spool, tmp_path):
    spool.forget_rejected()
    spool.reject(b"line", "why")
    (path,) = (tmp_path / "rejected").iterdir()
    spool.forget_rejected()
    assert path.exists()
    long_ago = path.stat().st_mtime - spool_module.REJECTED_DAYS * 86400 - 1
    os.utime(path, (long_ago, long_ago))
    spool.forget_rejected()
    assert not path.exists()


def test_rejected_lines_keep_their_reason(spool, tmp_path):
    spool.reject(b"line", "first\nsecond")
    spool.reject(b"other", "why")
    (path,) = (tmp_path / "rejected").iterdir()
    assert path.read_bytes() == b"# first second\nline\n# why\nother\n"
    assert path.stat().st_mode & 0o777 == 0o600
