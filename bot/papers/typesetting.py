"""Plain values and a typst template -> an accessible PDF (PDF/UA-1), or its pages as pictures.

Templates read their values with `json(bytes(sys.inputs.data))`, so that no word of a person is ever markup.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FONTS = FOLDER.parent / "fonts"


class NotPrintable(Exception):
    """Letters in the values stand in none of our fonts, so that a paper would leave them out."""


def pdf(template: str, values: dict[str, Any]) -> bytes:
    """The document of `template` (a file of this folder) filled with `values`, which must be plain JSON.

    NotPrintable when a letter is in none of our fonts.
    """
    return _compiled(template, values, format="pdf", pdf_standards="ua-1")[0]


def pictures(template: str, values: dict[str, Any], dots_per_inch: float = 96) -> list[bytes]:
    """Its pages as PNG, for looking at them."""
    return _compiled(template, values, format="png", ppi=dots_per_inch)


def _compiled(template: str, values: dict[str, Any], **how: Any) -> list[bytes]:
    import typst  # 20 MB of compiled code: loaded when a paper is first asked for

    filled = {"data": json.dumps(values, ensure_ascii=False)}
    try:
        made = typst.compile(FOLDER / template, font_paths=[FONTS], ignore_system_fonts=True, sys_inputs=filled, **how)
    except typst.TypstError as error:
        if "could not be displayed" in str(error):
            raise NotPrintable from None
        raise
    return made if isinstance(made, list) else [made] if made else []
