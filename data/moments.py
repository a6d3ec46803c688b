"""Times and random ids as they are stored: UTC ISO text, and ids that tell no order."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def stamp(at: datetime) -> str:
    """A time as stored; it sorts as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(stored: str) -> datetime:
    """A stored time as an aware UTC datetime."""
    return datetime.fromisoformat(stored)


def new_id(length: int = 12) -> str:
    """A random id of 5 bits a letter."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
