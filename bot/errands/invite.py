"""/invite: one code, for a parent, a colleague or a young person (S20); many letters at once are made on a page."""

from __future__ import annotations

from bot.approving import ask_colleagues, colleagues
from bot.errands.errand import Errand, Screen, as_choices, value
from bot.invitations import good_until, last_day
from bot.telling_codes import told
from bot.turn import PersonsTurn
from conversations.answers import Answer, chosen
from conversations.asking import Setting, with_choices
from conversations.channel import Message
from conversations.engine import State
from conversations.form import Form
from conversations.roles import STAFF_ROLES, may
from conversations.texts import long_date
from data.audit import note
from data.codes import Invitation, make_code, next_slip, read_code, slip_of_code
from data.people import all_groups


class Invite(Errand):
    name = "invite"

    async def form(self, turn: PersonsTurn) -> Form:
        form = await super().form(turn)
        who = form.question("who")
        assert who
        roles = {role: turn.phrase(f"role.{role}") for role in STAFF_ROLES}
        choices = {
            "who": tuple(c for c in who.choices if may_invite(turn, c.id)),
            "group": as_choices(await all_groups(turn.tx), turn.language),
            "role": as_choices(roles, turn.language),
        }
        return with_choices(form, choices)

    async def refused(self, turn: PersonsTurn) -> str | None:
        return None if await all_groups(turn.tx) else "staff.no-groups"

    async def given(self, turn: PersonsTurn, form: Form) -> dict[str, Answer]:
        who = form.question("who")
        assert who
        return {"who": chosen(who.choices[0].id)} if len(who.choices) == 1 else {}

    def problem(self, turn: PersonsTurn, question: str, answer: Answer) -> str | None:
        too_long = question == "name" and len(answer.values[0]) > 200
        return "works.errand-short" if too_long else None

    async def review(self, turn: PersonsTurn, form: Form, state: State, s: Setting) -> Message:
        screen = Screen(s, state)
        if _for_staff(state) and not await colleagues(turn.tx, turn.person.id):
            return screen.message(turn.phrase("invite.no-colleague"), "change", "cancel")
        date = long_date(last_day(turn.house, turn.now), turn.language)
        text = turn.phrase("invite.check", who=await _for_whom(turn, state), date=date)
        return screen.message(text, "make-code", "change", "cancel", title=turn.phrase("staff.check"))

    async def finish(self, turn: PersonsTurn, state: State) -> bool:
        staff = _for_staff(state)
        if not may_invite(turn, value(state, "who")) or (staff and not await colleagues(turn.tx, turn.person.id)):
            return False
        what = await _invitation(turn, state)
        code = await make_code(turn.tx, what, 1, good_until(turn.house, turn.now), turn.now)
        slip = await slip_of_code(turn.tx, read_code(code) or "")
        assert slip
        kind, ref = ("code.made", slip.hash) if staff else ("letters.made", what.group or "")
        await note(turn.tx, kind, ref, turn.now, turn.person.id, role=what.role)
        if staff:
            await ask_colleagues(turn.tx, slip.hash, turn.person.id, turn.now)
        lines = await told(turn, code, what.language)
        date = long_date(last_day(turn.house, turn.now), turn.language)
        key = "invite.done-waits" if staff else "invite.done"
        turn.tell(key, turn.menu_button(), code=lines, who=await _for_whom(turn, state), date=date)
        return True


def may_invite(turn: PersonsTurn, who: str) -> bool:
    """Whom this person may make codes for: the office parents only; young people where the school lets them (AGE-1)."""
    if who == "parent":
        return may(turn.person.roles, "invite")
    allowed = may(turn.person.roles, "invite-staff")
    return allowed and (who == "staff" or turn.house.school.young_people)


def _for_staff(state: State) -> bool:
    return value(state, "who") == "staff"


async def _for_whom(turn: PersonsTurn, state: State) -> str:
    """ "deputy safeguarding lead, Mrs Lee", or "parent or carer, Year 3 parents"."""
    if _for_staff(state):
        return f"{turn.phrase('role.' + value(state, 'role'))}, {value(state, 'name')}"
    group = (await all_groups(turn.tx))[value(state, "group")]
    return f"{turn.phrase('role.' + value(state, 'who'))}, {group}"


async def _invitation(turn: PersonsTurn, state: State) -> Invitation:
    """A colleague's code waits for another's yes; a family's has a number like a printed letter."""
    language, me = turn.house.school.languages[0], turn.person.id
    if _for_staff(state):
        name = " ".join(value(state, "name").split())
        return Invitation(value(state, "role"), None, language, name, waits=True, made_by=me)
    group = value(state, "group")
    slip = await next_slip(turn.tx, group)
    return Invitation(value(state, "who"), group, language, made_by=me, slip=slip)
