"""The words of a PDF that typst made, in the order in which they stand in it: enough of the format for tests."""

from __future__ import annotations

import re
import zlib

ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def words_of(pdf: bytes) -> str:
    """All words; a line break after each piece that was set at one place."""
    streams = [_unpacked(found) for found in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)]
    fonts = [_letters(stream) for stream in streams if b"begincmap" in stream]
    pages = [stream for stream in streams if b"BT" in stream and b"begincmap" not in stream]
    return "\n".join(_page_words(page, fonts) for page in pages)


def _unpacked(stream: bytes) -> bytes:
    """What was compressed; a last byte that looks like a line's end may be missing, so the checksum is not asked."""
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return b""


def _letters(cmap: bytes) -> dict[int, str]:
    """Number of a glyph -> its letters."""
    pairs = re.findall(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>", b"".join(_blocks(cmap)))
    return {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in pairs}


def _blocks(cmap: bytes) -> list[bytes]:
    return re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL)


def _page_words(page: bytes, fonts: list[dict[int, str]]) -> str:
    said, font = [], fonts[0]
    for found in re.finditer(rb"/f(\d+) [\d.]+ Tf|\[| Tm(?=\()", page):
        if found[1]:
            font = fonts[int(found[1])]
        else:
            said.append("".join(font.get(glyph, "?") for glyph in _glyphs(_strings(page, found.end()))))
    return "\n".join(said)


def _glyphs(raw: bytes) -> list[int]:
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]


def _strings(page: bytes, at: int) -> bytes:
    """The bytes of all strings that begin here, up to the operator that shows them."""
    found = b""
    while page[at : at + 1] not in (b"]", b"T"):
        if page[at : at + 1] == b"<":
            end = page.index(b">", at)
            found, at = found + bytes.fromhex(page[at + 1 : end].decode()), end
        elif page[at : at + 1] == b"(":
            string, at = _string(page, at + 1)
            found += string
        at += 1
    return found


def _string(page: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of the string that begins here, and where its bracket closes. Brackets inside may be bare pairs."""
    found, depth = b"", 1
    while True:
        piece = re.compile(rb"\\([0-7]{1,3})|\\(.)|(.)", re.DOTALL).match(page, at)
        assert piece
        depth += {b"(": 1, b")": -1}.get(piece[3], 0)
        if not depth:
            return found, at
        found += bytes([int(piece[1], 8)]) if piece[1] else ESCAPES.get(piece[2], piece[2]) if piece[2] else piece[3]
        at = piece.end()
