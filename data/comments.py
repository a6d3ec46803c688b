"""What readers decided about the words of surveys: held until somebody approves them (SUP-6, FAIL-14).

The original stays in the queue. Here lie the words as they may travel, and the themes they stand for.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select

from data.database import AnyRow, Tx
from data.tables import comments, queue

HELD, THEME, QUOTE = STATES = ("held", "theme", "quote")
KEPT_BACK = ("welfare", "staff", "head")  # routes of what is somebody's concern: such words never travel


@dataclass(frozen=True)
class Comment:
    """`words` are what readers left of the original; only those of a quote may ever be shown to others."""

    item: str
    survey: str
    state: str = HELD
    words: str = field(default="", repr=False)
    themes: tuple[str, ...] = field(default=(), repr=False)


async def save_comment(tx: Tx, comment: Comment) -> None:
    """The last decision about an item holds."""
    await tx.run(delete(comments).where(comments.c.item == comment.item))
    inside = {"words": comment.words, "themes": list(comment.themes)}
    sealed = tx.vault.seal("words", json.dumps(inside).encode(), f"comment.{comment.item}")
    row = {"item": comment.item, "survey": comment.survey, "state": comment.state}
    await tx.run(insert(comments).values(sealed=sealed, **row))


async def find_comment(tx: Tx, item: str) -> Comment | None:
    """What was decided about this item; None where nobody has decided yet."""
    row = await tx.first(select(comments).where(comments.c.item == item))
    return _comment(tx, row) if row else None


async def approved_comments(tx: Tx, survey: str) -> list[Comment]:
    """What may leave the reading team, in the random order of the items' ids."""
    joined = select(comments).join(queue, queue.c.id == comments.c.item)
    rows = await tx.all(joined.where(comments.c.survey == survey, _travels()).order_by(comments.c.item))
    return [_comment(tx, row) for row in rows]


async def held_comments(tx: Tx, survey: str) -> int:
    """How many of a survey's words wait for a decision, or were held back by one."""
    joined = select(func.count()).select_from(queue).outerjoin(comments, comments.c.item == queue.c.id)
    of_survey = and_(queue.c.survey == survey, queue.c.kind == "words")
    return int(await tx.value(joined.where(of_survey, or_(comments.c.item.is_(None), ~_travels()))))


async def theme_counts(tx: Tx, survey: str) -> dict[str, int]:
    """How often each theme was approved, the most frequent first."""
    counted = Counter(theme for comment in await approved_comments(tx, survey) for theme in comment.themes)
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0].casefold())))


async def known_themes(tx: Tx, survey: str) -> list[str]:
    """The themes that readers gave so far, approved or not, for choosing again."""
    rows = await tx.all(select(comments).where(comments.c.survey == survey))
    return sorted({theme for row in rows for theme in _comment(tx, row).themes}, key=str.casefold)


async def forget_words(tx: Tx, item: str) -> None:
    """The original goes: so do words that were never to be shown. A quote stays, a theme keeps its name."""
    comment = await find_comment(tx, item)
    if comment and comment.state == HELD:
        await tx.run(delete(comments).where(comments.c.item == item))
    elif comment and comment.state == THEME:
        await save_comment(tx, Comment(item, comment.survey, THEME, "", comment.themes))


def _travels() -> ColumnElement[bool]:
    concern = and_(queue.c.route.is_not(None), queue.c.route.in_(KEPT_BACK))
    return and_(comments.c.state.in_((THEME, QUOTE)), ~concern)


def _comment(tx: Tx, row: AnyRow) -> Comment:
    inside = json.loads(tx.vault.open("words", row.sealed, f"comment.{row.item}"))
    return Comment(row.item, row.survey, row.state, inside["words"], tuple(inside["themes"]))
