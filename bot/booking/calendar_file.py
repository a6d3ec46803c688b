"""One's place as a calendar file (RFC 5545): neutral, because calendars are shared; the newest replaces the earlier.

Times are in UTC, so that no phone needs to know the school's time zone. The UID stays, SEQUENCE grows with each change
of the event or of one's own place, and a place given back is a cancellation.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from bot.booking.words import begins
from bot.facts import House
from bot.turn import PersonsTurn
from conversations.channel import File, Message
from data.bookings import COMING, Booking, booking_of
from data.events import Occasion

NAME = "school-appointment.ics"  # tells of nobody and nothing
MEDIA = "text/calendar; charset=utf-8"
ALARMS = {"both": (timedelta(days=1), timedelta(hours=1)), "day": (timedelta(days=1),), "hour": (timedelta(hours=1),)}


def calendar_file(house: House, occasion: Occasion, mine: Booking, now: datetime, language: str) -> bytes:
    """A VCALENDAR with one VEVENT, and an alarm for each reminder that this person wants."""
    on = mine.state == COMING and not occasion.off
    calendar = Calendar()
    calendar.add("prodid", "-//YouSaid//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH" if on else "CANCEL")
    calendar.add_component(_event(house, occasion, mine, now, language, on))
    return bytes(calendar.to_ical())


def _event(house: House, occasion: Occasion, mine: Booking, now: datetime, language: str, on: bool) -> Event:
    starts = begins(occasion, mine)
    minutes = occasion.event.slot_minutes if mine.slot is not None else None
    event = Event()
    event.add("uid", f"{_hashed(occasion.id, mine.person)}@yousaid.invalid")
    event.add("sequence", _sequence(occasion, mine))
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", starts.astimezone(UTC))
    event.add("dtend", (starts + timedelta(minutes=minutes) if minutes else occasion.ends_at).astimezone(UTC))
    event.add("summary", house.say(language, "booking.file-title"))
    event.add("location", house.school.name)
    event.add("description", house.say(language, "booking.file-text"))
    event.add("status", "CONFIRMED" if on else "CANCELLED")
    event.add("class", "PRIVATE")
    for before in ALARMS.get(mine.remind, ()) if on else ():
        event.add_component(_alarm(house.say(language, "booking.file-title"), before))
    return event


def _alarm(words: str, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", words)
    alarm.add("trigger", -before)
    return alarm


def _hashed(occasion: str, person: str) -> str:
    """Always the same for this person and time, and tells neither; two parents with one calendar have one each."""
    return hashlib.sha256(f"{occasion}/{person}".encode()).hexdigest()[:24]


def _sequence(occasion: Occasion, mine: Booking) -> int:
    """Grows with each change of the event and of the place; a new booking is later than the one it replaces."""
    made = occasion.event.made_at or mine.made_at
    return occasion.sequence + max(0, int((mine.made_at - made).total_seconds()))


async def calendar_message(turn: PersonsTurn, occasion: Occasion) -> Message:
    """The file as a document, with what to do with it."""
    mine = await booking_of(turn.tx, occasion.id, turn.person.id)
    if mine is None:
        return Message(turn.phrase("booking.gone-file"))
    file = File(NAME, calendar_file(turn.house, occasion, mine, turn.now, turn.language))
    on = mine.state == COMING and not occasion.off
    return Message(turn.phrase("booking.file" if on else "booking.file-off"), file=file)
