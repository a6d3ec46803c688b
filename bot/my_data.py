"""/mydata: what is linked to a person now, in words for a page and as JSON (domain 6.8). The keys: docs/my-data.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.booking.words import HELPS, topic_words
from bot.facts import House
from bot.page_link import way_to_page
from bot.turn import PersonsTurn
from conversations.texts import clock_time, long_date
from data.held import held
from data.moments import moment

Values = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]
FILE = "my-data.json"  # the name tells of nobody


@dataclass(frozen=True)
class Block:
    """Something with a heading of its own inside a section, in pairs of what and value."""

    title: str
    note: str = ""
    text: str = field(default="", repr=False)
    pairs: Pairs = field(default=(), repr=False)


@dataclass(frozen=True)
class Section:
    """Everything of one kind."""

    title: str
    pairs: Pairs = field(default=(), repr=False)
    lines: tuple[str, ...] = field(default=(), repr=False)
    blocks: tuple[Block, ...] = field(default=(), repr=False)


async def mydata(turn: PersonsTurn) -> None:
    """How much there is, at once, and the way to the page that shows it."""
    found = await held(turn.tx, turn.person.id, turn.now, turn.language)
    assert found
    v = found.values
    counts = {"n": len(v["open_questions"]), "asked": len(v["took_part"]), "count": len(v["answers_with_your_name"])}
    said = turn.phrase("mydata.counts", text=len(v["words"]), **counts)
    message = await way_to_page(turn, f"{turn.phrase('mydata.holds')}\n{said}\n{_no_page(turn)}".rstrip(), "mydata")
    turn.says.append(message)


def _no_page(turn: PersonsTurn) -> str:
    """Where the link opens only at the school, there is paper."""
    return "" if turn.house.public or turn.channel == "web" else turn.phrase("mydata.no-page")


def as_json(values: Values) -> bytes:
    """The file: UTF-8, keys in a fixed order."""
    return json.dumps(values, ensure_ascii=False, indent=2).encode()


# --- the page -----------------------------------------------------------------------------------------------------


class Page:
    """The sections of one person's page, in their language."""

    def __init__(self, house: House, language: str, values: Values) -> None:
        self.house = house
        self.language = language
        self.values = values

    def sections(self) -> list[Section]:
        """Those that hold something; what is not here comes last."""
        found = [
            self._account(), self._consent(), self._devices(), self._children(), self._codes(), self._open(),
            self._part(), self._named(), self._words(), self._sign_ups(), self._messages(), self._looks(),
            self._not_here(),
        ]  # fmt: skip
        return [s for s in found if s.pairs or s.lines or s.blocks]

    def words(self, key: str, **facts: object) -> str:
        return self.house.say(self.language, f"mydata.{key}", **facts)

    def _section(self, key: str, lines: Iterable[str] = (), blocks: Iterable[Block] = ()) -> Section:
        return Section(self.words(key), (), tuple(lines), tuple(blocks))

    def _roles(self, roles: Iterable[str]) -> str:
        return ", ".join(self.house.say(self.language, f"role.{role}") for role in roles)

    def _day(self, stored: str | None) -> str:
        return long_date(self._local(stored).date(), self.language) if stored else ""

    def _when(self, stored: str) -> dict[str, str]:
        local = self._local(stored)
        return {"date": long_date(local.date(), self.language), "time": clock_time(local, self.language)}

    def _local(self, stored: str) -> datetime:
        at = moment(stored) if stored.endswith("Z") else datetime.fromisoformat(stored)
        return at.astimezone(self.house.school.zone)

    # --- the account ---

    def _account(self) -> Section:
        a = self.values["account"]
        messages = "off" if a["messages_stopped"] else "paused" if self.values["pause"] else "on"
        pairs = [
            ("name", a["name"] or self.words("no-name")),
            ("number", a["number"]),
            ("roles", self._roles(a["roles"])),
            ("groups", ", ".join(a["groups"])),
            ("language", self.house.texts.say(a["language"], "language.name")),
            ("messages", self.words(f"messages-{messages}")),
        ]
        return Section(self.words("account"), tuple((self.words(key), value) for key, value in pairs if value))

    def _consent(self) -> Section:
        c = self.values["consent"]
        return self._section("consent", [self.words("consent-text", n=c["wording"], **self._when(c["at"]))])

    def _devices(self) -> Section:
        chats = [
            self.words("chat" if c["reachable"] else "chat-blocked", name=c["channel"].capitalize())
            for c in self.values["chats"]
        ]
        browsers = [self.words("browser", date=self._day(b["until"])) for b in self.values["browsers"]]
        app = [self.words("app")] if self.values["authenticator_app"] else []
        return self._section("devices", [*chats, *browsers, *app])

    def _children(self) -> Section:
        return self._section("children", [name for name in self.values["children"] if name])

    def _codes(self) -> Section:
        return self._section("codes", [self._code(code) for code in self.values["codes"]])

    def _code(self, code: Values) -> str:
        if code["for_another_device"]:
            return self.words("code-device", date=self._day(code["used"]))
        what = [self._roles([code["role"]]) if code["role"] else "", code["group"] or ""]
        return self.words("code", date=self._day(code["used"]), text=", ".join(part for part in what if part))

    # --- answers ---

    def _open(self) -> Section:
        return self._section("open", blocks=[self._open_block(s) for s in self.values["open_questions"]])

    def _open_block(self, survey: Values) -> Block:
        sent = self.words("sent" if survey["sent"] else "not-sent" if survey["answers"] else "no-answers")
        box = [self.words("in-box")] if survey["in_a_box"] else []
        return Block(survey["title"], " ".join([sent, *box]), pairs=self._answers(survey["answers"]))

    def _answers(self, answers: Iterable[Values]) -> Pairs:
        return tuple((a["asked"], self._answer(a)) for a in answers)

    def _answer(self, answer: Values) -> str:
        kept_apart = answer["kind"] in ("skipped", "raised")
        if kept_apart:
            return self.house.say(self.language, f"answer.{answer['kind']}")
        if answer["kind"] == "date":
            return long_date(date.fromisoformat(answer["values"][0]), self.language)
        return str(answer["answer"])

    def _part(self) -> Section:
        return self._section("part", [self._took_part(s) for s in self.values["took_part"]])

    def _took_part(self, survey: Values) -> str:
        closed = long_date(date.fromisoformat(survey["closed"]), self.language) if survey["closed"] else ""
        return self.words("part-sent" if survey["answers_sent"] else "part-not", title=survey["title"], date=closed)

    def _named(self) -> Section:
        sheets = self.values["answers_with_your_name"]
        return self._section("named", blocks=[Block(s["title"], pairs=self._answers(s["answers"])) for s in sheets])

    # --- words, messages, looks ---

    def _words(self) -> Section:
        return self._section("words", blocks=[self._word(item) for item in self.values["words"]])

    def _word(self, item: Values) -> Block:
        notes = [self.words("words-unread")] if not item["read"] else []
        notes += [self.words("words-note")] if item["note_of_staff"] else []
        title = self.words("words-came", **self._when(item["came"]))
        title = f"{title} · {item['title']}" if item["title"] else title
        return Block(title, " ".join(notes), item["text"])

    def _sign_ups(self) -> Section:
        """What they booked; below it what they chose to hear of, and that a pupil asked for an adult."""
        mine = self.values["sign_ups"]
        hears = [self.words(f"hears-{kind}") for kind in mine["hear_of"]]
        asked = [self.words("asked-to-talk", **self._when(at)) for at in mine["asked_to_talk"]]
        return self._section("sign-ups", [*hears, *asked], [self._sign_up(b) for b in mine["bookings"]])

    def _sign_up(self, booking: Values) -> Block:
        title = booking["title"] or self.house.say(self.language, f"events.kind-{booking['kind']}")
        told = {"topic": self._topic(booking["topic"]), "needs": booking["needs"]}
        bsl = booking["interpreter"] == "bsl"
        told["interpreter"] = self.house.say(self.language, "booking.bsl") if bsl else booking["interpreter"]
        pairs = tuple((self.words(f"told-{key}"), words) for key, words in told.items() if words)
        state = self.words(f"sign-up-{booking['state']}", n=booking["people"])
        return Block(self.words("sign-up", title=title, **self._when(booking["at"])), state, pairs=pairs)

    def _topic(self, topic: str) -> str:
        return self.words("told-help") if topic == HELPS else topic_words(topic, self.language)

    def _messages(self) -> Section:
        sent = self.values["messages"].get("sent", 0)
        return self._section("sent-to-you", [self.words("sent-to-you-n", n=sent)])

    def _looks(self) -> Section:
        return self._section("looks", [self._look(look) for look in self.values["looks"]])

    def _look(self, look: Values) -> str:
        key = f"mydata.look-what.{look['what']}"
        what = self.house.say(self.language, key if self.house.texts.has(key) else "mydata.look-what.something")
        return self.words("look", who=self._looker(look["by"]), text=what, **self._when(look["at"]))

    def _looker(self, by: str) -> str:
        key = f"mydata.looker.{by.replace(' ', '-')}"
        known = self.house.texts.has(key)
        return self.house.say(self.language, key) if known else self._roles(by.split(", "))

    def _not_here(self) -> Section:
        """The same for everybody, so that it tells nothing. A pack of the school has what may go out (`staff`)."""
        keys = ("anonymous", *(() if "staff" in self.values else ("help",)), "safety", "school", "telegram")
        return self._section("not-here", [self.words(f"not-here-{key}") for key in keys])
