"""The press: letters are typeset in a process of its own, so that a thousand of them cost the running bot no memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import segno

from bot.papers.typesetting import NotPrintable, pdf

ROOT = Path(__file__).parent.parent.parent
NOT_PRINTABLE = 3


def pressed(template: str, values: dict[str, Any]) -> bytes:
    """The PDF of this template; NotPrintable as ever. Values and pages go through pipes, never over a disk."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "bot.papers.press", template]
    given = json.dumps(values).encode()
    ran = subprocess.run(command, input=given, capture_output=True, env=os.environ | {"PYTHONPATH": path}, check=False)
    if ran.returncode == NOT_PRINTABLE:
        raise NotPrintable
    if ran.returncode:
        raise RuntimeError(f"the press ended with {ran.returncode}")  # its own words may hold what was to be printed
    return ran.stdout


def with_squares(values: dict[str, Any]) -> dict[str, Any]:
    """The same values with a square to scan for each link."""
    return values | {"slips": [slip | {"square": square(slip["link"])} for slip in values["slips"]]}


def square(link: str) -> str:
    """A QR code of this link, as SVG."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", border=4, omitsize=True, xmldecl=False)
    return out.getvalue().decode()


def main() -> int:
    try:
        sys.stdout.buffer.write(pdf(sys.argv[1], with_squares(json.load(sys.stdin.buffer))))
    except NotPrintable:
        return NOT_PRINTABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
