"""What came out when somebody tried to break it: each test failed before its cause was mended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.logs import set_up_logging
from bot.said import Edited, Text, Unusable
from bot.web_channel.app import make_app
from data import codes
from data.access import cut_access
from data.people import Address
from data.queue import Item, waiting_items
from tests.browser.plain import PlainBrowser
from tests.command_line import SCHOOL, command_line_in
from tests.school import School, opened
from tests.telegram_school import telegram_school
from tests.telegram_server import TelegramServer
from tests.test_dialogue import SURVEY, send

TOLD = "my uncle hurts me"
PHOTO = {"photo": [{"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1}], "caption": TOLD}
STOPPED = "OK. I will not send you messages by myself. Type /start to get them again."


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    async with opened(tmp_path) as found:
        yield found


async def waiting(school: School) -> list[Item]:
    async with school.db.reading() as tx:
        return await waiting_items(tx)


async def invited(school: School) -> str:
    """One of ten parents who were asked the questions."""
    await school.readers()
    parents = await school.people(10)
    await send(school)
    return parents[0]


# --- words that must reach a human, wherever they are typed (SAFE-12) ----------------------------------------------


@pytest.mark.parametrize("command", ["/", "/help ", "/start ", "/menu ", "/stop ", "/needhelp ", "/unheard-of "])
async def test_words_after_a_slash_reach_a_human(school: School, command: str) -> None:
    talk = school.on(await school.person("parent"))
    await talk.types(command + TOLD)
    assert [TOLD in item.text for item in await waiting(school)] == [True]
    assert "You did the right thing" in talk.text or "It is good to ask" in talk.text


async def test_stop_with_words_behind_it_still_stops(school: School) -> None:
    person = await school.person("parent")
    await school.on(person).types(f"/stop {TOLD}")
    assert (await school.known(person)).stopped


@pytest.mark.parametrize("said", [Text(f"/start {TOLD}"), Unusable(TOLD), Edited(TOLD)], ids=lambda s: type(s).__name__)
async def test_a_stranger_is_heard_by_a_human(school: School, said: Text | Unusable | Edited) -> None:
    reply = await school.dialogue.hear(Address("telegram", "77"), said)
    assert [TOLD in item.text for item in await waiting(school)] == [True]
    assert "999" in reply.messages[0].text


@pytest.mark.parametrize("said", [Unusable(TOLD), Edited(TOLD)], ids=lambda s: type(s).__name__)
async def test_words_below_a_picture_or_edited_stop_the_questions(school: School, said: Unusable | Edited) -> None:
    parent = await invited(school)
    talk = school.on(parent)
    await talk.forges(f"o={SURVEY}")
    await talk.types("yes")
    reply = await school.dialogue.hear_person(parent, said, "web")
    assert [item.text for item in await waiting(school)] == [TOLD]
    assert [b.label for b in reply.messages[0].buttons] == ["Go on", "Stop"]


async def test_telegram_hands_over_captions_and_edits(tmp_path: Path) -> None:
    async with telegram_school(tmp_path) as bot:
        parent = await bot.joins("parent", "SEND parents")
        parent.sends_update(PHOTO)
        await parent.reads_until("You did the right thing")
        message = (await parent.types("all is well"))["message"]
        await parent.reads_until("I did not understand that")
        parent.sends_update({"edited_message": message | {"text": "all is very well", "edit_date": message["date"]}})
        await parent.reads_until("Please write it again as a new message")
        parent.sends_update({"edited_message": message | {"text": TOLD, "edit_date": message["date"]}})
        await parent.reads_until("You did the right thing")
        assert [item.text for item in await waiting(bot.school)] == [TOLD, TOLD]


@pytest.mark.parametrize(
    ("lines", "then"),
    [
        (("/dropin", "1 December 2026"), "At what time?"),
        (("/dropin", "1 December 2026", "9am"), "Where is it?"),
        (("/send", "2", "1", "change", "3"), "It will decide: what we change in the help"),
        (("/send", "2", "1", "change", "4"), "Who decides?"),
    ],
    ids=["time", "place", "decision", "decider"],
)
async def test_staff_are_heard_where_a_task_asks_for_words(school: School, lines: tuple[str, ...], then: str) -> None:
    await invited(school)
    talk = school.on(await school.person("senco"))
    await talk.types(*lines, TOLD)
    assert [item.text for item in await waiting(school)] == [TOLD]
    await talk.types("Go on")
    assert then in talk.text
    assert "uncle" not in talk.text


# --- commands and codes as people really type them -----------------------------------------------------------------


@pytest.mark.parametrize("typed", ["/stop.", "/stop!", "/STOP", "/stop\nplease", "/ stop"])
async def test_a_command_with_a_mark_or_on_a_line_of_its_own_is_one(school: School, typed: str) -> None:
    person = await school.person("parent")
    await school.on(person).types(typed)
    assert (await school.known(person)).stopped


AS_TYPED = (
    "{0} {1} {2}", "{0}\u2013{1}\u2013{2}", "{0}\u2011{1}\u2011{2}", "{0}-{1}-{2}.", "\u201c{0}-{1}-{2}\u201d",
    "https://t.me/elmfield_bot?start={0}-{1}-{2}", "http://127.0.0.1:8080/join/{0}-{1}-{2}", "/start\n{0}-{1}-{2}",
)  # fmt: skip


@pytest.mark.parametrize("typed", AS_TYPED)
async def test_a_code_is_read_however_it_is_typed_or_pasted(school: School, typed: str) -> None:
    code = (await school.code("parent", "SEND parents", uses=2)).split("-")
    reply = await school.dialogue.hear(Address("telegram", "77"), Text(typed.format(*code)))
    assert "Do you want to join?" in reply.messages[0].text
    talk = school.on(await school.person("governor"))
    await talk.types(typed.format(*code))
    assert "Do you want to join?" in talk.text


@pytest.mark.parametrize("words", ["they hit2 me", "stop hurt 1t", "he hits me2", "I am 10 and sad"])
async def test_words_in_the_shape_of_a_code_are_words(school: School, words: str) -> None:
    talk = school.on(await school.person("parent"))
    await talk.types(words)
    assert "That code does not work" not in talk.text


# --- STOP and codes outside a question -----------------------------------------------------------------------------


async def at(school: School, place: str) -> str:
    """A parent at this place of the questions."""
    parent = await invited(school)
    talk = school.on(parent)
    await talk.forges(f"o={SURVEY}")
    lines = {"intro": 0, "review": 8, "change": 9, "sent": 9}[place]
    last = "Change an answer" if place == "change" else "Send my answers"
    await talk.types(*["yes", *["skip"] * 7, last][:lines])
    return parent


@pytest.mark.parametrize("place", ["intro", "review", "change", "sent"])
async def test_stop_typed_outside_a_question_ends_all_messages(school: School, place: str) -> None:
    """MSG-3"""
    parent = await at(school, place)
    talk = school.on(parent)
    await talk.types("STOP")
    assert (talk.text, (await school.known(parent)).stopped) == (STOPPED, True)


@pytest.mark.parametrize("place", ["intro", "review", "change", "sent"])
async def test_a_code_typed_outside_a_question_is_taken(school: School, place: str) -> None:
    parent = await at(school, place)
    talk = school.on(parent)
    await talk.types((await school.code("governor")).lower().replace("-", ""))
    assert "Do you want to join?" in talk.text
    await talk.taps("Yes, start")
    assert "governor" in (await school.known(parent)).roles


async def test_yes_typed_to_a_code_opened_in_the_middle_of_a_question_joins(school: School) -> None:
    parent = await at(school, "intro")
    talk = school.on(parent)
    await talk.types("yes", f"/start {await school.code('governor')}", "Yes, start")
    assert "governor" in (await school.known(parent)).roles
    await talk.types("1")
    assert "Question 2 of 7" in talk.text


# --- words that were not true ---------------------------------------------------------------------------------------


async def test_a_pupil_gets_the_words_for_pupils_outside_a_question_too(school: School) -> None:
    talk = school.on(await school.person("pupil"))
    await talk.types(TOLD)
    assert "You can also call Childline" in talk.text
    assert "NSPCC for adults" not in talk.text


async def test_again_after_a_staff_task_names_the_questions_that_are_open(school: School) -> None:
    await school.readers()
    await school.people(9)
    both = await school.person("senco", "parent")
    await send(school)
    talk = school.on(both)
    await talk.forges(f"o={SURVEY}")
    await talk.types("yes", "/summary", "/again")
    assert "There are no open questions" not in talk.text
    await talk.taps("Open")
    assert "Question 1 of 7" in talk.text


async def test_a_staff_task_offers_no_skip_that_it_has_not(school: School) -> None:
    talk = school.on(await school.person("senco"))
    await talk.types("/dropin", "1 December 2026")
    assert "Skip" not in talk.text


async def test_a_second_tap_on_a_task_that_is_done_speaks_of_no_closed_questions(school: School) -> None:
    talk = school.on(await school.person("senco"))
    await talk.types("/invite", "1", "SEND parents")
    button = talk.button("Make the code").says
    await talk.forges(button)
    assert [m.text for m in (await talk.forges(button)).messages] == ["That is finished. /menu shows what you can do."]


async def test_a_role_that_waits_names_a_colleague_who_has_left_as_one(school: School) -> None:
    maker, head = await school.person("senco"), await school.person("head")
    async with school.db.transaction() as tx:
        what = codes.Invitation("office", None, "en", "Mr Reed", waits=True, made_by=maker)
        await codes.make_code(tx, what, 1, school.clock.now + timedelta(days=14))
        await cut_access(tx, maker, school.clock.now)
        ref = (await codes.waiting_slips(tx, school.clock.now))[0].hash[: codes.START]
    reply = await school.on(head).forges(f"w={ref}")
    assert reply.messages[0].text.startswith("A colleague made a code.")


# --- braces and long words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Year 3 {", "Year 3 }", "{0}", "{school.x}", "{unheard-of}"])
async def test_braces_in_a_name_are_just_braces(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path, groups=[name, "SEND parents"]) as school:
        talk = school.on(await school.person("senco"))
        await talk.types("/dropin", "1 December 2026", "9:00", "The hall {")
        assert name in talk.text
        await talk.taps(name)
        assert name in talk.text


async def test_words_are_screened_whole_on_the_page(school: School) -> None:
    browser = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    try:
        await browser.open(f"/join/{await school.code('parent', 'SEND parents')}")
        await browser.press("Yes, start")
        await browser.type("word " * 1000 + TOLD)
        assert [item.text.endswith(TOLD) for item in await waiting(school)] == [True]
    finally:
        await browser.close()


def test_no_code_reads_as_a_cry_for_help(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter("SF6CTS0S66" + "S74SAAKY65" + "7K3M9PQ2RV")
    monkeypatch.setattr(codes.secrets, "choice", lambda _: next(drawn))
    assert codes._random_code() == "7K3M9PQ2RV"


# --- updates that cannot be read ------------------------------------------------------------------------------------


async def test_an_update_that_cannot_be_read_is_passed_over_and_not_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """B11"""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    set_up_logging("debug", [])
    try:
        async with telegram_school(tmp_path) as bot:
            parent = await bot.joins("parent", "SEND parents")
            parent.sends_update({"poll": {"id": "1", "question": TOLD, "options": []}})
            parent.sends_update({"poll": {"id": "2", "question": TOLD, "options": []}})
            await parent.types("/help")
            await parent.reads_until("What you can do")
    finally:
        logging.getLogger().handlers[:], logging.getLogger().level = before
    printed = "".join(capfd.readouterr())
    assert "an update cannot be read" in printed
    assert "uncle" not in printed


# --- ending ---------------------------------------------------------------------------------------------------------


async def ended(env: dict[str, str], folder: Path, seconds: float) -> tuple[int | None, str]:
    """How `yousaid run` ends, asked so long after its start; and what it said beside what its jobs did."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=env, cwd=folder, stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    _, said = await asyncio.wait_for(process.communicate(), 10)
    return process.returncode, "\n".join(line for line in said.decode().splitlines() if " INFO " not in line)


