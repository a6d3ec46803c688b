"""What a thief of a disk looks for: marked words of people, in every form in which a program may have written them."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

SHORTEST = 5  # bytes; shorter ones stand in any file


def forms(word: str) -> set[bytes]:
    """A word as UTF-8, UTF-16, hexadecimal, percent and JSON escapes, and base64 at each of its three places."""
    plain, found = word.encode(), {word.encode("utf-16-le"), word.encode("utf-16-be")}
    found |= {plain, plain.lower(), plain.upper(), plain.hex().encode(), plain.hex().upper().encode()}
    found |= {urllib.parse.quote(word).encode(), json.dumps(word)[1:-1].encode(), word[::-1].encode()}
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + plain)
        skip, end = (0, 2, 3)[before], len(coded) - 4 if (before + len(plain)) % 3 else len(coded)
        found |= {coded[skip:end], coded[skip:end].replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in found if len(form) >= SHORTEST}


def found_in(raw: bytes, words: Iterable[str]) -> list[str]:
    """The words that stand in these bytes, in whatever form."""
    return [word for word in words if any(form in raw for form in forms(word))]


def files_under(*folders: Path, since: float = 0) -> Iterator[Path]:
    """Every file that was written after `since`."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime >= since)


def left_behind(words: Iterable[str], *folders: Path, since: float = 0) -> dict[str, list[str]]:
    """File -> the words that a raw look finds in it."""
    words = list(words)
    found = {str(path): found_in(path.read_bytes(), words) for path in files_under(*folders, since=since)}
    return {path: some for path, some in found.items() if some}
