"""No repr shows a name, an address, an answer, somebody's words, a code, a token or a key (B7, M5, M6).

Every dataclass is filled with canaries. What its repr may show of text is declared here by the name of the field, so
that a new field stays hidden, or is decided upon.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bot
import conversations
import data
import scheduler
from bot.said import Text
from bot.settings import Settings
from bot.telegram_channel.request import AiohttpRequest
from bot.telegram_channel.token import Token
from conversations.answers import Answer
from conversations.channel import Button, Message
from conversations.engine import State
from conversations.words import Raised, Typed
from data.codes import Invitation
from data.key_ring import KeyFile
from data.outbox import Letter
from data.people import Address, Person
from data.place import PostgresServer
from data.queue import Item
from data.runs import Run
from data.vault import BoxKeys, Earlier, Master, Vault
from tests.canaries import ALWAYS
from tests.school import MASTER

PACKAGES = ("bot", "conversations", "data", "scheduler")
TEXT = re.compile(r"\b(str|bytes|Any|object|Detail|Pairs)\b")
# Fields that say nothing about anybody: ids without meaning, kinds, states, times, and the school's own settings.
HARMLESS_NAMES = """
    id ref person by actor reader read_by routed_by done_by made_by owner errand item run sheet survey form
    version step question place mark front group group_name next_id device_of kind what how state mode role
    roles reached about route channel channels language age when since until note at number deleted_on oldest
    title titles progress tells type given answers sent check says remedy trouble notes wrong problems columns
    drawn source schema program decision
