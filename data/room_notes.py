"""What was said in the room, as the host noted it: themes, and a few words without names (S15.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select

from data.database import AnyRow, Tx
from data.moments import new_id
from data.tables import room_notes

WORDS = "words"  # stands as the theme of words that the host wrote


@dataclass(frozen=True)
class RoomNotes:
    """Ids of themes (the choices of B6.3), and the host's words; "" where there are none."""

    themes: tuple[str, ...] = ()
    words: str = field(default="", repr=False)


async def save_room_notes(tx: Tx, occasion: str, notes: RoomNotes) -> None:
    """In place of what was noted before."""
    await tx.run(delete(room_notes).where(room_notes.c.occasion == occasion))
    rows = [_row(tx, occasion, theme, "") for theme in notes.themes]
    await tx.run(insert(room_notes), rows + ([_row(tx, occasion, WORDS, notes.words)] if notes.words else []))


async def room_notes_of(tx: Tx, occasion: str) -> RoomNotes | None:
    """None where nothing was noted."""
    query = select(room_notes).where(room_notes.c.occasion == occasion).order_by(room_notes.c.id)
    rows = await tx.all(query)
    themes = tuple(r.theme for r in rows if r.theme != WORDS)
    words = next((_words(tx, r) for r in rows if r.sealed), "")
    return RoomNotes(themes, words) if rows else None


async def themes_in(tx: Tx, occasions: Iterable[str]) -> Counter[str]:
    """In how many of these rooms each theme was named."""
    query = select(room_notes.c.theme).where(room_notes.c.occasion.in_(list(occasions)), room_notes.c.theme != WORDS)
    return Counter(r.theme for r in await tx.all(query))


def _row(tx: Tx, occasion: str, theme: str, words: str) -> dict[str, object]:
    id = new_id()
    sealed = tx.vault.seal("room-notes", words.encode(), id) if words else None
    return {"id": id, "occasion": occasion, "theme": theme, "sealed": sealed}


def _words(tx: Tx, r: AnyRow) -> str:
    return tx.vault.open("room-notes", r.sealed, r.id).decode()
