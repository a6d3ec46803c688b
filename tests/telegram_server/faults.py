"""Failures a test asks for: the next answers of a method, or connections that break."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One failure; `after` means that the call takes effect all the same."""

    method: str
    after: bool
    status: int = 0
    description: str = ""
    parameters: dict | None = None
    midway: bool = False

    @property
    def cuts(self) -> bool:
        """The connection breaks instead of an answer."""
        return self.status == 0

    def answer(self) -> tuple[int, dict]:
        body = {"ok": False, "error_code": self.status, "description": self.description}
        parameters = self.parameters or self._usual_parameters()
        return self.status, body | ({"parameters": parameters} if parameters else {})

    def _usual_parameters(self) -> dict:
        if self.status != 429:
            return {}
        seconds = re.search(r"(\d+)\s*$", self.description)
        return {"retry_after": int(seconds[1]) if seconds else 1}


class Faults:
    """Failures still to come, each for one call."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault, times: int) -> None:
        self._planned += [fault] * times

    def take(self, method: str) -> Fault | None:
        found = next((one for one in self._planned if one.method == method), None)
        if found:
            self._planned.remove(found)
        return found