"""
HARMLESS = frozenset(HARMLESS_NAMES.split())
# What is harmless in these classes only.
SHOWN = {
    "bot.charts.Page": "parts", "bot.charts.Piece": "pattern", "bot.cli.telegram_me.Me": "name",
    "bot.demo_school.Seeding": "families pupils staff",  # ids, of an invented school
    "bot.facts.House": "web_address", "bot.governance.document.Filling": "facts tables",  # papers for everybody
    "bot.governance.filling.Installation": "database", "bot.moving.Moved": "kept",
    "data.bookings.Booking": "occasion way remind", "data.calendar.Calendar": "nation", "data.calendar.Stretch": "name",
    "data.requests.Request": "adult",  # an id
    "bot.calendar_file.CalendarFile": "guessed", "bot.calendar_file.Row": "first last name",  # days of a school
    "bot.errands.send.Reached": "people",  # ids
    "bot.telegram_channel.application.Hook": "address", "data.delivery.Delivery": "failed",  # ours; reasons and counts
    "data.sendings.Planned": "why", "data.wedid.Row": "answer replaces seen_by written_by",  # keys and ids
    "bot.events.importing.Reader": "host",  # an id
    "bot.events.looking_back.Term": "themes", "bot.events.sheet.Line": "time", "bot.events.sheet.Sheet": "free",
    "data.events.Occasion": "reason", "data.room_notes.RoomNotes": "themes",  # as families are told; ids of themes
    "data.events.Event": "access host next_time reason repeats ways",  # as all families are told; the host is an id
    "bot.our_bot.Identity": "username name",  # the bot's
    "bot.putting_back.Restored": "deleted_again lost kept known_by", "bot.putting_back.Since": "known_by",
    "bot.said.Reply": "joined instead", "bot.setup.SetUp": "bot_name telegram_silent",
    "bot.subject_access.Passage": "where why suggestion", "bot.telegram_channel.updates.Heard": "query",
    "bot.web_channel.drawing.Drawn": "pressed", "bot.web_channel.papers.Paper": "once",
    "bot.who_joined.Count": "name", "bot.who_joined.Entry": "letter",  # a group's; a letter's number
    "conversations.readers.Readers": "names answers words totals",  # roles
    "conversations.screening.Lexicon": "sounds known spelt slots_of dropped",
    "conversations.screening.Pattern": "slots",
    "conversations.summary.QuestionSummary": "text", "conversations.summary.Row": "label",  # the form's own words
    "conversations.summary.Results": "audience themes", "conversations.texts.Texts": "phrases",
    "conversations.words.Misunderstood": "why",  # key of a phrase
    "data.answers.Closed": "finished unsent untouched",  # ids of runs
    "data.audit.Link": "hash", "data.audit_check.Noted": "hash", "data.audit_check._BundleRow": "digest hash mac",
    "data.backup_file.Inside": "rows audit", "data.backup_file.Line": "key salt",  # they stand in the file's first line
    "data.checkup.Checkup": "verdict unwritable",
    "data.checkup_server.ServerCheckup": "readers logging keeping",  # users and settings of the server
    "data.held.Sheet": "key", "data.periods.Line": "name unit then rule why", "data.replaying.Tombstone": "hash",
    "data.vault.Earlier": "id", "scheduler.naming.Readers": "school",  # as in school.yaml
}  # fmt: skip


def modules() -> Iterator[object]:
    for package in (bot, conversations, data, scheduler):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not re.search(r"__main__|migrations\.(env|versions)", found.name):
                yield importlib.import_module(found.name)


def dataclasses_of_ours() -> list[type]:
    found = {value for module in modules() for value in vars(module).values() if isinstance(value, type)}
    ours = [c for c in found if dataclasses.is_dataclass(c) and c.__module__.partition(".")[0] in PACKAGES]
    return sorted(ours, key=lambda c: (c.__module__, c.__qualname__))


def filled(kind: type) -> object:
    """One of this class with a canary in every field, whatever else belongs there."""
    made = object.__new__(kind)
    for one in dataclasses.fields(kind):
        object.__setattr__(made, one.name, f"<{one.name} canary>")
    return made


def shown_by(kind: type) -> set[str]:
    """The fields with text in them whose canary stands in the repr."""
    said = repr(filled(kind))
    texts = {one.name for one in dataclasses.fields(kind) if TEXT.search(str(one.type))}
    return {name for name in texts if f"<{name} canary>" in said}


@pytest.mark.parametrize("kind", dataclasses_of_ours(), ids=lambda c: f"{c.__module__}.{c.__qualname__}")
def test_a_repr_shows_only_what_is_declared(kind: type) -> None:
    """B7"""
    declared = HARMLESS | set(SHOWN.get(f"{kind.__module__}.{kind.__qualname__}", "").split())
    undeclared = sorted(shown_by(kind) - declared)
    assert not undeclared, f"hide these with field(repr=False), or declare them above: {undeclared}"


def test_the_declarations_are_of_classes_and_fields_there_are() -> None:
    found = {f"{c.__module__}.{c.__qualname__}": shown_by(c) for c in dataclasses_of_ours()}
    assert not [(name, f) for name, fields in SHOWN.items() for f in fields.split() if f not in found.get(name, ())]
    assert not HARMLESS - {name for shown in found.values() for name in shown}, "declared, but nowhere shown"


def test_a_field_that_nobody_decided_on_is_noticed() -> None:
    made = dataclasses.make_dataclass("Pupil", [("id", "str"), ("nickname", "str")])
    assert shown_by(made) - HARMLESS == {"nickname"}


NAME, CHAT, CODE, WORDS = "Family Markovian", "710000123", "ABCDEFGHJK", "my uncle hurts me so much"
URL = "postgresql://me:pass-canary@db.example/elmfield?password=pass-canary"


def objects(folder: Path) -> dict[str, object]:
    """The objects that go everywhere, with something to hide in them."""
    person = Person("p1", "en", False, "web", frozenset({"parent"}), NAME)
    run_state = State("form", 1, answers={"q": Answer("text", (WORDS,))}, sent={"q": Answer("text", (WORDS,))})
    return {
        "vault": Vault(MASTER, bytes(32), source=KeyFile(folder / "key")),
        "master": Master(MASTER),
        "earlier": Earlier(b"id", {"code": MASTER}),
        "box keys": BoxKeys(folder),
        "person": person,
        "address": Address("telegram", CHAT),
        "item": Item("i1", "flagged", NOW, None, None, None, text=WORDS, person="p1", who=NAME),
        "state": run_state,
        "run": Run("r1", "p1", "s1", None, run_state, NOW),
        "heard": Text(WORDS),
        "typed": Typed(WORDS),
        "raised": Raised("flagged", "q", WORDS),
        "message": Message(
            WORDS, NAME, listed=(WORDS,), buttons=(Button(NAME, CODE, f"https://x.example/join/{CODE}"),)
        ),
        "invitation": Invitation("parent", None, "en", NAME),
        "server": PostgresServer(URL),
        "settings": Settings(telegram_token="123456:a-token-canary", key="a-key-canary", database=PostgresServer(URL)),
        "token": Token("123456:a-token-canary"),
        "request": AiohttpRequest(proxy="http://me:pass-canary@proxy.example", token=Token("123456:a-token-canary")),
        "letter": Letter(1, "reminder", "s1", "p1", 0, 0),
    }


NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
SECRETS = (NAME, CHAT, CODE, WORDS, "canary", *ALWAYS)


def clean(said: str) -> bool:
    return not [secret for secret in SECRETS if secret in said]


def test_the_objects_that_go_everywhere_show_nothing(tmp_path: Path) -> None:
    """B7, M6: also inside a list or a dict, as a traceback with locals would print them."""
    made = objects(tmp_path)
    assert clean(repr(made))
    assert clean(repr(list(made.values())))
    assert clean(" ".join(map(str, made.values())))
    assert "Person(" in repr(made["person"])
