"""Files on the server: what people sent for download, and what a bot may upload."""

import itertools
import struct
from dataclasses import dataclass, field

from tests.telegram_server.parameters import Upload
from tests.telegram_server.refusals import bad

MEBIBYTE = 1024 * 1024
LIMITS = {"photo": 10 * MEBIBYTE, "document": 50 * MEBIBYTE, "voice": 50 * MEBIBYTE}
MOST_DOWNLOAD = 20 * MEBIBYTE
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
PNG = PICTURES[0]


@dataclass(frozen=True)
class StoredFile:
    """A file with the id and path by which the bot asks for it; `size` is what Telegram claims."""

    id: str
    path: str
    size: int
    data: bytes = field(repr=False)

    def described(self) -> dict:
        return {"file_id": self.id, "file_unique_id": f"u{self.id}", "file_size": self.size}


class Files:
    """All files, by id and by path."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._count = itertools.count()

    def keep(self, data: bytes, name: str, size: int | None = None) -> StoredFile:
        number = next(self._count)
        kept = StoredFile(f"FILE{number:06}", f"files/{number}_{name}", size or len(data), data)
        self._by_id[kept.id] = kept
        return kept

    def find(self, file_id: str) -> StoredFile:
        if file_id not in self._by_id:
            raise bad("wrong file_id or the file is temporarily unavailable")
        return self._by_id[file_id]

    def at(self, path: str) -> StoredFile | None:
        return next((one for one in self._by_id.values() if one.path == path), None)

    def for_download(self, file_id: str) -> dict:
        kept = self.find(file_id)
        if kept.size > MOST_DOWNLOAD:
            raise bad("file is too big")
        return kept.described() | {"file_path": kept.path}

    def sent(self, kind: str, given: Upload | str) -> StoredFile:
        """What the bot sends: an upload, checked, or the id of a file that is known."""
        if isinstance(given, str):
            return self.find(given)
        if not given.data:
            raise bad("file must be non-empty")
        if len(given.data) > LIMITS[kind]:
            raise bad(f"file is too big for a {kind}")
        if kind == "photo":
            _check_picture(given.data)
        return self.keep(given.data, given.name)


def _check_picture(data: bytes) -> None:
    if not data.startswith(PICTURES):
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = picture_size(data)
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height, read from PNG only; other pictures count as 90 by 90."""
    if data.startswith(PNG) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    return 90, 90
