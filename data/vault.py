"""Encryption at rest: one master key outside the database, a key per purpose under it, one key per ballot box.

AES-256-GCM; purpose keys by HKDF-SHA256 with the purpose as label (RFC 5869); look-ups by HMAC-SHA256, so that an
address or a code can be found without being readable. A box key lives in a file of its own and dies at closing.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
NONCE = 12


class KeyProblem(Exception):
    """The key is missing, malformed or another one; the text is one line for an operator."""


class Vault:
    """Seals and opens what must not be readable on a stolen disk. `repr` shows nothing."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise KeyProblem("The key must be 32 bytes. Restore it from the recovery sheet.")
        self._master = master
        self._purpose_key = cache(self._derive)

    def __repr__(self) -> str:
        return "Vault()"

    def _derive(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=b"yousaid/" + purpose.encode()).derive(self._master)

    def seal(self, purpose: str, plain: bytes, about: str) -> bytes:
        """Sealed bytes, bound to `about` (the row they stand in): moved elsewhere they do not open."""
        return seal_with(self._purpose_key(purpose), plain, f"{purpose}/{about}")

    def open(self, purpose: str, sealed: bytes, about: str) -> bytes:
        """The plain bytes; KeyProblem when made with another key or changed."""
        return open_with(self._purpose_key(purpose), sealed, f"{purpose}/{about}")

    def lookups(self, purpose: str, words: str) -> tuple[str, ...]:
        """The keyed hashes under which something may stand, today's first."""
        return (self.lookup(purpose, words),)

    def lookup(self, purpose: str, words: str) -> str:
        """A keyed hash by which something is found again without being readable."""
        return hmac.new(self._purpose_key(f"lookup/{purpose}"), words.encode(), hashlib.sha256).hexdigest()


def seal_with(key: bytes, plain: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plain, about.encode())


def open_with(key: bytes, sealed: bytes, about: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], about.encode())
    except InvalidTag:
        raise KeyProblem("The data was made with another key, or changed. Use the right key file.") from None


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
        raise KeyProblem("The key is damaged. Restore it from the recovery sheet (44 letters and digits).")
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
