"""The dots of a PNG (8 bits a channel, as typst writes it) as dark or not: enough of the format for tests."""

from __future__ import annotations

import struct
import zlib


def dark_dots(png: bytes) -> list[bytes]:
    """For each row of the picture a byte for each dot: 1 where its first channel is darker than half."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    step = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    raw, rows, above = zlib.decompress(_data(png)), [], bytearray(width * step)
    for at in range(0, height * (width * step + 1), width * step + 1):
        above = _unfiltered(raw[at], raw[at + 1 : at + 1 + width * step], above, step)
        rows.append(bytes(dot < 128 for dot in above[::step]))
    return rows


def _data(png: bytes) -> bytes:
    found, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            found += png[at + 8 : at + 8 + length]
        at += length + 12
    return found


def _unfiltered(how: int, row: bytes, above: bytearray, step: int) -> bytearray:
    now = bytearray(row)
    if how == 0:
        return now
    for i in range(len(now)):
        left, corner = (now[i - step], above[i - step]) if i >= step else (0, 0)
        guess = (0, left, above[i], (left + above[i]) // 2, 0)[how] if how < 4 else _paeth(left, above[i], corner)
        now[i] = (now[i] + guess) & 255
    return now


def _paeth(left: int, up: int, corner: int) -> int:
    near = left + up - corner
    return min((left, up, corner), key=lambda dot: abs(near - dot))
