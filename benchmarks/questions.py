"""The questions both bots of row 2 ask: ten, with five choices each."""

from __future__ import annotations

HOW_MANY = 10
CHOICES = {
    "very-well": "Very well",
    "quite-well": "Quite well",
    "not-very-well": "Not very well",
    "not-at-all": "Not at all",
    "not-sure": "Not sure",
}


def wording(step: int) -> str:
    return f"How well do staff know what your child needs in lesson {step}?"
