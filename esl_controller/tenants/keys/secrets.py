"""Provider keys: sealed for the controller alone, or kept on its host by the operator.

A stored credential is one of
- `sealed:<key id>:<base64>`: a libsodium sealed box (`crypto_box_seal`). The pages can make one
  with the public key; only the controller's secret key opens it. Inside is the domain's UUID, a
  line feed and the key, so that a box copied to another domain's row opens to nothing.
- `env:NAME` or `file:/path`: the operator's own key on the controller's host. Names and the
  directory are limited by the operator, because a tenant's page may write this column too; what
  is in a subdirectory named by a `domain_uuid` is for that domain alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from esl_controller.settings.types import Secret

MAX_KEY_FILE_BYTES = 16384
_MAX_PATH_CHARS = 4096
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
"""What an HTTP header can carry (RFC 9110 section 5.5), so that a key cannot smuggle a header."""


class SecretError(Exception):
    """A credential cannot be opened. The text never holds any of it."""


class SecretUnreadable(SecretError):
    """A file of keys may be good, but this user may not read it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"this user cannot read {path}: chown it to the service's user")


class SecretKeys:
    """The controller's key pairs, newest first; old ones open what was sealed before a rotation."""

    def __init__(self, keys: Iterable[PrivateKey]) -> None:
        self._keys = {_key_id(key.public_key): key for key in keys}
        if not self._keys:
            raise SecretError("no secret key")

    @classmethod
    def load(cls, path: Path) -> SecretKeys:
        """Read a key file (one base64 key a line, newest first); raises SecretError."""
        try:
            if path.stat().st_mode & 0o077:
                raise SecretError(f"{path} can be read by others: chmod 600 it")
            lines = path.read_text(encoding="ascii").split()
            return cls(PrivateKey(base64.b64decode(line, validate=True)) for line in lines)
        except PermissionError as error:
            raise SecretUnreadable(path) from error
        except FileNotFoundError as error:
            raise SecretError(f"there is no key file {path}") from error
        except (OSError, ValueError, TypeError, CryptoError) as error:
            raise SecretError(f"{path} is no key file: {type(error).__name__}") from error

    @classmethod
    def load_or_create(cls, path: Path) -> SecretKeys:
        """Read the key file, made with a new key when there is none."""
        if not _exists(path):
            _make_passable(path.parent)
            _write_keys(path, [PrivateKey.generate()], replace=False)
        return cls.load(path)

    def rotate(self, path: Path) -> SecretKeys:
        """Write a new key before the present ones, and return them all."""
        keys = [PrivateKey.generate(), *self._keys.values()]
        _write_keys(path, keys, replace=True)
        return SecretKeys(keys)

    @property
    def key_id(self) -> str:
        """Name of the newest key."""
        return next(iter(self._keys))

    @property
    def public_key(self) -> str:
        """The newest public key in base64: what the pages seal with."""
        return base64.b64encode(bytes(self._keys[self.key_id].public_key)).decode()

    def seal(self, domain_uuid: str, key: str) -> str:
        """Return the credential that holds `key` for one domain; raises SecretError."""
        _require_key(key)
        box = SealedBox(self._keys[self.key_id].public_key)
        sealed = box.encrypt(f"{domain_uuid}\n{key}".encode())
        return f"sealed:{self.key_id}:{base64.b64encode(sealed).decode()}"

    def open(self, domain_uuid: str, credential: str) -> Secret:
        """Open a sealed credential of a domain; raises SecretError."""
        key_id, _, body = credential.removeprefix("sealed:").partition(":")
        if key_id not in self._keys:
            raise SecretError(f"sealed with key {key_id[:16]!r}, which is not here")
        try:
            sealed = base64.b64decode(body, validate=True)
            text = SealedBox(self._keys[key_id]).decrypt(sealed).decode()
        except (binascii.Error, CryptoError, UnicodeDecodeError, ValueError) as error:
            raise SecretError("the sealed box is damaged") from error
        owner, _, key = text.partition("\n")
        if owner.lower() != domain_uuid:
            raise SecretError("sealed for another domain")
        return Secret(_require_key(key))

    def is_current(self, credential: str) -> bool:
        """Tell whether a sealed credential uses the newest key."""
        return credential.startswith(f"sealed:{self.key_id}:")


