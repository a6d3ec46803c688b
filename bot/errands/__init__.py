"""Staff tasks played by the same engine as surveys: a form whose choices come from the database, and what it does."""

from __future__ import annotations

from bot.errands.dropin import Dropin
from bot.errands.errand import Errand
from bot.errands.pick import Close, Export, Summary
from bot.errands.send import Send

ERRANDS: dict[str, Errand] = {e.name: e for e in (Send(), Dropin(), Summary(), Close(), Export())}
