"""The forms that come with the program, by id."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from conversations.form import Form, load_form

FOLDER = Path(__file__).parent / "forms"


@cache
def bundled_forms() -> dict[str, Form]:
    """Every survey form in conversations/forms, by id."""
    return {form.id: form for form in map(load_form, sorted(FOLDER.glob("*.yaml")))}


@cache
def after_event() -> Form:
    """B6e, which is asked by itself after an event; the host's own list may take the place of its last choices."""
    return load_form(FOLDER / "after" / "event-feedback.yaml")


@cache
def errand(name: str) -> Form:
    """The form of a staff errand, its choices not filled in yet."""
    return load_form(FOLDER / "errands" / f"{name}.yaml")
