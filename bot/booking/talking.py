"""A pupil asks for an adult with one tap, the adult opens it and says when they have been there (S15)."""

from __future__ import annotations

from bot.booking.words import adult_name, row
from bot.said import COMMAND, OPEN, TALK, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from conversations.roles import STAFF_ROLES, may
from data.audit import note
from data.events import Occasion, coming_occasions
from data.people import can_be_reached, find_person, groups_of, people_with_role
from data.pools import find_pool, questions_after_talk
from data.requests import Request, ask_to_talk, end_request, find_request, open_requests, request_by, see_request
from data.runs import run_of
from scheduler.asking import tell_adult
from scheduler.following_up import ask_after_talk
from scheduler.ladder import is_open, next_opening

ASK, SEE, BEEN, ALL = "ask", "see", "been", "all"


async def pupils_dropins(turn: PersonsTurn) -> None:
    """When there are drop-ins, and the one tap; for who has tapped it, how it stands."""
    coming = await _coming(turn)
    rows = [row(turn, occasion, None) for occasion in coming[:3]]
    asked = await _waits(turn)
    if asked:
        return turn.says.append(await _standing(turn, asked, rows))
    adult = await _named_adult(turn, coming)
    if adult is None:
        return _nobody(turn, rows)
    who = await adult_name(turn.tx, turn.house, adult, turn.language)
    talk = Button(turn.phrase("talk.pupil-ask", who=who), asking(TALK, ASK))
    title = turn.phrase("talk.pupil-title")
    buttons = (*await _how_was_it(turn), talk, _help(turn))
    turn.says.append(Message("\n\n".join(rows), title=title, buttons=buttons))


async def _waits(turn: PersonsTurn) -> Request | None:
    """What this pupil waits for. What an adult has known since an earlier day counts as done: they can ask again."""
    asked, zone = await request_by(turn.tx, turn.person.id), turn.house.school.zone
    if asked and asked.seen_at and asked.seen_at.astimezone(zone).date() < turn.now.astimezone(zone).date():
        return None
    return asked


async def _how_was_it(turn: PersonsTurn) -> tuple[Button, ...]:
    """What waits to be answered after the last talk."""
    pool = await find_pool(turn.tx, await questions_after_talk(turn.tx))
    waits = pool and await run_of(turn.tx, turn.person.id, pool.id)
    return (Button(turn.phrase("after.pupil-ask"), asking(OPEN, pool.id)),) if pool and waits else ()


async def _coming(turn: PersonsTurn) -> list[Occasion]:
    return await coming_occasions(turn.tx, await groups_of(turn.tx, turn.person.id), turn.now, ("dropin",))


async def _named_adult(turn: PersonsTurn, coming: list[Occasion]) -> str | None:
    """The host of the next drop-in of the pupil's group, else the SENCO; None where there is neither."""
    for host in (occasion.event.host for occasion in coming):
        found = await find_person(turn.tx, host) if host else None
        if found and found.roles & set(STAFF_ROLES):
            return found.id
    sencos = sorted(await people_with_role(turn.tx, "senco"))
    reached = [id for id in sencos if await can_be_reached(turn.tx, id)]
    return next(iter(reached or sencos), None)


def _nobody(turn: PersonsTurn, rows: list[str]) -> None:
    text = "\n\n".join([*rows, turn.phrase("care.pupil-tell-too"), turn.phrase("care.pupil-numbers")])
    turn.says.append(Message(text, title=turn.phrase("talk.pupil-nobody"), buttons=(_help(turn),)))


def _help(turn: PersonsTurn) -> Button:
    return turn.label("need-help", asking(COMMAND, "needhelp"))


async def _standing(turn: PersonsTurn, asked: Request, rows: list[str]) -> Message:
    """That the adult knows, or is being told; out of hours that and when somebody reads it (SAFE-6)."""
    who = await adult_name(turn.tx, turn.house, asked.adult, turn.language)
    opened = asked.seen_at or await is_open(turn.tx, turn.house.school, turn.now)
    key = "talk.pupil-knows" if asked.seen_at else "talk.pupil-told" if opened else "talk.pupil-later"
    opening = turn.now if opened else await next_opening(turn.tx, turn.house.school, turn.now)
    title = turn.phrase(key, who=who, opens=turn.house.opening(opening, turn.language))
    closed = [] if opened else [turn.phrase("talk.pupil-closed")]
    text = "\n\n".join([*closed, turn.phrase("care.pupil-numbers"), *rows])
    return Message(text, title=title, buttons=(_help(turn),))


