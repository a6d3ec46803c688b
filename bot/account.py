"""/settings: another device, names for one's children, logging out (S20), and taking back one's yes (6.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.booking import wishing
from bot.devices import offer_code
from bot.errands.delete import only_admin
from bot.playing import begin_errand
from bot.role_changes import end_access
from bot.said import SETTING, asking
from bot.turn import PersonsTurn
from conversations.channel import Button, Message
from data.access import end_address
from data.audit import note
from data.children import names_of
from data.events import OPTED
from data.sessions import end_session


async def settings(turn: PersonsTurn) -> None:
    names = ["device", *(["children"] if await names_of(turn.tx, turn.person.id) else []), "log-out", "take-back"]
    buttons = tuple(Button(turn.phrase(f"settings.{name}"), asking(SETTING, name)) for name in names)
    wishes = await wishing.wish_buttons(turn)
    turn.says.append(Message(title=turn.phrase("settings.title"), buttons=(*buttons, *wishes, turn.menu_button())))


async def choose_setting(turn: PersonsTurn, name: str) -> None:
    """A tap on one of these buttons."""
    does: dict[str, Callable[[PersonsTurn], Awaitable[None]]] = {
        "device": offer_code,
        "children": _children,
        "log-out": _ask_to_log_out,
        "leave": _log_out,
        "stay": _stay,
        "take-back": _ask_to_take_back,
        "take-back-now": _take_back,
        "complain": _complain,
    }
    kind, _, to = name.partition("-")
    if kind in OPTED and to in ("on", "off"):
        return await wishing.choose(turn, kind, to)
    if name not in does:
        return turn.tell("closed-now")
    await does[name](turn)


async def _children(turn: PersonsTurn) -> None:
    if not await names_of(turn.tx, turn.person.id):
        return turn.tell("closed-now")
    await begin_errand(turn, "children")


async def _ask_to_log_out(turn: PersonsTurn) -> None:
    """Asked once, because coming back takes a new code."""
    leave = Button(turn.phrase("settings.log-out-now"), asking(SETTING, "leave"))
    stay = turn.label("cancel", asking(SETTING, "stay"))
    turn.says.append(Message(turn.phrase("settings.log-out-ask"), buttons=(leave, stay)))


async def _stay(turn: PersonsTurn) -> None:
    turn.tell("cancelled", turn.menu_button())


async def _log_out(turn: PersonsTurn) -> None:
    """This chat, or this browser, belongs to nobody from now on; a chat is tidied by scheduler/tidying.py."""
    if turn.here:
        await end_address(turn.tx, turn.here.channel, turn.here.where)
    else:
        await end_session(turn.tx, turn.session)
    turn.logged_out = turn.roles_changed = True
    turn.tell("settings.logged-out")


async def _ask_to_take_back(turn: PersonsTurn) -> None:
    """What ends and what stays, and how that differs from deleting; both ways out are one tap."""
    if await only_admin(turn):
        return turn.tell("settings.only-admin", turn.menu_button())
    back = Button(turn.phrase("settings.take-back-now"), asking(SETTING, "take-back-now"))
    stay = turn.label("cancel", asking(SETTING, "stay"))
    turn.says.append(Message(turn.phrase("settings.take-back-ask"), buttons=(back, stay)))


async def _take_back(turn: PersonsTurn) -> None:
    """No more questions, messages or access, by their own wish; what they gave stays as was said then."""
    if await only_admin(turn):
        return turn.tell("settings.only-admin", turn.menu_button())
    await note(turn.tx, "consent.withdrawn", turn.person.id, turn.now, turn.person.id)
    await end_access(turn.tx, turn.person.id, turn.now, turn.person.id)
    turn.logged_out = turn.roles_changed = True
    turn.tell("settings.taken-back")


async def _complain(turn: PersonsTurn) -> None:
    await begin_errand(turn, "complaint")
