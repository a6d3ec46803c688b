"""The `yousaid` command line; the same as `python -m bot`."""

from __future__ import annotations

import typer

from bot.cli import (
    audit,
    calendar,
    copies,
    documents,
    event,
    forgetting,
    form,
    invite,
    key,
    move,
    program,
    rollback,
    sar,
    sending,
    survey,
)
from bot.cli.one_line import OneLineGroup

app = typer.Typer(
    cls=OneLineGroup,
    name="yousaid",
    help="YouSaid: a chat bot with which a school hears pupils and families, and answers them.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def common(debug: bool = typer.Option(False, "--debug", help="Show where in the program an error came from.")) -> None:
    """YouSaid: a chat bot with which a school hears pupils and families, and answers them."""


app.command()(program.demo)
app.command("setup")(program.set_up_school)
app.command()(program.run)
app.command()(program.doctor)
app.command()(invite.invite)
app.add_typer(form.app, name="form")
app.add_typer(survey.app, name="survey")
app.add_typer(event.app, name="event")
app.command()(sending.send)
app.command()(sending.close)
app.command()(sending.export)
app.add_typer(calendar.app, name="calendar")
app.add_typer(audit.app, name="audit")
app.add_typer(key.app, name="key")
app.add_typer(sar.app, name="sar")
app.command()(forgetting.forget)
app.command()(copies.backup)
app.command()(copies.restore)
app.command()(rollback.rollback)
app.command()(move.move)
app.command()(documents.documents)
app.command("try")(program.try_form)


def main() -> None:
    app(prog_name="yousaid")


if __name__ == "__main__":
    main()
