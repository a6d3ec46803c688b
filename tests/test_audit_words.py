"""Every look and every change for others is a row of the audit log: declared for each page, command, verb; and played.

The tables stand in bot/audit_words.py. An undeclared page fails; so does a declared one that writes something else.
"""

from __future__ import annotations

import ast
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main
from sqlalchemy import select

from bot.__main__ import app as command_line
from bot.audit_words import CHAT, CLOCK, PAGES, VERBS
from bot.web_channel.access import ACCESS
from conversations.commands import COMMANDS
from data.audit import COMMAND_LINE
from data.audit_kinds import KINDS
from data.codes import Invitation, make_code, slip_of_code
from data.comments import THEME, Comment, save_comment
from data.events import coming_occasions
from data.people import find_group
from data.queue import add_item
from data.removals import sheet_numbers
from data.surveys import find_survey
from data.tables import audit, codes, sessions
from scheduler.ladder import raise_alert
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.command_line import GROUP, LUNCH, SCHOOL, command_line_in
from tests.school import School, Talk
from tests.test_privacy_modes import close, gives, room, sent
from tests.test_second_factor import set_up
from tests.test_web_channel import naps, signed_in

__all__ = ["naps"]  # a fixture
ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "audit-log.md"
ELSEWHERE = {  # needs a second database, a stopped bot or a person's request: played where these are tested
    "restore": "test_restoring.py",
    "move": "test_postgres_journey.py",
    "key rotate": "test_rotation.py",
    "sar prepare": "test_subject_access.py",
    "sar finish": "test_subject_access.py",
}


# --- declared -----------------------------------------------------------------------------------------------------


def verbs() -> set[str]:
    """Every verb of the command line, with those of its groups."""

    def of(group: Any, before: str) -> Iterator[str]:
        for name, command in group.commands.items():
            yield from of(command, f"{before}{name} ") if hasattr(command, "commands") else [before + name]

    return set(of(typer.main.get_command(command_line), ""))


def test_every_page_command_and_verb_says_what_it_notes() -> None:
    """A5: an undeclared one fails the build."""
    assert set(PAGES) == set(ACCESS)
    assert set(CHAT) == set(COMMANDS)
    assert set(VERBS) == verbs()


def test_every_kind_is_declared_and_known() -> None:
    declared = {kind for table in (PAGES, CHAT, VERBS) for words in table.values() for kind in words} | set(CLOCK)
    assert declared - set(KINDS) == set()
    assert set(KINDS) == declared


def test_every_kind_in_the_code_is_known() -> None:
    """Each call of note, note_look and note_step, by its literal or by the beginning of one that is made."""
    seen = 0
    for path in (p for folder in ("bot", "data", "scheduler") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for kind, whole in kinds_in(node):
                seen += 1
                assert kind in KINDS if whole else any(k.startswith(kind) for k in KINDS), (path.name, kind)
    assert seen > 50


def kinds_in(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """(kind, True), or (its beginning, False) where the rest is made."""
    calls = {"note": (1, ""), "note_look": (2, "look."), "note_step": (3, "alert.")}
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls):
        return
    place, prefix = calls[node.func.id]
    what = node.args[place]
    for part in (what.body, what.orelse) if isinstance(what, ast.IfExp) else (what,):
        if isinstance(part, ast.Constant):
            yield prefix + part.value, True
        elif isinstance(part, ast.JoinedStr) and isinstance(part.values[0], ast.Constant):
            yield prefix + str(part.values[0].value), False


# --- played: pages ------------------------------------------------------------------------------------------------


class Watched:
    """A browser whose every request is compared with what its page declares."""

    def __init__(self, school: School, browser: PlainBrowser) -> None:
        self.school = school
        self.browser = browser
        self.wrote: dict[tuple[str, str], set[str]] = defaultdict(set)

    async def get(self, path: str) -> None:
        await self._sent("GET", path)

    async def post(self, path: str, **fields: str) -> None:
        await self.browser.open("/queue")
        csrf = next(form.fields["csrf"] for form in self.browser.page.forms if "csrf" in form.fields)
        await self._sent("POST", path, data={"csrf": csrf, **fields})

    async def _sent(self, method: str, path: str, **more: Any) -> None:
        before = len(await rows(self.school))
        answer = await self.browser.http.request(method, path, follow_redirects=False, **more)
        assert answer.status_code < 400, (method, path, answer.status_code)
        assert "/factor" not in answer.headers.get("location", ""), path
        new = {row.what for row in (await rows(self.school))[before:]}
        route = route_of(method, path.partition("?")[0])
        assert new <= set(PAGES[route]), (route, new)
        self.wrote[route] |= new
        self.browser.answer = answer


async def rows(school: School) -> list[Any]:
    async with school.db.reading() as tx:
        return list(await tx.all(select(audit.c.id, audit.c.what, audit.c.actor, audit.c.ref).order_by(audit.c.id)))


def route_of(method: str, path: str) -> tuple[str, str]:
    """The route of this address; where several fit, the one with the fewest gaps."""
    fits = [r for r in PAGES if r[0] == method and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", r[1]), path)]
    return min(fits, key=lambda r: r[1].count("{"))


async def test_every_page_writes_what_it_declares(school: School, browsers: NewBrowser) -> None:
    """A5: everything that can be looked at or changed, once, by somebody who may do all of it."""
    me = await school.person("admin", "head", "dsl", "senco", label="Ms Patel")
    w = Watched(school, await signed_in(school, browsers(), me))
    await set_up(school, w.browser, "/me")
    assert "factor.set" in {row.what for row in await rows(school)}
    w.wrote["POST", "/factor"].add("factor.set")
    for part in (play_queue, play_people, play_events, play_staff, play_results, play_joining):
        await part(school, w, browsers)
    told = {route: set(words) for route, words in PAGES.items()}
    ladder = {"alert.alerted", "alert.blocked", "alert.nobody"}
    missing = {
        route: words - w.wrote[route] - ladder for route, words in told.items() if words - w.wrote[route] - ladder
    }
    assert missing == {}
    assert {row.actor for row in await rows(school) if row.what.startswith("look.")} == {me}


async def fresh(school: School, w: Watched) -> None:
    """The second factor counts for ten minutes more."""
    async with school.db.transaction() as tx:
        await tx.run(sessions.update().values(proved_until="2099-01-01T00:00:00.000000Z"))


async def item(school: School, kind: str, person: str = "", survey: str | None = None) -> str:
    async with school.db.transaction() as tx:
        id = await add_item(tx, kind, school.clock.now, "words", person, "", survey, quote=True)
        if kind != "words":
            await raise_alert(tx, school.house.school, id, school.clock.now)
    return id


async def play_queue(school: School, w: Watched, browsers: NewBrowser) -> None:
    await fresh(school, w)
    await school.readers()
    parent = await school.person("parent", label="The Khan family")
    await school.people(11)
    survey = await sent(school, room("CONF", id="about-words"))
    for route in ("welfare", "head", "complaint", "none", "staff"):
        id = await item(school, "help", parent)
        await w.post(f"/queue/{id}")
        await w.post(f"/queue/{id}/name", reason="call home")
        await w.post(f"/queue/{id}/route", route=route, reason="why")
        if route == "welfare":
            await w.post(f"/queue/{id}/copy", **{"as": "text"})
            await w.post(f"/queue/{id}/done", checked="yes")
            await w.post(f"/queue/{id}/done", say="undo")
    id = await item(school, "words", survey=survey)
    await w.post(f"/queue/{id}")
    await w.post(f"/queue/{id}/comment", say="theme", words="words", **{"theme-1": "lunch"})
    await w.post(f"/queue/{id}/comment", say="held", words="words")
    await w.post(f"/queue/{id}/comment", say="quote", words="words")


async def play_events(school: School, w: Watched, browsers: NewBrowser) -> None:
    await fresh(school, w)
    text = "kind,title,date,starts,group\ndrop-in,,2/6/2027,9:00,SEND parents\nevent,Fair,2/6/2027,9:00,SEND parents\n"
    await w.post("/events/import", do="make", text=text)
    async with school.db.reading() as tx:
        first, *_ = await coming_occasions(tx, None, school.clock.now)
    for path in ("/events", "/events/import", f"/events/{first.id}"):
        await w.get(path)
    await w.post(f"/events/{first.id}", do="sheet")


async def play_people(school: School, w: Watched, browsers: NewBrowser) -> None:
    await fresh(school, w)
    async with school.db.reading() as tx:
        group = await find_group(tx, "Year 3 parents") or ""
    for n in range(3):
        await w.post("/people/letters", do="count", group=group, language="en", count="1", once=f"o{n}")
    await w.get("/people/paper")
    await w.get("/people/calls")
    await w.get(f"/people/group/{group}")
    await w.post(f"/people/group/{group}", once="again")
    async with school.db.reading() as tx:
        live = select(codes.c.hash).where(codes.c.group_id == group, codes.c.replaced.is_(False))
        letters = [r.hash for r in await tx.all(live.order_by(codes.c.slip))]
    await w.get(f"/people/letter/{letters[0]}")
    await w.post(f"/people/letter/{letters[0]}", do="new", once="new")
    await w.post(f"/people/letter/{letters[1]}", do="back", once="back")
    family = browsers()
    async with school.db.transaction() as tx:
        code = await make_code(tx, Invitation("parent", group, "en", slip=10), 1, school.clock.now.replace(year=2027))
        slip = await slip_of_code(tx, code.replace("-", ""))
    assert slip
    await family.open(f"/join/{code}")
    await family.press("Yes, start")
    await w.post(f"/people/letter/{slip.hash}", do="cut", reason="order", once="cut")
    alone = await school.person("parent", group="Year 4 parents")
    await w.get(f"/people/family/{alone}")
    await w.get(f"/people/pause/{alone}")
    await w.post(f"/people/pause/{alone}", do="start", reason="left")
    await w.post(f"/people/pause/{alone}", do="end")
    await w.post(f"/people/pause/{alone}", do="names")
    await w.post(f"/people/family/{alone}", do="cut", reason="left")


async def play_staff(school: School, w: Watched, browsers: NewBrowser) -> None:
    await fresh(school, w)
    colleague = await school.person("office", "staff")
    await w.get("/people/staff")
    await w.get(f"/people/staff/{colleague}")
    for fields in ({"do": "give", "role": "governor"}, {"do": "take", "role": "governor"}, {"do": "reset"}):
        await w.post(f"/people/staff/{colleague}", **fields)
    await w.post(f"/people/staff/{colleague}", do="sign-out")
    await w.post(f"/people/staff/{colleague}", do="cut")
    for answer in ("yes", "no"):
        async with school.db.transaction() as tx:
            what = Invitation("governor", None, "en", "Mr Jones", waits=True, made_by=colleague)
            code = await make_code(tx, what, 1, school.clock.now.replace(year=2027), school.clock.now)
            slip = await slip_of_code(tx, code.replace("-", ""))
        assert slip
        browser = browsers()
        await browser.open(f"/join/{code}")
        await browser.press("Yes, start")
        await w.post(f"/people/waiting/{slip.hash}", do=answer)


async def play_results(school: School, w: Watched, browsers: NewBrowser) -> None:
    people = await school.people(12)
    surveys = {mode: await sent(school, room(mode, id=f"room-{mode.lower()}")) for mode in ("CONF", "NAMED")}
    for survey in surveys.values():
        for person in people[:11]:
            await gives(school, person, survey, "1", "1", "skip")
    before = [row for row in await rows(school) if row.ref in surveys.values()]
    assert [row.what for row in before] == ["survey.sent", "survey.sent"]  # nobody sees in the log who took part
    await close(school)
    w.browser = await signed_in(school, browsers(), (await rows(school))[0].actor)
    await fresh(school, w)
    conf = surveys["CONF"]
    async with school.db.transaction() as tx:
        id = await add_item(tx, "words", school.clock.now, "raw words", survey=conf)
        await save_comment(tx, Comment(id, conf, THEME, "raw words", ("lunch",)))
        found = await find_survey(tx, conf)
        assert found
        numbers = await sheet_numbers(tx, found)
    for kind in ("counts", "codebook", "answers", "comments"):
        await w.post(f"/results/{conf}", file=kind)
    sheet = next(id for id, number in numbers.items() if number == 3)
    await w.get(f"/results/{conf}/sheet?number=3")
    await w.get(f"/names/{conf}")
    await w.post(f"/names/{conf}/{sheet}", reason="call home")
    await w.post(f"/results/{conf}/sheet", sheet=sheet, reason="by mistake")
    await w.get("/records")
    await w.get(f"/records/{people[0]}")
    await w.post(f"/records/{people[0]}", paper="all")
    await w.post(f"/records/{people[0]}", paper="all", **{"as": "pdf"})


async def play_joining(school: School, w: Watched, browsers: NewBrowser) -> None:
    code = await school.code("parent", "Year 3 parents")
    w.browser = browsers()
    await w.browser.open(f"/join/{code}")
    path, fields = w.browser.sending("Yes, start")
    await w._sent("POST", re.sub(r"^https?://[^/]+", "", path), data=fields)


# --- played: the chat ---------------------------------------------------------------------------------------------


async def test_every_command_writes_what_it_declares(school: School) -> None:
    """A5: from the command to its end, and never a row about taking part."""
    colleague = school.on(await school.person("admin", label="Mrs Lee"))
    talk = school.on(await school.person("senco", "dsl", "head", label="Ms Patel"))
    parent = school.on((await school.people(12))[0])
    await school.readers()
    wrote: dict[str, set[str]] = defaultdict(set)

    async def watch(name: str, who: Talk, *steps: str) -> None:
        before = len(await rows(school))
        await who.types(f"/{name}")
        for step in steps:
            await (who.types(step[1:]) if step.startswith(">") else who.taps(step))
        new = {row.what for row in (await rows(school))[before:]}
        assert new <= set(CHAT[name]), (name, new)
        wrote[name] |= new

    hold = ("How far is it?", "Pause sending", "Go on sending", "Stop sending", "Yes, stop sending")
    await watch("send", talk, "Help for extra needs (SEND)", "SEND parents", "Send now", *hold)
    await watch("surveys", parent, "Open", "Yes, start", "Very well")
    await watch("explain", parent)
    await watch("again", parent)
    await watch("summary", talk, "Remind now")
    later = ("Change", ">7", ">10 November, half 3", "Plan it")
    await watch("send", talk, "Help for extra needs (SEND)", "SEND parents", *later)
    await watch("send", talk, "1 sending is planned", "Cancel it")
    await watch("close", talk, "Close and count")
    for name in ("dropins", "menu", "help", "language", "settings", "whoreads", "privacy", "mydata", "stop", "start"):
        await watch(name, parent)
    await watch("needhelp", parent)
    await watch("queue", talk, "I am away", ">9 November 2026")
    await watch("queue", talk, "I am back")
    assert wrote["summary"] == {"survey.reminded"}
    assert wrote["send"] >= {"survey.planned", "survey.plan-cancelled"}
    sent = {"survey.sent", "sending.paused", "sending.resumed", "sending.stopped"}
    assert wrote["send"] - {"survey.planned", "survey.plan-cancelled"} == sent
    assert wrote["close"] == {"survey.closed"}
    assert wrote["queue"] >= {"duty.away", "duty.back"}
    assert wrote["needhelp"]
    assert colleague


# --- played: the command line -------------------------------------------------------------------------------------


def test_every_verb_writes_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A5: with COMMAND_LINE as who did it."""
    yousaid = command_line_in(tmp_path, monkeypatch)
    wrote: dict[str, set[str]] = defaultdict(set)

    def log() -> list[tuple[str, str]]:
        if not yousaid.database.exists():
            return []
        with closing(sqlite3.connect(yousaid.database)) as file:  # without opening the school for each look
            return file.execute("SELECT what, actor FROM audit ORDER BY id").fetchall()

    def play(verb: str, *arguments: str) -> None:
        before = len(log())
        ran = yousaid(*verb.split(), *arguments)
        assert ran.code == 0, (verb, ran.err)
        new = log()[before:]
        assert {what for what, _ in new} <= set(VERBS[verb]), (verb, new)
        assert {actor for _, actor in new} <= {COMMAND_LINE}, verb
        wrote[verb] |= {what for what, _ in new}

    for _ in range(2):
        play("setup", "--from", yousaid.write("school.yaml", SCHOOL))
    play("form add", yousaid.write("lunch.yaml", LUNCH))
    play("invite", "--role", "staff")
    play("invite", "--role", "parent", "--group", GROUP, "--count", "2")
    yousaid.join(12)
    play("send", "lunch-check", "--group", GROUP)
    yousaid.answer("lunch-check-1", 12)
    play("close", "lunch-check")
    play("export", "lunch-check", "--out", "out")
    play("survey remove", "lunch-check", "2", "--reason", "by mistake", "--yes")
    for verb in ("survey list", "form list", "audit verify"):
        play(verb)
    play("survey show", "lunch-check")
    play("form show", "lunch-check")
    play("form check", "lunch.yaml")
    for verb in ("calendar check", "calendar load"):
        play(verb, yousaid.write("calendar.csv", "kind,from\ninset,2026-09-02\n"))
    play("calendar show")
    rows = "kind,title,date,starts\ndrop-in,,tomorrow,9:00\nevent,Fair,tomorrow,9:00\n"
    for verb in ("event check", "event import", "event list"):
        play(verb, *([] if verb.endswith("list") else [yousaid.write("term.csv", rows), "--group", GROUP]))
    play("audit show")
    play("backup", "school.backup")
    play("key sheet", "--out", "sheet.pdf")
    play("forget")
    play("forget", "--family", "Family 3", "--yes")
    play("audit export", "log.jsonl")
    played = set(VERBS) - set(ELSEWHERE)
    assert all((ROOT / "tests" / file).exists() for file in ELSEWHERE.values())
    rare = {"survey.lost", "look.export-comments"}
    assert {v: set(VERBS[v]) - wrote[v] - rare for v in played if set(VERBS[v]) - wrote[v] - rare} == {}


# --- the page -----------------------------------------------------------------------------------------------------


def as_page() -> str:
    where: dict[str, list[str]] = defaultdict(list)
    for (method, path), words in PAGES.items():
        for kind in words:
            where[kind].append(f"{method} `{path}`")
    for table, shown in ((CHAT, "`/{}`"), (VERBS, "`yousaid {}`")):
        for name, words in table.items():
            for kind in words:
                where[kind].append(shown.format(name))
    for kind in CLOCK:
        where[kind].append("the program itself")
    lines = ["# What stands in the audit log", ""]
    lines += ["Made by a test from the tables of the program (`tests/test_audit_words.py`).", ""]
    lines += ["Each row says when, who, what and to what; reasons are sealed. Nobody can see in it whether or when", ""]
    lines[-1:] = ["somebody took part in a survey, or whose an answer is.", "", "| kind | what happened | where |"]
    lines += ["|---|---|---|", *(f"| `{kind}` | {KINDS[kind]} | {', '.join(where[kind])} |" for kind in KINDS), ""]
    return "\n".join(lines)


def test_the_page_in_the_docs_is_true(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-transcripts"):
        PAGE.write_text(as_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == as_page()
