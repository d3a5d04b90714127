"""Provider keys at rest: only the controller opens them, for the domain they were sealed for."""

import base64
import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox

from esl_controller.tenants.keys.secrets import (
    SecretError,
    SecretKeys,
    SecretStore,
    SecretUnreadable,
)

DOMAIN, OTHER = str(uuid.uuid4()), str(uuid.uuid4())
KEYS = SecretKeys([PrivateKey.generate()])
KEY_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=300)


@given(KEY_TEXT)
def test_a_sealed_key_opens_to_itself(key):
    credential = KEYS.seal(DOMAIN, key)
    assert key not in credential or len(key) < 4
    secret = SecretStore(KEYS).open(DOMAIN, credential)
    assert secret.reveal() == key
    assert "Secret" in repr(secret) and len(repr(secret)) < 20


def test_the_pages_can_seal_with_the_public_key_alone():
    """What `sodium_crypto_box_seal` of PHP makes from the same text."""
    box = SealedBox(PublicKey(base64.b64decode(KEYS.public_key)))
    body = base64.b64encode(box.encrypt(f"{DOMAIN}\nsk-test".encode())).decode()
    assert KEYS.open(DOMAIN, f"sealed:{KEYS.key_id}:{body}").reveal() == "sk-test"


def test_a_box_copied_to_another_domain_stays_closed():
    credential = KEYS.seal(DOMAIN, "sk-test")
    with pytest.raises(SecretError, match="another domain"):
        KEYS.open(str(uuid.uuid4()), credential)


@given(st.text(max_size=80))
def test_garbage_is_refused_and_never_shown(garbage):
    for credential in (garbage, f"sealed:{garbage}", f"sealed:{KEYS.key_id}:{garbage}"):
        with pytest.raises(SecretError):
            SecretStore(KEYS).open(DOMAIN, credential)


def test_errors_do_not_show_the_key():
    for key in ("", "line\nfeed", "ключ-secret", "sk secret"):
        with pytest.raises(SecretError) as caught:
            KEYS.seal(DOMAIN, key)
        assert "secret" not in str(caught.value)


def test_rotation_opens_what_was_sealed_before(tmp_path):
    path = tmp_path / "state" / "secret.key"
    old = SecretKeys.load_or_create(path)
    credential = old.seal(DOMAIN, "sk-old")
    new = old.rotate(path)
    again = SecretKeys.load(path)
    assert again.key_id == new.key_id != old.key_id
    assert again.open(DOMAIN, credential).reveal() == "sk-old"
    assert not again.is_current(credential)
    assert again.is_current(again.seal(DOMAIN, "sk-old"))
    with pytest.raises(SecretError, match="not here"):
        old.open(DOMAIN, again.seal(DOMAIN, "x"))


def test_the_key_file_is_made_once_and_kept_private(tmp_path):
    path = tmp_path / "secret.key"
    first = SecretKeys.load_or_create(path)
    assert SecretKeys.load_or_create(path).key_id == first.key_id
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        SecretKeys.load(path)


@pytest.mark.parametrize("content", [b"", b"not base64!", b"AAAA", b"\xff\xfe"])
def test_a_file_that_holds_no_keys_is_refused(tmp_path, content):
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretError):
        SecretKeys.load(path)


def test_the_directory_of_a_new_key_can_be_passed_through(tmp_path):
    """The packaged PostgreSQL, another user where we are root, lives beside the key."""
    before = os.umask(0o077)
    try:
        path = tmp_path / "state" / "secret.key"
        SecretKeys.load_or_create(path)
    finally:
        os.umask(before)
    assert path.parent.stat().st_mode & 0o777 == 0o711
    assert path.stat().st_mode & 0o777 == 0o600


def test_environment_references_are_limited(monkeypatch):
    store = SecretStore(KEYS, environment_names=["OPENAI_API_KEY"])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env ")
    assert store.open(DOMAIN, "env:OPENAI_API_KEY").reveal() == "sk-env"
    with pytest.raises(SecretError, match="not one of"):
        store.open(DOMAIN, "env:HOME")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(SecretError, match="not set"):
        store.open(DOMAIN, "env:OPENAI_API_KEY")


def test_file_references_stay_in_their_directory(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "openai").write_text("sk-file\n")
    (tmp_path / "outside").write_text("secret")
    os.symlink(tmp_path / "outside", keys / "link")
    store = SecretStore(KEYS, key_directory=keys)
    assert store.open(DOMAIN, f"file:{keys}/openai").reveal() == "sk-file"
    for name in (f"{keys}/../outside", f"{keys}/link", "/etc/hostname"):
        with pytest.raises(SecretError, match="not inside"):
            store.open(DOMAIN, f"file:{name}")
    for name in ("\0", "x" * 300):
        with pytest.raises(SecretError):
            store.open(DOMAIN, f"file:{keys}/{name}")
    with pytest.raises(SecretError, match="key file missing: No such file"):
        store.open(DOMAIN, f"file:{keys}/missing")
    with pytest.raises(SecretError, match="not allowed"):
        SecretStore(KEYS).open(DOMAIN, f"file:{keys}/openai")


def test_a_domain_s_own_key_file_is_no_other_domain_s(tmp_path):
    own = tmp_path / DOMAIN / "openai"
    own.parent.mkdir()
    own.write_text("sk-own")
    store = SecretStore(KEYS, key_directory=tmp_path)
    assert store.open(DOMAIN, f"file:{own}").reveal() == "sk-own"
    for name in (f"{own}", f"{tmp_path}/{OTHER}/../{DOMAIN}/openai"):
        with pytest.raises(SecretError, match="not this domain's"):
            store.open(OTHER, f"file:{name}")


def test_a_file_this_user_may_not_read_is_not_called_broken(tmp_path, monkeypatch):
    path = tmp_path / "secret.key"
    SecretKeys.load_or_create(path)

    def closed(*_args, **_more):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(path), "read_text", closed)
    with pytest.raises(SecretUnreadable, match=r"this user cannot read .*secret\.key: chown it"):
        SecretKeys.load(path)
    monkeypatch.setattr(type(path), "exists", closed)
    with pytest.raises(SecretUnreadable):
        SecretKeys.load_or_create(path)
