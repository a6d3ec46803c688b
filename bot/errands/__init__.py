"""Staff tasks played by the same engine as surveys: a form whose choices come from the database, and what it does."""

from __future__ import annotations

from bot.errands.attendance import Attendance
from bot.errands.away import Away
from bot.errands.booking import Book
from bot.errands.children import Children
from bot.errands.complaint import Complaint
from bot.errands.delete import Delete
from bot.errands.dropin import Dropin
from bot.errands.errand import Errand
from bot.errands.event import MakeEvent
from bot.errands.event_change import EventChange
from bot.errands.invite import Invite
from bot.errands.pick import Close, Export, Summary
from bot.errands.room_notes import RoomNotesErrand
from bot.errands.send import Send
from bot.errands.wedid import WeDid

_ALL = (
    Send(),
    Invite(),
    Dropin(),
    Summary(),
    Close(),
    Export(),
    Away(),
    Children(),
    Delete(),
    Complaint(),
    Book(),
    WeDid(),
    MakeEvent(),
    EventChange(),
    Attendance(),
    RoomNotesErrand(),
)
ERRANDS: dict[str, Errand] = {errand.name: errand for errand in _ALL}
