"""The papers of data protection as PDF, and as pictures to look at."""

from __future__ import annotations

from typing import Any

from bot.governance.document import Document
from bot.papers import typesetting

TEMPLATE = "document.typ"


def as_pdf(document: Document) -> bytes:
    """An accessible PDF (PDF/UA-1)."""
    return typesetting.pdf(TEMPLATE, _values(document))


def as_pictures(document: Document) -> list[bytes]:
    """Its pages as PNG."""
    return typesetting.pictures(TEMPLATE, _values(document))


def _values(document: Document) -> dict[str, Any]:
    return document.model_dump(mode="json") | {"footer": document.title}
