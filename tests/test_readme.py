"""The README says what is there: its folders, its settings, its commands."""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_settings_are_the_settings() -> None:
    table = set(re.findall(r"^\| `(YOUSAID_[A-Z_]+)`", README, re.MULTILINE))
    assert table == {PREFIX + name.upper() for name in Settings.model_fields}


def test_its_tree_is_the_tree() -> None:
    tour = README.split("## A tour of the code")[1].split("### Design notes")[0]
    folders = {name.strip("/") for name in re.findall(r"^    ([a-z]+/)", tour, re.MULTILINE)}
    assert folders == {"bot", "scheduler", "data", "conversations", "tests", "benchmarks"}
    inside = re.findall(r"^    ([a-z]+)/|^      ([a-z_]+(?:/|\.py))", tour, re.MULTILINE)
    parent = ""
    for folder, name in inside:
        parent = folder or parent
        assert name == "" or (ROOT / parent / name).exists(), f"{parent}/{name}"


def test_it_opens_with_the_two_commands() -> None:
    assert README.index("make demo") < README.index("make test") < README.index("## What it does today")


def test_the_picture_is_there() -> None:
    assert (ROOT / "docs" / "demo.png").stat().st_size > 10_000


def test_every_rule_about_people_is_on_the_checklist() -> None:
    checklist = (ROOT / "docs" / "release-checklist.md").read_text(encoding="utf-8")
    assert all(rule in checklist for rule in ("A11Y-6", "READ-1", "SAFE-6"))
