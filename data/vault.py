"""Encryption at rest: one master key outside the database, a key per purpose under it, one key per ballot box.

AES-256-GCM; purpose keys by HKDF-SHA256 with the purpose as label (RFC 5869); look-ups by HMAC-SHA256, so that an
address or a code can be found without being readable. A box key lives in a file of its own and dies at closing.

While the master key is being replaced (data/rotation.py) there is a ring of several: today's, which seals, and the
older ones, which still open. What is sealed names its key. Rows that stand under the keyed hash of something unknown
to us (a code, a cookie) cannot be made anew: for them the older keys' look-up secrets, not these keys, live on a while.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"  # version, nonce, ciphertext: with a box key, or from before there was a ring
NAMED_KEY = b"\x02"  # version, key id, nonce, ciphertext
KEY_ID = 4
NONCE = 12
ALIAS = 16  # hex digits: two of a school's people share one with a chance of under 1 in a billion


class KeyProblem(Exception):
    """The key is missing, malformed or another one; the text is one line for an operator."""


class DamagedKey(KeyProblem):
    """What should be a key is none: nothing is lost when it is replaced."""


class Master:
    """One master key: its id, which is no secret, and the keys under it."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise KeyProblem("The key must be 32 bytes. Restore it from the recovery sheet.")
        self._key = key
        self.purpose_key = cache(self._derive)
        self.id = self._derive("key-id")[:KEY_ID]

    def __repr__(self) -> str:
        return "Master()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Master) and hmac.compare_digest(self._key, other._key)

    def __hash__(self) -> int:
        return hash(self.id)

    def _derive(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=b"yousaid/" + purpose.encode()).derive(self._key)

    def lookup_key(self, purpose: str) -> bytes:
        return self.purpose_key(f"lookup/{purpose}")


@dataclass(frozen=True)
class Earlier:
    """What is left of a master key that was replaced: its look-up secrets for some purposes."""

    id: bytes
    secrets: Mapping[str, bytes] = field(repr=False)

    def lookup_key(self, purpose: str) -> bytes | None:
        return self.secrets.get(purpose)


class Source(Protocol):
    """Where the ring comes from and may be read again (data/key_ring.py)."""

    def changed(self) -> bool:
        """Whether it is another one than was last read."""

    def read(self) -> tuple[bytes, ...]:
        """The keys, today's first; KeyProblem when they cannot be read."""


class Vault:
    """Seals and opens what must not be readable on a stolen disk. `repr` shows nothing.

    `source`: where a changed ring is read from while the program runs (`ask_source`, `adopt`).
    """

    def __init__(self, master: bytes, *older: bytes, source: Source | None = None) -> None:
        self._ring = _without_doubles(Master(key) for key in (master, *older))
        self._left: list[Master] = []  # left the ring while we ran: may still stand in a reader's older view
        self._earlier: list[Earlier] = []
        self._source = source

    def __repr__(self) -> str:
        return "Vault()"

    @property
    def source(self) -> Source | None:
        return self._source

    @property
    def id(self) -> bytes:
        """The id of today's key."""
        return self._ring[0].id

    @property
    def older(self) -> tuple[bytes, ...]:
        """Ids of the keys that are still being replaced."""
        return tuple(m.id for m in self._ring[1:])

    def seal(self, purpose: str, plain: bytes, about: str) -> bytes:
        """Sealed bytes, bound to `about` (the row they stand in): moved elsewhere they do not open."""
        today = self._ring[0]
        sealed = seal_with(today.purpose_key(purpose), plain, f"{purpose}/{about}")
        return NAMED_KEY + today.id + sealed[1:]

    def open(self, purpose: str, sealed: bytes, about: str) -> bytes:
        """The plain bytes; KeyProblem when made with another key or changed."""
        if sealed[:1] == NAMED_KEY:
            master = self._named(sealed[1 : 1 + KEY_ID])
            return open_with(master.purpose_key(purpose), sealed[KEY_ID:], f"{purpose}/{about}")
        for master in self._ring[:-1]:
            with contextlib.suppress(KeyProblem):
                return open_with(master.purpose_key(purpose), sealed, f"{purpose}/{about}")
        return open_with(self._ring[-1].purpose_key(purpose), sealed, f"{purpose}/{about}")

    def is_todays(self, sealed: bytes) -> bool:
        """Whether it was sealed with today's key."""
        return key_id(sealed) == self.id

    def lookup(self, purpose: str, words: str) -> str:
        """A keyed hash by which something is found again without being readable."""
        return _keyed_hash(self._ring[0].lookup_key(purpose), words)

    def lookups(self, purpose: str, words: str) -> tuple[str, ...]:
        """The keyed hashes under which something may stand, today's first, then in one order for every purpose."""
        known: dict[bytes, Master | Earlier] = {}
        every: list[Master | Earlier] = [*self._ring, *self._left, *self._earlier]
        for one in every:
            known.setdefault(one.id, one)
        keys = [one.lookup_key(purpose) for one in known.values()]
        return tuple(_keyed_hash(key, words) for key in keys if key is not None)

    # --- a ring that changes -----------------------------------------------------------------------------------

    def ask_source(self) -> Vault | None:
        """The changed ring, not in use yet; None where nothing changed, or nothing usable is there."""
        if self._source is None or not self._source.changed():
            return None
        try:
            return Vault(*self._source.read())
        except KeyProblem:
            return None  # somebody is in the middle of mending it; we go on with what we have

    def adopt(self, offered: Vault) -> None:
        """Use this ring from now on. Keys that are no longer in it go on opening and finding until the program ends."""
        self._left = [m for m in _without_doubles([*self._ring, *self._left]) if m not in offered._ring]
        self._ring = offered._ring

    def _named(self, id: bytes) -> Master:
        """The key of this id. One that we do not know may have come while we looked: asked for once."""
        found = self._known(id)
        if found is None and (offered := self.ask_source()) and offered._known(id):
            self.adopt(offered)
            found = self._known(id)
        if found is None:
            raise KeyProblem("The data was made with another key, or changed. Use the right key file.")
        return found

    def _known(self, id: bytes) -> Master | None:
        return next((m for m in (*self._ring, *self._left) if m.id == id), None)

    def lookup_secrets(self, id: bytes, purposes: Iterable[str]) -> Earlier:
        """What has to stay of this key for finding rows."""
        return Earlier(id, {purpose: self._named(id).lookup_key(purpose) for purpose in purposes})

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """Find rows by these secrets of replaced keys too, and by no others."""
        self._earlier = list(earlier)


