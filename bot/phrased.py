"""What cannot be done, as a phrase of the language files: raised where it is found out, worded where it is shown."""

from __future__ import annotations


class Phrased(Exception):
    """`key` and `facts` make the phrase that says why."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts
