"""ANON-1 to ANON-5: what "we do not keep who you are with your answers" means in all places (domain 6.4, FAIL-4)."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.errands.send import Refused, check_sending, default_sending
from bot.survey_files import files_of
from conversations.form import FormError, load_form, read_form
from conversations.library import bundled_forms
from data.access import cut_access
from data.answers import SHEET
from data.children import add_places
from data.forms import add_form, all_forms
from data.outbox import TIDYING
from data.people import find_group, set_stopped
from data.queue import waiting_items
from data.runs import runs_in
from data.surveys import find_survey
from data.tables import answers, outbox
from tests.command_line import LUNCH, CommandLine, command_line_in
from tests.school import School, opened
from tests.telegram_school import TelegramSchool, telegram_school
from tests.telegram_server import Person
from tests.test_dialogue import SURVEY, send
from tests.test_privacy_modes import MODES, ROOM, close, gives, room, sent
from tests.test_telegram_journey import asked, taps, until

GONE = "Answers stood here. They are not shown any more."


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line_in(tmp_path, monkeypatch)


# --- ANON-1: the mode is fixed when opened ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_a_form_that_changes_later_changes_no_open_survey(school: School, mode: str) -> None:
    """ANON-1: neither a new version nor the same one with another mode; it is closed in the mode it was opened in."""
    await school.readers()
    people = await school.people(10)
    survey = await sent(school, room(mode))
    other = {"ANON": "NAMED", "CONF": "ANON", "NAMED": "CONF"}[mode]
    async with school.db.transaction() as tx:
        await add_form(tx, room(other), ROOM.replace("CONF", other))
    for person in people[:6]:
        talk = await gives(school, person, survey, "1", "1", "skip")
        assert ("closed box" in talk.text) is False
    async with school.db.reading() as tx:
        opened_in = await find_survey(tx, survey)
        assert opened_in
        assert (opened_in.mode, opened_in.form.mode) == (mode, mode)
        assert all(run.state.form == "calm-room" for run in await runs_in(tx, opened_in))
    await close(school)
    async with school.db.reading() as tx:
        closed_in = await find_survey(tx, survey)
        assert closed_in
        assert closed_in.mode == mode


def test_nothing_in_the_program_writes_the_mode_of_a_survey_again() -> None:
    """ANON-1: only the row's first writing names it."""
    code = {str(p): p.read_text(encoding="utf-8") for f in ("bot", "data", "scheduler") for p in Path(f).rglob("*.py")}
    changes = {path: text.split("update(surveys)")[1:] for path, text in code.items()}
    assert [path for path, found in changes.items() for after in found if "mode" in after.partition("\n\n")[0]] == []
    assert sum(map(len, changes.values())) >= 3


# --- ANON-2: what Telegram knows is said --------------------------------------------------------------------------


async def test_whoreads_says_what_telegram_knows_and_the_first_screen_promises_nothing_else(tmp_path: Path) -> None:
    """ANON-2: also while ANON questions are in front."""
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        await taps(parents[0], "Open")
        await parents[0].types("/whoreads")
        await parents[0].reads_until("Telegram itself knows that you write to this bot.")
        assert not any("anonymous" in m.text.lower() for m in parents[0].messages)


# --- ANON-3: fewer than ten asked ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(11))
async def test_it_is_offered_from_ten_on_whoever_else_cannot_answer(tmp_path: Path, n: int) -> None:
    """ANON-3, in a chat: n people who can be asked, besides one who stopped and one whose access has ended."""
    async with opened(tmp_path) as school:
        await school.readers()
        people = await school.people(n + 2)
        async with school.db.transaction() as tx:
            await set_stopped(tx, people[0], True, school.clock.now)
            await cut_access(tx, people[1], school.clock.now)
        senco = school.on(await school.person("senco"))
        await senco.types("/send")
        await senco.taps("Help for extra needs (SEND)", "SEND parents")
        offered = "Send now" in [b.label for b in senco.messages[-1].buttons]
        assert offered == (n >= 10), senco.text


async def test_those_who_stopped_do_not_make_up_the_ten(school: School) -> None:
    """ANON-3, on the protective side: nobody invites them, so they would hide nobody. They may still answer."""
    await school.readers()
    people = await school.people(12)
    async with school.db.transaction() as tx:
        for person in people[:3]:
            await set_stopped(tx, person, True, school.clock.now)
        group = await find_group(tx, "SEND parents") or ""
        sending = default_sending(school.house, room("ANON"), group, school.clock.now.date())
        with pytest.raises(Refused) as refused:
            await check_sending(tx, school.house, sending, school.clock.now)
    assert (refused.value.key, refused.value.facts) == ("staff.few", {"n": 9})


@pytest.mark.parametrize("mode", ["CONF", "NAMED"])
async def test_other_modes_may_ask_one(school: School, mode: str) -> None:
    await school.readers()
    await school.people(1)
    assert await sent(school, room(mode))