def _without_doubles(masters: Iterable[Master]) -> list[Master]:
    return list(dict.fromkeys(masters))


def _keyed_hash(key: bytes, words: str) -> str:
    return hmac.new(key, words.encode(), hashlib.sha256).hexdigest()


def key_id(sealed: bytes) -> bytes | None:
    """The id of the key it was sealed with; None where it names none."""
    return sealed[1 : 1 + KEY_ID] if sealed[:1] == NAMED_KEY else None


def seal_with(key: bytes, plain: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plain, about.encode())


def open_with(key: bytes, sealed: bytes, about: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], about.encode())
    except (InvalidTag, ValueError):  # the latter for what is too short to be one
        raise KeyProblem("The data was made with another key, or changed. Use the right key file.") from None


def alias_with(key: bytes, words: str) -> str:
    """What stands for these words wherever this key is known, and cannot be told from chance once it is gone."""
    return _keyed_hash(key, words)[:ALIAS]


class BoxKeys:
    """The ballot boxes' keys: one file per open ANON survey, beside the master key, never in database or backup."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, survey: str) -> Path:
        return self.folder / f"box-{survey}.key"

    def make(self, survey: str) -> bytes:
        """A new key, on disk for certain (file and folder synced) before its survey opens."""
        key = secrets.token_bytes(32)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._path(survey), base64.b64encode(key) + b"\n")
        return key

    def read(self, survey: str) -> bytes | None:
        """The key, or None when the box is lost."""
        try:
            return base64.b64decode(self._path(survey).read_bytes())
        except FileNotFoundError:
            return None

    def surveys(self) -> list[str]:
        return sorted(p.name[4:-4] for p in self.folder.glob("box-*.key"))

    def destroy(self, survey: str) -> None:
        """Overwrite, remove and sync; harmless when the key is gone already."""
        path = self._path(survey)
        with contextlib.suppress(FileNotFoundError):
            write_in_place(path, secrets.token_bytes(path.stat().st_size))
            path.unlink()
            sync_folder(path.parent)


def new_master_key() -> str:
    """A fresh master key as text (base64)."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def read_master_key(text: str) -> bytes:
    """The 32 bytes of a key as text; KeyProblem with a remedy when it is not one."""
    try:
        key = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise DamagedKey("The key is damaged. Type the recovery sheet: `yousaid key restore`.")
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a new file only its owner can read, and wait until file and folder are on disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)


def write_in_place(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
