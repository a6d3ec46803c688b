"""Every attack on a bot that we know of has tests that name it: `pytest -rP tests/test_attacks_named.py` lists them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ATTACKS = {
    "B1": "Forged buttons, or somebody else's",
    "B2": "The same update again, late, or out of order",
    "B3": "Guessed codes",
    "B4": "A letter forwarded or photographed; two people with one code",
    "B5": "Updates that do not come from Telegram, sent to a webhook",
    "B6": "A stolen token: a second reader, a diverted webhook",
    "B7": "The token in logs and errors",
    "B8": "File bombs",
    "B9": "Words that look like markup",
    "B10": "A flood from one chat",
    "B11": "Huge and odd updates",
    "B12": "Groups and channels",
    "B13": "Other kinds of updates, other bots",
    "B14": "False names",
    "B15": "A look-alike bot",
    "B16": "Another bot in place of ours",
    "B17": "A shared phone",
    "B18": "Places, contacts and photos that nobody asked for",
    "B19": "Times and order as a leak",
}


@cache
def named() -> dict[str, list[str]]:
    """Attack -> the tests that name it, as `file::name`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for name, words in _docstrings(path):
            for attack in re.findall(r"\bB\d{1,2}\b", words):
                found.setdefault(attack, []).append(f"{path.name}::{name}" if name else path.name)
    return found


def _docstrings(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    yield "", ast.get_docstring(tree) or ""
    yield from ((t.name, ast.get_docstring(t) or "") for t in tests if t.name.startswith("test_"))


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_every_attack_has_a_test_that_names_it(attack: str) -> None:
    tests = [test for test in named().get(attack, []) if "::" in test]
    print("\n  ".join([f"{attack} {ATTACKS[attack]}:", *tests]))
    assert tests