# --- no words of pupils -------------------------------------------------------------------------------------------

PUPILS = ROOM.replace("CONF", "ANON").replace("audience: parents", "audience: pupils")


def test_no_form_asks_pupils_for_words_without_names(tmp_path: Path) -> None:
    """Domain 6.4, however a form comes in: read, loaded from a file, checked."""
    path = tmp_path / "calm.yaml"
    path.write_text(PUPILS, encoding="utf-8")
    for attempt in (lambda: read_form(PUPILS, "calm.yaml"), lambda: load_form(path)):
        with pytest.raises(FormError, match="asks pupils for words without names"):
            attempt()
    assert not any(f.mode == "ANON" and f.audience == "pupils" and f.takes_words for f in bundled_forms().values())


async def test_a_stored_form_that_asks_so_is_not_sent(school: School) -> None:
    """Also one that stands in the database already, as an older version may have let it in."""
    await school.readers()
    await school.people(12)
    allowed = room("CONF", audience="pupils")
    async with school.db.transaction() as tx:
        await add_form(tx, allowed, PUPILS)
    async with school.db.reading() as tx:
        with pytest.raises(FormError, match="asks pupils for words without names"):
            await all_forms(tx)


def test_the_command_line_lets_no_such_form_in(cli: CommandLine) -> None:
    """`form check`, `form add` and `try`; and `send` then knows of none."""
    cli.set_up()
    cli.join(12)
    file = cli.write("calm.yaml", PUPILS)
    for command in (("form", "check", file), ("form", "add", file), ("try", file)):
        assert "asks pupils for words without names" in cli(*command).refused()
    assert "calm-room" in cli("send", "calm-room", "--group", "SEND parents").refused()


@pytest.mark.parametrize("n", [1, 9, 10])
def test_on_the_command_line_too_it_is_sent_from_ten_on(cli: CommandLine, n: int) -> None:
    """ANON-3"""
    cli.set_up()
    cli.done("form", "add", cli.write("lunch.yaml", LUNCH))
    cli.join(n)
    ran = cli("send", "lunch-check", "--group", "SEND parents")
    assert (ran.code == 0) == (n >= 10)
    if n < 10:
        assert f"Only {n} people" in ran.refused()


# --- ANON-4: the bot's copies in a chat ---------------------------------------------------------------------------


def texts(person: Person) -> str:
    return "\n".join(m.text for m in person.messages)


async def at_review(bot: TelegramSchool, parent: Person) -> None:
    """Six taps and some words, and the review with all of it."""
    await taps(parent, "Open", "Yes, start", "Very well", "Some", "A lot", "It gets sorted", "Easy")
    await parent.types("1, 2")
    await parent.sees_button("Skip")
    await parent.reads_until("Your own words are read by")
    await parent.types("More time for tests")
    await parent.reads_until("They are not sent yet")
    await until(lambda: "More time for tests" in texts(parent))


async def test_what_shows_answers_goes_when_they_are_sent(tmp_path: Path) -> None:
    """ANON-4: the review, and what was typed. What shows none stays, and it is said."""
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        typed_before = list(parents[0].inbound)
        await at_review(bot, parents[0])
        assert len(parents[0].inbound) == len(typed_before) + 2
        await parents[0].taps("Send my answers")
        await parents[0].reads_until("We take your answers out of this chat")
        assert list(parents[0].inbound) == typed_before
        assert "More time for tests" not in texts(parents[0])
        assert "They are not sent yet" not in texts(parents[0])
        assert "You have joined" in texts(parents[0])


async def test_what_was_looked_at_again_goes_too(tmp_path: Path) -> None:
    """ANON-4: Back shows "You said"; so does changing an answer after sending."""
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        parent = parents[0]
        await at_review(bot, parent)
        await parent.taps("Send my answers")
        await parent.reads_until("We take your answers out of this chat")
        await taps(parent, "Change an answer")
        await parent.types("1")
        await parent.reads_until("You said: Very well")
        await taps(parent, "Quite well")
        await parent.reads_until("They are not sent yet")
        await parent.types("Send my answers")
        await until(lambda: "You said" not in texts(parent) and "They are not sent yet" not in texts(parent))


async def test_throwing_away_takes_them_away(tmp_path: Path) -> None:
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        await at_review(bot, parents[0])
        await parents[0].taps("Throw away my answers")
        await parents[0].reads_until("Your answers are gone")
        assert "More time for tests" not in texts(parents[0])


@pytest.mark.parametrize("hours", [1, 72])
async def test_what_was_never_sent_goes_when_the_questions_close(tmp_path: Path, hours: int) -> None:
    """ANON-4: after 48 hours Telegram deletes nothing; then our own messages say something neutral."""
    async with telegram_school(tmp_path) as bot:
        _, parents = await asked(bot)
        parent = parents[0]
        await at_review(bot, parent)
        await until_remembered(bot)
        if hours > 48:
            parent.ages(hours)
        bot.school.clock.move(days=15)
        await bot.rounds()
        assert "They are not sent yet" not in texts(parent)
        assert (GONE in texts(parent)) == (hours > 48)
        assert "More time for tests" not in texts(parent)
        async with bot.school.db.reading() as tx:
            assert await tx.all(select(outbox).where(outbox.c.lane == TIDYING)) == []


