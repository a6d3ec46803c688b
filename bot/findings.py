"""What `yousaid doctor` finds: one thing looked at, how it is, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

OK, LOOK, BROKEN = "ok", "look", "broken"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok, look (works, but should be better) or broken, and what mends it."""

    check: str
    state: str
    says: str
    remedy: str = ""