class SecretStore:
    """Opens credentials of every kind."""

    def __init__(
        self,
        keys: SecretKeys,
        *,
        read_again: Callable[[], SecretKeys] | None = None,
        environment_names: Iterable[str] = (),
        key_directory: Path | None = None,
    ) -> None:
        """`read_again` returns the keys as they are now, `keys` itself while nothing has changed.

        It is asked before a box is given up, may wait, and raises SecretError.
        """
        self.keys = keys
        self._read_again = read_again
        self._environment_names = frozenset(environment_names)
        self._key_directory = key_directory

    def open(self, domain_uuid: str, credential: str) -> Secret:
        """Return the key a credential stands for; raises SecretError."""
        kind, _, rest = credential.partition(":")
        if kind == "sealed":
            return self._from_box(domain_uuid, credential)
        if kind == "env":
            return self._from_environment(rest)
        if kind == "file":
            return self._from_file(domain_uuid, rest)
        raise SecretError("not of the form sealed:…, env:NAME or file:/path")

    def latest_keys(self) -> SecretKeys:
        """The keys as they are now: what is to be kept is sealed with these. Raises SecretError."""
        if self._read_again is not None:
            self.keys = self._read_again()
        return self.keys

    def _from_box(self, domain_uuid: str, credential: str) -> Secret:
        tried = self.keys
        try:
            return tried.open(domain_uuid, credential)
        except SecretError as error:
            try:
                keys = self.latest_keys()
            except SecretError as unread:
                raise SecretError(f"{error}; {unread}") from error
            if keys is tried:
                raise
            return keys.open(domain_uuid, credential)

    def _from_environment(self, name: str) -> Secret:
        if name not in self._environment_names:
            allowed = ", ".join(sorted(self._environment_names)) or "none"
            raise SecretError(f"environment variable {name[:64]!r} is not one of {allowed}")
        value = os.environ.get(name)
        if not value:
            raise SecretError(f"environment variable {name} is not set")
        return Secret(_require_key(value.strip()))

    def _from_file(self, domain_uuid: str, name: str) -> Secret:
        if self._key_directory is None:
            raise SecretError("key files are not allowed: no key directory is set")
        directory, path = self._key_directory.resolve(), Path(name[:_MAX_PATH_CHARS])
        try:
            inside = path.resolve().relative_to(directory).parts
        except (ValueError, OSError) as error:
            raise SecretError(f"key file is not inside {self._key_directory}") from error
        if len(inside) != 1 and inside[:-1] != (domain_uuid,):
            raise SecretError("key file is not this domain's")
        try:
            with path.open("rb") as file:
                value = file.read(MAX_KEY_FILE_BYTES).decode("ascii").strip()
        except OSError as error:
            raise SecretError(f"key file {path.name}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SecretError(f"key file {path.name} is not ASCII text") from error
        return Secret(_require_key(value))


def _require_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise SecretError("the key is empty, too long or not printable ASCII")
    return key


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError as error:  # Path.exists tells it where the directory is closed
        raise SecretUnreadable(path) from error


def _key_id(key: PublicKey) -> str:
    return hashlib.sha256(bytes(key)).hexdigest()[:16]


def _make_passable(directory: Path) -> None:
    """Make a directory others can pass through: the packaged PostgreSQL, which as root's service is
    another user, has its data in the same place. Files there are closed by their own modes."""
    if not directory.exists():
        directory.mkdir(parents=True)
        directory.chmod(0o711)


def _write_keys(path: Path, keys: list[PrivateKey], *, replace: bool) -> None:
    """Write whole or not at all; without `replace` another worker's file of the moment stays."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    text = "".join(base64.b64encode(bytes(key)).decode() + "\n" for key in keys)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        if os.geteuid() == 0:
            # The service's user must be able to read it: it owns the file, or the directory.
            like = (path if path.exists() else path.parent).stat()
            os.fchown(descriptor, like.st_uid, like.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if replace:
        unfinished.replace(path)
        return
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()