async def until_remembered(bot: TelegramSchool) -> None:
    """The review has its number in the run, which is saved just after it was shown."""
    for _ in range(200):
        async with bot.school.db.reading() as tx:
            survey = await find_survey(tx, SURVEY)
            assert survey
            if max(len(run.shown) for run in await runs_in(tx, survey)) >= 2:
                return
        await asyncio.sleep(0.02)
    raise AssertionError("the review was not remembered")


@pytest.mark.parametrize("numbers", [0, 1, 3, 400])
async def test_remembering_them_changes_no_length_on_disk(school: School, numbers: int) -> None:
    """M2: two copies of the file differ by ciphertext only, however much stands in a chat."""
    from bot.playing import note_shown
    from data.tables import runs

    await school.readers()
    people = await school.people(12)
    await send(school)
    talk = school.on(people[0])
    talk.reply = await talk.forges(f"o={SURVEY}")
    await talk.taps("Yes, start")
    async with school.db.transaction() as tx:
        survey = await find_survey(tx, SURVEY)
        assert survey
        run = next(r for r in await runs_in(tx, survey) if r.person == people[0])
        await note_shown(tx, run.id, range(2**31, 2**31 + numbers))
    async with school.db.reading() as tx:
        rows = await tx.all(select(runs))
        survey = await find_survey(tx, SURVEY)
        assert survey
        kept = next(r for r in await runs_in(tx, survey) if r.person == people[0]).shown
    assert len({(len(row.sealed), len(row.words)) for row in rows if row.survey}) == 1
    assert list(kept) == list(range(2**31, 2**31 + numbers))[-len(kept) :] if kept else numbers == 0


# --- ANON-5: reminders --------------------------------------------------------------------------------------------


async def test_everybody_asked_hears_the_same_whether_they_answered_or_not(school: School) -> None:
    """ANON-5: what is written of the bot's own accord while the box is open does not depend on an answer."""
    await school.readers()
    people = await school.people(12)
    survey = await sent(school, room("ANON"))
    await school.rounds()
    for person in people[:6]:
        await gives(school, person, survey, "1", "1", "skip")
    school.clock.move(days=7)
    await school.rounds()
    async with school.db.reading() as tx:
        rows = [r for r in await tx.all(select(outbox)) if r.person in people]
    assert len({tuple(sorted((r.kind, r.ref) for r in rows if r.person == p)) for p in people}) == 1


# --- nothing of ANON carries language, group, date or order -------------------------------------------------------


@given(st.permutations(range(12)), st.lists(st.integers(1, 2), min_size=12, max_size=12))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_files_of_anon_tell_neither_order_nor_anything_else(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], picks: list[int]
) -> None:
    """Domain 6.4: choices only; the same answers in another order of time make the same kind of file."""
    async with opened(tmp_path_factory.mktemp("anon")) as school:
        await school.readers()
        people = await school.people(12)
        survey = await sent(school, room("ANON"))
        for at in order:
            await gives(school, people[at], survey, str(picks[at]), "1", "skip")
            school.clock.move(minutes=7)
        await close(school)
        async with school.db.reading() as tx:
            found = await find_survey(tx, survey)
            assert found
            files = (await files_of(tx, school.house, found, "SENCO", school.clock.now.date())).files
            rows = await tx.all(select(answers))
        head, *sheets = csv.reader(io.StringIO(files["answers"].removeprefix("\ufeff")))
        assert head == ["sheet", "calm.1", "calm.1 words", "calm.2", "calm.2 words"]
        assert sorted(s[1] for s in sheets) == sorted("helps" if pick == 1 else "no-help" for pick in picks)
        assert {tuple(row._fields) for row in rows} == {("survey", "question", "value", "sheet")}
        for name in ("answers", "counts", "codebook"):
            assert "SEND parents" not in files[name]
            assert "telegram" not in files[name].lower()


async def test_words_of_anon_carry_no_person_place_or_time_of_their_own(school: School) -> None:
    """SAFE-12, FAIL-4"""
    await school.readers()
    people = await school.people(12)
    async with school.db.transaction() as tx:
        await add_places(tx, people[0], 1)
    survey = await sent(school, room("ANON"))
    for i, person in enumerate(people):
        await gives(school, person, survey, "1", "1", f"words number {i}")
        school.clock.move(minutes=7)
    await close(school)
    async with school.db.reading() as tx:
        items = await waiting_items(tx)
        sheets = await tx.all(select(answers).where(answers.c.question == SHEET))
    assert {(i.person, i.who) for i in items} == {("", "")}
    assert len({i.came_at for i in items}) == 1
    assert not {i.id for i in items} & {s.sheet for s in sheets}
