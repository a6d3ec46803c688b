"""Forms the school added, beside those that come with the program."""

from __future__ import annotations

from sqlalchemy import insert, select

from conversations.form import Form, read_form
from conversations.library import bundled_forms
from data.database import Tx
from data.tables import forms


async def all_forms(tx: Tx) -> dict[str, Form]:
    """The newest version of every form, by id, in order of title."""
    rows = await tx.all(select(forms).order_by(forms.c.version))
    found = bundled_forms() | {r.id: read_form(r.source, r.id) for r in rows}
    return dict(sorted(found.items(), key=lambda item: item[1].title.get("en", item[0])))


async def form_source(tx: Tx, id: str, version: int) -> str | None:
    source: str | None = await tx.value(select(forms.c.source).where(forms.c.id == id, forms.c.version == version))
    return source


async def add_form(tx: Tx, form: Form, source: str) -> None:
    await tx.run(insert(forms).values(id=form.id, version=form.version, source=source))
