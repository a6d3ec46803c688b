"""Staff tasks played by the same engine as surveys: a form whose choices come from the database, and what it does."""

from __future__ import annotations

from bot.errands.away import Away
from bot.errands.children import Children
from bot.errands.complaint import Complaint
from bot.errands.delete import Delete
from bot.errands.dropin import Dropin
from bot.errands.errand import Errand
from bot.errands.invite import Invite
from bot.errands.pick import Close, Export, Summary
from bot.errands.send import Send

_ALL = (Send(), Invite(), Dropin(), Summary(), Close(), Export(), Away(), Children(), Delete(), Complaint())
ERRANDS: dict[str, Errand] = {errand.name: errand for errand in _ALL}
