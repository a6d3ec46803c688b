"""The format of a backup: one encrypted file that is written and read piece by piece, never held in memory.

A readable line says what it is: schema, program version, time, kind of database, which key. Then pieces of one length,
each sealed with AES-256-GCM. The nonce of a piece is its number and whether it is the last; the readable line is
authenticated with each. So a file that was cut, reordered, mended from two others or changed in any bit is refused (the
STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizar 2015). The key is made for this file alone: HKDF-SHA256
over a keyed hash of a random salt. The first piece holds what is known of the content, the others the content itself,
padded to whole MEBIBYTEs and never compressed, so that the length of a file tells nothing about answers.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from data.vault import Vault

MAGIC = b"YouSaid backup 1\n"
PIECE = 1 << 16  # bytes of content in a piece
TAG = 16
SEALED_PIECE = PIECE + TAG
MEBIBYTE = 1 << 20
LONGEST_LINE = 4096
PURPOSE = "backup"


class BackupProblem(Exception):
    """A backup that could not be made, read or put back; one line that names the remedy."""


class OtherKey(BackupProblem):
    """The file is whole, as far as can be seen, but none of the keys at hand opens it."""


@dataclass(frozen=True)
class Line:
    """What anybody may read: `at` is an ISO time, `source` sqlite or postgresql, `key` the number of the right key."""

    schema: str
    program: str
    at: str
    source: str
    key: str
    salt: str


@dataclass(frozen=True)
class Inside:
    """What is known of the content: its size in bytes, the rows of each table, the newest row of the audit log."""

    size: int
    rows: Mapping[str, int] = field(default_factory=dict)
    audit: tuple[int, str] = (0, "")


def write_backup(vault: Vault, plain: BinaryIO, out: BinaryIO, inside: Inside, about: Mapping[str, str]) -> None:
    """Seal all of `plain` into `out`, and wait until it is on disk. `about`: schema, program, at, source."""
    salt = secrets.token_hex(16)
    line = _as_bytes(Line(key=vault.id.hex(), salt=salt, **about))
    out.write(MAGIC + line)
    cipher = AESGCM(_file_key(vault.lookup(PURPOSE, salt), salt))
    for number, (piece, last) in enumerate(_marked(_pieces(plain, inside))):
        out.write(cipher.encrypt(_nonce(number, last), piece, MAGIC + line))
    out.flush()
    os.fsync(out.fileno())


def read_line(file: BinaryIO, name: Path) -> Line:
    """The readable line; afterwards `file` stands before the first piece."""
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupProblem(f"{name} is damaged or not a backup of YouSaid. Nothing was changed.")
    raw = file.readline(LONGEST_LINE)
    try:
        line = Line(**json.loads(raw))
        if _as_bytes(line) == raw:  # one way of writing it, so that no byte of it can be changed unseen
            return line
    except (ValueError, TypeError):
        pass
    raise damaged(name)


def open_backup(vault: Vault, name: Path, out: BinaryIO) -> tuple[Line, Inside]:
    """Write the content to `out`; what was said of it. `vault` may hold earlier keys too.

    BackupProblem when anything was changed, cut or moved: then what was written to `out` must not be used.
    """
    with name.open("rb") as file:
        line = read_line(file, name)
        pieces = _marked(_sealed_pieces(file, name))
        cipher, inside = _first(vault, line, *next(pieces, (b"", True)), name)
        told, left = MAGIC + _as_bytes(line), inside.size
        for number, (sealed, last) in enumerate(pieces, 1):
            piece = _decrypt(cipher, _nonce(number, last), sealed, told, name)
            out.write(piece[: max(0, left)])
            left -= len(piece)
    if left > 0:
        raise damaged(name)
    out.flush()
    return line, inside


def is_backup(name: Path) -> bool:
    """Whether it begins like one."""
    with name.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def damaged(name: Path) -> BackupProblem:
    return BackupProblem(f"{name} is damaged: it was changed, or not copied to its end. Take another backup.")


def _first(vault: Vault, line: Line, sealed: bytes, last: bool, name: Path) -> tuple[AESGCM, Inside]:
    """What opens the pieces, and what stands in the first."""
    for hashed in vault.lookups(PURPOSE, line.salt):
        cipher = AESGCM(_file_key(hashed, line.salt))
        try:
            plain = cipher.decrypt(_nonce(0, last), sealed, MAGIC + _as_bytes(line))
        except InvalidTag:
            continue
        told = json.loads(plain)
        return cipher, Inside(told["size"], told["rows"], (told["audit"][0], told["audit"][1]))
    if line.key in [id.hex() for id in (vault.id, *vault.older)]:
        raise damaged(name)
    raise OtherKey(f"{name} was made with another key (number {line.key}). Put the right key file back first.")


def _file_key(hashed: str, salt: str) -> bytes:
    return HKDF(SHA256(), 32, salt=salt.encode(), info=b"yousaid/backup-file/1").derive(bytes.fromhex(hashed))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _decrypt(cipher: AESGCM, nonce: bytes, sealed: bytes, told: bytes, name: Path) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, told)
    except InvalidTag:
        raise damaged(name) from None


def _pieces(plain: BinaryIO, inside: Inside) -> Iterator[bytes]:
    """All of one length: what is known of the content, the content, and nothing up to the next whole mebibyte."""
    yield json.dumps(asdict(inside)).encode().ljust(PIECE)
    room = MEBIBYTE * (inside.size // MEBIBYTE + 1)
    for _ in range(room // PIECE):
        yield plain.read(PIECE).ljust(PIECE, b"\0")


def _sealed_pieces(file: BinaryIO, name: Path) -> Iterator[bytes]:
    while sealed := file.read(SEALED_PIECE):
        if len(sealed) < SEALED_PIECE:
            raise damaged(name)
        yield sealed


def _marked(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    before: bytes | None = None
    for piece in pieces:
        if before is not None:
            yield before, False
        before = piece
    if before is not None:
        yield before, True


def _as_bytes(line: Line) -> bytes:
    return json.dumps(asdict(line), sort_keys=True).encode() + b"\n"
