"""/dropins and /events for families: what is coming, in words, with a button for each; and whom to call sooner."""

from __future__ import annotations

from bot.booking.buttons import MOST, button, says
from bot.booking.talking import pupils_dropins
from bot.booking.words import row, short_when, title_of
from bot.said import COMMAND, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.roles import may
from data.bookings import bookings_of
from data.events import KINDS, OPTED, Occasion, coming_occasions
from data.people import groups_of
from data.wishes import wishes_of
from scheduler.ladder import is_open, next_opening


async def dropins(turn: PersonsTurn, first: int = 0) -> None:
    """The drop-ins of one's groups; a pupil has one tap instead."""
    if not may(turn.person.roles, "book"):
        return await pupils_dropins(turn)
    sooner = button(turn, "sooner")
    coming = await _coming(turn, ("dropin",))
    if not coming:
        return turn.tell("dropins.none", sooner, turn.menu_button())
    await _listed(turn, "dropins", coming, first, sooner)


async def events(turn: PersonsTurn, first: int = 0) -> None:
    """Coffee mornings and other events; charity and wellbeing only for those who chose to hear of them (MSG-2)."""
    wishes = await wishes_of(turn.tx, turn.person.id)
    kinds = [kind for kind in KINDS if kind != "dropin" and (kind not in OPTED or kind in wishes)]
    coming = await _coming(turn, kinds)
    more = [] if wishes else [Button(turn.phrase("settings.title"), asking(COMMAND, "settings"))]
    if not coming:
        hint = "" if wishes else turn.phrase("events.opt")
        text = f"{turn.phrase('events.none')}\n\n{hint}".rstrip()
        return turn.says.append(Message(text, buttons=(*more, turn.menu_button())))
    await _listed(turn, "events", coming, first, *more, hint="" if wishes else turn.phrase("events.opt"))


async def _coming(turn: PersonsTurn, kinds: list[str] | tuple[str, ...]) -> list[Occasion]:
    """Until it is over: people just come, and some are late."""
    return await coming_occasions(turn.tx, await groups_of(turn.tx, turn.person.id), turn.now, kinds)


async def _listed(
    turn: PersonsTurn, name: str, coming: list[Occasion], first: int, *more: Button, hint: str = ""
) -> None:
    """Some of them at once, soonest first."""
    shown = coming[first : first + MOST] or coming[:MOST]
    mine = {b.occasion: b for b in await bookings_of(turn.tx, turn.person.id)}
    rows = [row(turn, occasion, mine.get(occasion.id)) for occasion in shown]
    names = zip(_labels(turn, shown), shown, strict=True)
    buttons = [Button(label, says("open", o.id)) for label, o in names]
    if first + MOST < len(coming):
        buttons.append(Button(turn.phrase("booking.do-more"), says(name, more=first + MOST)))
    text = "\n\n".join([*rows, *([hint] if hint else [])])
    turn.says.append(Message(text, title=turn.phrase(f"{name}.title"), buttons=(*buttons, *more)))


def _labels(turn: PersonsTurn, shown: list[Occasion]) -> list[str]:
    """With the place too where two would read the same: children in two groups whose drop-ins begin together."""
    labels = [_label(turn, occasion) for occasion in shown]
    places = [o.event.place if labels.count(label) > 1 else "" for label, o in zip(labels, shown, strict=True)]
    return [f"{label}, {place}" if place else label for label, place in zip(labels, places, strict=True)]


def _label(turn: PersonsTurn, occasion: Occasion) -> str:
    when = short_when(turn, occasion.starts_at)
    event = occasion.event
    return when if event.kind == "dropin" else f"{when}: {title_of(turn.house, event, turn.language)}"


async def sooner(turn: PersonsTurn) -> None:
    """ "I need to talk sooner": who to call now, and a way to ask for help here (S15)."""
    school = turn.house.school
    if await is_open(turn.tx, school, turn.now):
        now = turn.phrase("booking.sooner-open", hours=school.office_hours)
    else:
        opening = await next_opening(turn.tx, school, turn.now)
        now = turn.phrase("booking.sooner-closed", opens=turn.house.opening(opening, turn.language))
    lines = [now, turn.phrase("booking.sooner-sendiass"), turn.phrase("booking.sooner-danger")]
    asks = turn.label("need-help", asking(COMMAND, "needhelp"))
    title = turn.phrase("booking.sooner-title")
    turn.says.append(Message("\n\n".join(lines), title=title, buttons=(asks, turn.menu_button())))