async def tapped(turn: PersonsTurn, what: str) -> None:
    """Buttons of these requests (t=act.id)."""
    act, _, id = what.partition(".")
    if act == ASK:
        return await _ask(turn)
    if not may(turn.person.roles, "requests"):
        return turn.tell("refused")
    if act == ALL:
        return await waiting(turn)
    request = await find_request(turn.tx, id)
    if request is None or act not in (SEE, BEEN):
        return turn.tell("talk.over", turn.menu_button())
    if not _for_them(turn, request):
        return turn.tell("talk.over", turn.menu_button())
    await (_see if act == SEE else _been)(turn, request)


async def _ask(turn: PersonsTurn) -> None:
    """The pupil's one tap; a second one changes nothing."""
    if "pupil" not in turn.person.roles:
        return turn.tell("refused")
    adult = await _named_adult(turn, await _coming(turn))
    before = await request_by(turn.tx, turn.person.id)
    if adult and before and not await _waits(turn):
        await end_request(turn.tx, before.id)
    asked = await ask_to_talk(turn.tx, turn.person.id, adult, turn.now) if adult else None
    if asked:
        await tell_adult(turn.tx, turn.house.school, asked, turn.now)
    await pupils_dropins(turn)


def _for_them(turn: PersonsTurn, request: Request) -> bool:
    """The adult who was asked, and those who are told when that one does not look."""
    return request.adult == turn.person.id or may(turn.person.roles, "requests-all")


async def _see(turn: PersonsTurn, request: Request) -> None:
    """`Open` of the letter: who it is and since when. From now on the pupil reads that the adult knows."""
    await note(turn.tx, "look.request", request.id, turn.now, turn.person.id)
    await see_request(turn.tx, request.id, turn.person.id, turn.now)
    pupil = await find_person(turn.tx, request.person)
    asked = request.asked_at.astimezone(turn.house.school.zone)
    facts = {"name": (pupil.label if pupil else "") or turn.phrase("talk.no-name")}
    when = turn.house.opening(asked, turn.language)
    been = Button(turn.phrase("talk.been"), asking(TALK, f"{BEEN}.{request.id}"))
    text = turn.phrase("talk.since", time=when)
    turn.says.append(Message(text, title=turn.phrase("talk.who", **facts), buttons=(been, turn.menu_button())))


async def _been(turn: PersonsTurn, request: Request) -> None:
    """ "I have been with them": it ends, nothing of it is kept here, and the pupil can say how it was (B6)."""
    await note(turn.tx, "request.ended", request.id, turn.now, turn.person.id)
    await end_request(turn.tx, request.id)
    asked = await ask_after_talk(turn.tx, request.person, turn.house.school, turn.now)
    turn.tell("talk.ended-asked" if asked else "talk.ended", turn.menu_button())


async def theirs(turn: PersonsTurn) -> list[Request]:
    """Those that wait and that this adult may open."""
    if not may(turn.person.roles, "requests"):
        return []
    return [request for request in await open_requests(turn.tx) if _for_them(turn, request)]


async def menu_buttons(turn: PersonsTurn) -> list[Button]:
    """A way back to pupils who wait, in the menu of those they asked."""
    n = len(await theirs(turn))
    return [Button(turn.phrase("talk.waiting", n=n), asking(TALK, ALL))] if n else []


async def waiting(turn: PersonsTurn) -> None:
    """Since when pupils wait; the name comes only after the tap, which is noted."""
    found = await theirs(turn)
    if not found:
        return turn.tell("talk.none", turn.menu_button())
    at = [turn.house.opening(r.asked_at.astimezone(turn.house.school.zone), turn.language) for r in found[:6]]
    buttons = tuple(Button(when, asking(TALK, f"{SEE}.{r.id}")) for when, r in zip(at, found, strict=False))
    turn.says.append(Message(title=turn.phrase("talk.list"), buttons=(*buttons, turn.menu_button())))
