"""The key file of a running worker: a rotation is met without a restart."""

import uuid

import pytest
from nacl.public import PrivateKey

from esl_controller.tenants.keys.key_file import REREAD_S, KeyFile
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys, SecretStore

DOMAIN = str(uuid.uuid4())


class Clock:
    """Moves only when somebody sleeps."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "secret.key"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def key_file(path, clock):
    return KeyFile(path, clock=clock, sleep=clock.sleep)


@pytest.fixture
def store(key_file):
    return SecretStore(key_file.keys, read_again=key_file.latest)


def test_an_unchanged_file_is_not_read_again(key_file):
    assert key_file.latest() is key_file.latest() is key_file.keys


def test_a_rotation_is_met_by_a_box_sealed_with_the_new_key(path, key_file, store):
    old, before = key_file.keys, key_file.keys.seal(DOMAIN, "sk-before")
    new = SecretKeys.load(path).rotate(path)
    assert store.open(DOMAIN, new.seal(DOMAIN, "sk-after")).reveal() == "sk-after"
    assert store.open(DOMAIN, before).reveal() == "sk-before"
    assert store.keys.key_id == new.key_id != old.key_id


def test_what_is_to_be_kept_is_sealed_with_the_latest_key(path, store):
    new = SecretKeys.load(path).rotate(path)
    assert store.latest_keys().key_id == new.key_id
    assert new.is_current(store.keys.seal(DOMAIN, "sk-x"))


def test_a_box_nobody_can_open_is_refused_by_both(key_file, store):
    stranger = SecretKeys([PrivateKey.generate()]).seal(DOMAIN, "sk-x")
    with pytest.raises(SecretError, match="not here"):
        store.open(DOMAIN, stranger)


def test_a_file_that_keeps_changing_is_read_once_a_second(path, clock, key_file):
    for _ in range(3):
        SecretKeys.load(path).rotate(path)
        key_file.latest()
    assert [round(slept, 3) for slept in clock.slept] == [0.0, REREAD_S, REREAD_S]


def test_keys_once_read_are_kept_while_the_file_cannot_be_read(path, key_file, store):
    known = key_file.keys.seal(DOMAIN, "sk-known")
    content = path.read_bytes()
    path.write_bytes(b"no keys")
    with pytest.raises(SecretError, match="no key file"):
        store.latest_keys()
    assert store.open(DOMAIN, known).reveal() == "sk-known"
    unknown = SecretKeys([PrivateKey.generate()]).seal(DOMAIN, "sk-x")
    with pytest.raises(SecretError, match=r"not here.*no key file"):
        store.open(DOMAIN, unknown)
    path.unlink()
    with pytest.raises(SecretError, match="there is no key file"):
        store.latest_keys()
    path.touch(mode=0o600)
    path.write_bytes(content)
    assert store.latest_keys().open(DOMAIN, known).reveal() == "sk-known"
