"""`yousaid documents`: the papers of data protection, filled in for this school."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.governance.document import Document
    from bot.house import Opened
    from bot.settings import Settings


def documents(
    out: Path = typer.Option(..., "--out", help="The folder to write into; it is made if it is missing."),
) -> None:
    """Write the impact assessment, the record of processing, the data map and more, as PDF and Markdown."""
    from bot.cli.opening import settings_now, with_school

    settings = settings_now()

    async def made(opened: Opened) -> dict[str, Document]:
        return _papers(opened, settings)

    out.mkdir(parents=True, exist_ok=True)
    for name, document in with_school(made).items():
        _write(out, name, document)
        typer.echo(f"{document.title}: {out / name}.pdf and .md")
    typer.echo("Drafts: the school checks every line, and its data protection officer signs.")


def _papers(opened: Opened, settings: Settings) -> dict[str, Document]:
    from bot.cli.opening import now_utc, today_at
    from bot.governance.filling import Installation, papers

    kind = "a SQLite file" if isinstance(settings.database, Path) else "a PostgreSQL server"
    today = today_at(opened.house, now_utc())
    return papers(Installation(opened.house, kind, settings.telegram_token is not None, today))


def _write(out: Path, name: str, document: Document) -> None:
    from bot.governance.document import as_markdown
    from bot.governance.printing import as_pdf

    (out / f"{name}.md").write_text(as_markdown(document), encoding="utf-8")
    (out / f"{name}.pdf").write_bytes(as_pdf(document))
