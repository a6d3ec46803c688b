"""The format of a backup: streams, tells nothing by its length, and refuses whatever was changed, cut or moved."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest

from data.backup_file import (
    MAGIC,
    MEBIBYTE,
    PIECE,
    SEALED_PIECE,
    BackupProblem,
    Inside,
    OtherKey,
    open_backup,
    read_line,
    write_backup,
)
from data.vault import Vault
from tests.school import MASTER

VAULT = Vault(MASTER)
ABOUT = {"schema": "0003", "program": "0.1.0", "at": "2026-11-22T02:00:00+00:00", "source": "sqlite"}
CONTENT = random.Random(4).randbytes(3 * MEBIBYTE // 2)


def made(folder: Path, content: bytes = CONTENT, name: str = "a.backup", vault: Vault = VAULT) -> Path:
    path = folder / name
    with path.open("wb") as out:
        write_backup(vault, io.BytesIO(content), out, Inside(len(content), {"people": 3}, (7, "ab")), ABOUT)
    return path


def opened(path: Path, vault: Vault = VAULT) -> bytes:
    out = io.BytesIO()
    open_backup(vault, path, out)
    return out.getvalue()


def start_of_pieces(path: Path) -> int:
    raw = path.read_bytes()
    return raw.index(b"\n", len(MAGIC)) + 1


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1])
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    assert opened(made(tmp_path, CONTENT[:size])) == CONTENT[:size]


def test_the_readable_line_says_what_it_is_and_no_count(tmp_path: Path) -> None:
    """Counts below 5 tell something: they lie inside."""
    path = made(tmp_path)
    with path.open("rb") as file:
        line = read_line(file, path)
    assert (line.schema, line.program, line.source, line.key) == ("0003", "0.1.0", "sqlite", VAULT.id.hex())
    readable = path.read_bytes()[: start_of_pieces(path)]
    assert b"people" not in readable
    out = io.BytesIO()
    assert open_backup(VAULT, path, out)[1] == Inside(len(CONTENT), {"people": 3}, (7, "ab"))


def test_length_tells_nothing_but_whole_mebibytes(tmp_path: Path) -> None:
    """Two states of a school that differ by an answer give files of one length; content that repeats is no shorter."""
    sizes = {
        made(tmp_path, content, f"{n}.backup").stat().st_size
        for n, content in enumerate([b"", b"\0" * 900_000, CONTENT[:900_000], CONTENT[:4096]])
    }
    assert len(sizes) == 1
    assert made(tmp_path, CONTENT, "b").stat().st_size - sizes.pop() == 16 * SEALED_PIECE


def test_the_same_content_twice_shares_no_piece(tmp_path: Path) -> None:
    first, second = (made(tmp_path, b"\0" * MEBIBYTE, name).read_bytes() for name in ("a", "b"))
    begins = start_of_pieces(tmp_path / "a")
    pieces = [raw[i : i + 64] for raw in (first, second) for i in range(begins, len(raw), SEALED_PIECE)]
    assert len(set(pieces)) == len(pieces)


def test_another_key_is_named_and_an_earlier_one_opens(tmp_path: Path) -> None:
    path, other = made(tmp_path), bytes(32)
    with pytest.raises(OtherKey, match=VAULT.id.hex()):
        opened(path, Vault(other))
    assert opened(path, Vault(other, MASTER)) == CONTENT


def test_every_byte_of_the_line_and_samples_of_the_rest_are_refused_when_flipped(tmp_path: Path) -> None:
    whole = made(tmp_path, CONTENT[:1000]).read_bytes()
    begins = start_of_pieces(tmp_path / "a.backup")
    dice = random.Random(8)
    places = [*range(begins), *range(begins, len(whole), SEALED_PIECE), len(whole) - 1]
    places += [dice.randrange(begins, len(whole)) for _ in range(400)]
    for at in places:
        raw = bytearray(whole)
        raw[at] ^= 1 << dice.randrange(8)
        (tmp_path / "bad").write_bytes(raw)
        with pytest.raises(BackupProblem):
            opened(tmp_path / "bad")


def test_cut_at_every_border_and_between_is_refused(tmp_path: Path) -> None:
    whole = made(tmp_path).read_bytes()
    begins = start_of_pieces(tmp_path / "a.backup")
    borders = [0, 1, len(MAGIC), begins - 1, *range(begins, len(whole), SEALED_PIECE)]
    for at in sorted({*borders, *(b + 1 for b in borders), *(b + 16 for b in borders), len(whole) - 1}):
        if at < len(whole):
            (tmp_path / "bad").write_bytes(whole[:at])
            with pytest.raises(BackupProblem):
                opened(tmp_path / "bad")


def test_pieces_that_change_places_or_come_from_another_file_are_refused(tmp_path: Path) -> None:
    whole = made(tmp_path).read_bytes()
    other = made(tmp_path, CONTENT, "other").read_bytes()
    begins, others = start_of_pieces(tmp_path / "a.backup"), start_of_pieces(tmp_path / "other")
    pieces = [whole[i : i + SEALED_PIECE] for i in range(begins, len(whole), SEALED_PIECE)]
    foreign = [other[i : i + SEALED_PIECE] for i in range(others, len(other), SEALED_PIECE)]
    forged = [
        [pieces[0], pieces[2], pieces[1], *pieces[3:]],
        [*pieces[:3], foreign[3], *pieces[4:]],
        [*pieces, pieces[-1]],
        [*pieces[:2], *pieces[3:]],
        pieces[1:],
        [*pieces[:-2], pieces[-1]],
        foreign,
    ]
    for body in forged:
        (tmp_path / "bad").write_bytes(whole[:begins] + b"".join(body))
        with pytest.raises(BackupProblem):
            opened(tmp_path / "bad")


def test_a_line_written_another_way_is_refused(tmp_path: Path) -> None:
    whole = made(tmp_path).read_bytes()
    begins = start_of_pieces(tmp_path / "a.backup")
    line = json.loads(whole[len(MAGIC) : begins])
    for changed in ({**line, "schema": "0001"}, {**line, "more": 1}, {**line, "key": "00000000"}, [1], "x"):
        raw = json.dumps(changed, sort_keys=True).encode() + b"\n"
        (tmp_path / "bad").write_bytes(MAGIC + raw + whole[begins:])
        with pytest.raises(BackupProblem):
            opened(tmp_path / "bad")


def test_neither_key_nor_content_stands_in_it(tmp_path: Path) -> None:
    raw = made(tmp_path, b"canary words " * 5000).read_bytes()
    assert b"canary" not in raw
    assert MASTER not in raw
