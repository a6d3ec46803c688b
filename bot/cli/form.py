"""`yousaid form`: list, check, add and show forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.house import Opened
    from conversations.form import Form
    from data.database import Tx

app = typer.Typer(help="List, check, add and show forms.", rich_markup_mode=None)


@app.command("list")
def list_forms() -> None:
    """One line each: id, version, mode, audience, title."""
    from bot.cli.opening import with_school
    from conversations.form import said

    async def found(opened: Opened) -> list[Form]:
        from data.forms import all_forms

        async with opened.db.reading() as tx:
            return list((await all_forms(tx)).values())

    for f in with_school(found):
        typer.echo(f"{f.id}  {f.version}  {f.mode}  {f.audience}  {said(f.title, 'en')}")


@app.command()
def check(file: Path = typer.Argument(help="A form file (YAML).")) -> None:
    """Say whether a form can be played, and what would make it easier to answer."""
    from bot.cli.form_advice import advice
    from conversations.form import FormError, load_form

    try:
        form = load_form(file)
    except FormError as error:
        for line in error.lines:
            typer.echo(line, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{file}: fine")
    for line in advice(form):
        typer.echo(f"{file.name}: {line}")


@app.command()
def add(file: Path = typer.Argument(help="A form file (YAML).")) -> None:
    """Add a form, or a newer version of one, to the school's own."""
    from bot.cli.opening import now_utc, with_school
    from conversations.form import load_form
    from data.audit import COMMAND_LINE, note

    form = load_form(file)
    source = file.read_text(encoding="utf-8")

    async def added(opened: Opened) -> None:
        async with opened.db.transaction() as tx:
            await note(tx, "form.added", form.id, now_utc(), COMMAND_LINE, version=str(form.version))
            await _add(tx, form, source)

    with_school(added)
    typer.echo(f"{form.id} version {form.version} is added. Send it: `yousaid send {form.id} --group NAME`.")


async def _add(tx: Tx, form: Form, source: str) -> None:
    from bot.cli.one_line import Problem
    from data.forms import add_form, all_forms

    if form.errand or any(q.filled for q in form.questions):
        raise Problem(f"{form.id}: `errand` and `filled` are for the program's own forms. Remove them.")
    there = (await all_forms(tx)).get(form.id)
    if there and form.version <= there.version:
        raise Problem(
            f"{form.id} is there in version {there.version}. Give yours version {there.version + 1}, or another id."
        )
    await add_form(tx, form, source)


@app.command()
def show(id: str = typer.Argument(help="The id of a form.")) -> None:
    """Print the newest version of a form as its file."""
    from bot.cli.opening import with_school

    async def source(opened: Opened) -> str:
        async with opened.db.reading() as tx:
            return await _source(tx, await form_named(tx, id))

    typer.echo(with_school(source).rstrip("\n"))


async def form_named(tx: Tx, id: str) -> Form:
    """The newest version of this form; a Problem names what there is."""
    from bot.cli.one_line import Problem
    from data.forms import all_forms

    forms = await all_forms(tx)
    if id not in forms:
        raise Problem(f"There is no form {id}. The forms are: {', '.join(sorted(forms))}.")
    return forms[id]


async def _source(tx: Tx, form: Form) -> str:
    from conversations.library import FOLDER
    from data.forms import form_source

    stored = await form_source(tx, form.id, form.version)
    return stored or (FOLDER / f"{form.id}.yaml").read_text(encoding="utf-8")
