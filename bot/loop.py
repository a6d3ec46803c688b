"""The event loop of the programs that serve people: uvloop, on which a tap is a tenth less work; plain on Windows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop, for asyncio.Runner. Loaded here, because the other commands need no quick loop."""
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


def serve(program: Coroutine[Any, Any, Result]) -> Result:
    """What the program returns; its errors come through, as with asyncio.run."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(program)