async def set_up(folder: Path) -> dict[str, str]:
    """A school in this folder; the environment for its commands."""
    (folder / "school.yaml").write_text(SCHOOL)
    env = {k: v for k, v in os.environ.items() if not k.startswith("YOUSAID_")} | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "YOUSAID_DATABASE": str(folder / "data/yousaid.db"),
        "YOUSAID_KEY_FILE": str(folder / "keys/key"),
        "YOUSAID_LISTEN": "127.0.0.1:0",
    }
    setup = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "setup", "--from", "school.yaml", env=env, cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await setup.wait() == 0
    return env


@pytest.mark.slow
async def test_a_signal_while_starting_ends_it_well(tmp_path: Path) -> None:
    env = await set_up(tmp_path)
    async with TelegramServer(delay=3) as server:
        env |= {"YOUSAID_TELEGRAM_TOKEN": server.token, "YOUSAID_TELEGRAM_API": server.url}
        for seconds in (2, 3, 4.5):  # Python itself must have begun, also on a busy machine
            assert await ended(env, tmp_path, seconds) == (0, "")


@pytest.mark.slow
async def test_a_start_without_a_line_to_telegram_waits_for_one(tmp_path: Path) -> None:
    env = await set_up(tmp_path)
    env |= {"YOUSAID_TELEGRAM_TOKEN": "123456:canary", "YOUSAID_TELEGRAM_API": "http://127.0.0.1:9"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=env, cwd=tmp_path, stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stderr
    said = await asyncio.wait_for(process.stderr.readline(), 30)
    assert b"cannot be reached, trying again" in said
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0


def test_a_garbled_env_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yousaid = command_line_in(tmp_path, monkeypatch)
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00YOUSAID_LOG=debug")
    assert yousaid("run").refused().startswith("The file .env is not plain text")
