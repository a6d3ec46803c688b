"""The words of surveys on their way to others: held by default, redacted, counted as themes, quoted with a yes."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.cli.export_files import write_survey_files
from bot.house import Opened
from bot.results import results_of
from conversations.identifying import telling
from conversations.roles import MAY, ROLES, STAFF_ROLES, may
from conversations.summary import summary_text
from data.comments import (
    HELD,
    QUOTE,
    THEME,
    Comment,
    approved_comments,
    find_comment,
    held_comments,
    save_comment,
)
from data.queue import ROUTES, add_item, find_item, mark_read, mark_transferred, route_item, waiting_items
from data.surveys import find_survey, mark_closed
from data.tables import comments
from tests.browser.plain import PlainBrowser
from tests.school import School
from tests.test_dialogue import SURVEY, answer, send
from tests.test_queue_pages import Enter, a_survey, act, enter, found, read

pytestmark = pytest.mark.both_databases

__all__ = ["enter"]  # a fixture

ORIGINAL = "Ms Patel shouts at my son Tom. Please change the bus."
REDACTED = "Please change the bus."


async def words(
    school: School,
    text: str = ORIGINAL,
    quote: bool = True,
    who: str = "",
    kind: str = "words",
    survey: str = "",
    read_too: bool = True,
) -> str:
    """The words of one person, in the queue."""
    survey = survey or await a_survey(school)
    async with school.db.transaction() as tx:
        id = await add_item(tx, kind, school.clock.now, text, "", who, survey, quote=quote)
        if read_too:
            await mark_read(tx, id, "somebody", school.clock.now)
    return id


async def decided(school: School, id: str) -> Comment | None:
    async with school.db.reading() as tx:
        return await find_comment(tx, id)


async def says(browser: PlainBrowser, id: str, state: str, text: str = REDACTED, **themes: str) -> int:
    """What a reader's form sends after `Read`; the status of the answer."""
    await read(browser, id)
    themes = {name.replace("_", "-"): theme for name, theme in themes.items()}
    await act(browser, f"/queue/{id}/comment", say=state, words=text, **themes)
    return browser.answer.status_code


async def close(school: School, survey: str, finished: int = 12) -> None:
    async with school.db.transaction() as tx:
        await mark_closed(tx, survey, "closed", school.clock.now.date(), finished, finished)


async def exported(school: School, survey: str, folder: Path) -> tuple[list[list[str]], list[str]]:
    """The rows of the comments file, without its heading, and the lines printed."""
    printed = await write_survey_files(Opened(school.db, school.house), survey, folder / "out")
    path = folder / "out" / f"{survey}-comments.csv"
    if not path.exists():
        return [], printed
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["themes", "words", "kind"]
    return rows[1:], printed


# --- deciding -----------------------------------------------------------------------------------------------------


async def test_words_are_held_until_somebody_decides(school: School, enter: Enter, tmp_path: Path) -> None:
    """SAFE-12, FAIL-14: read or not, or held by a reader, nothing of them travels."""
    survey = await a_survey(school)
    await words(school, survey=survey, read_too=False)
    await words(school, survey=survey)
    held = await words(school, survey=survey)
    dsl = await enter("dsl")
    assert await says(dsl, held, HELD, theme_1="transport") == 200
    assert await decided(school, held) == Comment(held, survey, HELD, REDACTED, ("transport",))
    await close(school, survey)
    rows, printed = await exported(school, survey, tmp_path)
    assert rows == []
    assert not (tmp_path / "out" / f"{survey}-comments.csv").exists()
    assert "3 comments are held" in printed[-1]
    files = [path.read_text("utf-8") for path in (tmp_path / "out").iterdir()]
    assert len(files) == 3
    assert not any("Tom" in text or "transport" in text for text in files)


async def test_only_what_readers_left_travels_and_the_original_stays(
    school: School, enter: Enter, tmp_path: Path
) -> None:
    """Redaction keeps the original for the DSL."""
    id = await words(school)
    survey = (await found(school, id)).survey or ""
    senco = await enter("senco")
    assert await says(senco, id, QUOTE, theme_1="Transport") == 200
    assert f"It may be quoted: {REDACTED}" in senco.page.text
    assert "Nothing more has to be done." in senco.page.text
    await close(school, survey)
    rows, _ = await exported(school, survey, tmp_path)
    assert rows == [["Transport", REDACTED, "quote"]]
    dsl = await enter("dsl")
    await read(dsl, id)
    assert ORIGINAL in dsl.page.text
    assert (await found(school, id)).text == ORIGINAL


async def test_a_theme_is_counted_and_its_words_stay(school: School, enter: Enter, tmp_path: Path) -> None:
    id = await words(school, quote=False)
    survey = (await found(school, id)).survey or ""
    dsl = await enter("dsl")
    assert await says(dsl, id, THEME) == 400
    assert "Please write at least one theme." in dsl.page.text
    assert await decided(school, id) is None
    assert await says(dsl, id, THEME, ORIGINAL, theme_1=" transport ", theme_2="Transport", theme_3="drop-ins,") == 200
    await close(school, survey)
    assert (await exported(school, survey, tmp_path))[0] == [["transport; drop-ins", "", "theme"]]


@pytest.mark.parametrize("role", sorted(MAY["queue-all"]))
async def test_no_quote_without_the_authors_yes_even_when_forged(school: School, enter: Enter, role: str) -> None:
    """S10"""
    id = await words(school, quote=False)
    browser = await enter(role)
    await read(browser, id)
    assert "Allow it as a quote" not in browser.page.labels
    assert await says(browser, id, QUOTE) == 400
    assert "The author did not say yes to a quote. Nothing was changed." in browser.page.text
    assert await decided(school, id) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ms Patel is kind", "patel is kind", "PATEL!", "mr okofor shouts", "Miss Honey helps", "Thank Mrs Lee's club",
        "Ring me: 07700 900123", "a.khan@example.org", "His UPN is A123456789012", "We live at M13 9PL", "We Khans say",
        "Ask Mrs K. about it",
    ],
)  # fmt: skip
async def test_nothing_that_names_somebody_becomes_a_quote_or_a_theme(school: School, enter: Enter, text: str) -> None:
    """FAIL-14: staff, other people with a title, numbers, and the author."""
    id = await words(school, who="The Khan family")
    dsl = await enter("dsl")
    assert await says(dsl, id, QUOTE, text, theme_1="bus") == 400
    assert "Take the name out first." in dsl.page.text
    assert "This still names somebody:" in dsl.page.text
    assert text in dsl.answer.text.replace("&#39;", "'")  # what was typed is still there
    assert await says(dsl, id, THEME, REDACTED, theme_1=text) == 400
    assert await decided(school, id) is None
    assert await says(dsl, id, HELD, text) == 200


async def test_names_of_staff_who_joined_count_too(school: School, enter: Enter) -> None:
    """FAIL-14: school.yaml names five people; the others are known by their labels."""
    await school.person("staff", label="Mr Zielinski")
    id = await words(school)
    assert await says(await enter("dsl"), id, QUOTE, "zielinski is fun") == 400


@pytest.mark.parametrize(
    ("text", "maybe"),
    [
        ("My son Tom's bus is late. Buses are.", ("Tom",)),
        ("I like Monday and the SEND room. English too.", ()),
        ("Good. Thank you. Keep it\nBest part of school", ()),
    ],
)
def test_other_words_with_a_capital_letter_are_only_asked_about(text: str, maybe: tuple[str, ...]) -> None:
    found = telling(text, ["Mrs Best", "Ms Patel"])
    assert (found.maybe, found.surely) == (maybe, ("Best",) if "Best" in text else ())


def test_everyday_words_that_are_surnames_do_not_stop_a_quote() -> None:
    assert telling("the best green field in May", ["Mrs Best", "Mr Green", "Ms Field"]).surely == ()
    assert telling("Green is unkind", ["Mr Green"]).surely == ("Green",)


async def test_nothing_flagged_becomes_a_comment(school: School, enter: Enter) -> None:
    """SAFE-12: not even when it was no concern."""
    dsl = await enter("dsl")
    for kind, route in itertools.product(("flagged", "help", "talk"), (None, "none")):
        id = await words(school, kind=kind)
        async with school.db.transaction() as tx:
            item = await find_item(tx, id)
            if route and item:
                await route_item(tx, item, route, (), "a film", "somebody", school.clock.now)
        assert await says(dsl, id, THEME, theme_1="bus") == 404
        assert await decided(school, id) is None


@pytest.mark.parametrize("role", ROLES)
async def test_only_the_reading_team_decides(school: School, enter: Enter, role: str) -> None:
    """Also not the head, to whom it was sent."""
    id = await words(school)
    async with school.db.transaction() as tx:
        item = await find_item(tx, id)
        assert item
        await route_item(tx, item, "complaint" if role != "head" else "staff", (), "", "somebody", school.clock.now)
    browser = await enter(role)
    status = await says(browser, id, THEME, theme_1="bus")
    assert (status == 200) == may({role}, "queue-all")
    assert (await decided(school, id) is not None) == may({role}, "queue-all")


@pytest.mark.parametrize("route", ROUTES)
async def test_words_that_become_a_concern_no_longer_travel(
    school: School, enter: Enter, tmp_path: Path, route: str
) -> None:
    """SAFE-7: sent on after they were approved, and approved after they were sent on."""
    first, second = await words(school), await words(school)
    survey = (await found(school, first)).survey or ""
    dsl = await enter("dsl")
    await says(dsl, first, QUOTE)
    await act(dsl, f"/queue/{first}/route", route=route, reason="because")
    await read(dsl, second)
    await act(dsl, f"/queue/{second}/route", route=route, reason="because")
    concern = route in ("welfare", "staff", "head")
    assert await says(dsl, second, QUOTE) == (400 if concern else 200)
    await close(school, survey)
    rows, _ = await exported(school, survey, tmp_path)
    assert bool(rows) != concern


# --- leaving ------------------------------------------------------------------------------------------------------


async def approve(school: School, survey: str, *themes: str, quote: str = "") -> str:
    id = await words(school, survey=survey)
    async with school.db.transaction() as tx:
        await save_comment(tx, Comment(id, survey, QUOTE if quote else THEME, quote or ORIGINAL, themes))
    return id


@pytest.mark.parametrize("finished", [0, 5, 9, 10, 11])
async def test_no_comment_leaves_where_fewer_than_ten_answered(school: School, tmp_path: Path, finished: int) -> None:
    """SUP-6, in the file and in the summary."""
    survey = await a_survey(school)
    for _ in range(6):
        await approve(school, survey, "bus", quote="More buses.")
    await close(school, survey, finished)
    rows, printed = await exported(school, survey, tmp_path)
    assert len(rows) == (6 if finished >= 10 else 0)
    assert ("Comments are only exported when 10 people or more answered." in " ".join(printed)) == (finished < 10)
    async with school.db.reading() as tx:
        known = await find_survey(tx, survey)
        assert known
        results = await results_of(tx, school.house, known, "en")
    assert ("bus (6)" in summary_text(results, school.house.texts, "en")) == (finished >= 10)


async def test_few_of_a_theme_are_not_told(school: School) -> None:
    """SUP-1"""
    survey = await a_survey(school)
    for themes in (("drop-ins", "bus"), *[("drop-ins",)] * 4, ("lunch",)):
        await approve(school, survey, *themes)
    await close(school, survey)
    async with school.db.reading() as tx:
        known = await find_survey(tx, survey)
        assert known
        text = summary_text(await results_of(tx, school.house, known, "en"), school.house.texts, "en")
    told = "What people wrote about: drop-ins (5), bus (fewer than 5), lunch (fewer than 5)"
    assert told in text.split("\n\n")


async def test_comments_have_an_order_of_their_own(school: School, tmp_path: Path) -> None:
    """Design section 5: by random ids, whatever came or was read first."""
    survey, quotes = await a_survey(school), {}
    for number in range(20):
        school.clock.move(minutes=1)
        quotes[await approve(school, survey, quote=f"number {number}")] = f"number {number}"
    await close(school, survey)
    rows, _ = await exported(school, survey, tmp_path)
    assert [row[1] for row in rows] == [quotes[id] for id in sorted(quotes)] != list(quotes.values())


async def test_comments_are_safe_in_a_spreadsheet(school: School, tmp_path: Path) -> None:
    """EXP-2"""
    survey = await a_survey(school)
    await approve(school, survey, "=1+1", "@bus", quote='=HYPERLINK("http://x","y")\nand "more", too')
    await close(school, survey)
    rows, _ = await exported(school, survey, tmp_path)
    assert rows == [["'=1+1; @bus", '\'=HYPERLINK("http://x","y")\nand "more", too', "quote"]]


async def test_themes_given_before_are_offered_and_spelt_the_same(school: School, enter: Enter) -> None:
    survey = await a_survey(school)
    await approve(school, survey, "Drop-ins")
    id = await words(school, survey=survey)
    dsl = await enter("dsl")
    await read(dsl, id)
    assert '<option value="Drop-ins">' in dsl.answer.text
    await says(dsl, id, THEME, theme_1="drop-INS", theme_2="x" * 60)
    comment = await decided(school, id)
    assert comment
    assert comment.themes == ("Drop-ins", "x" * 40)


async def test_when_the_original_goes_only_what_was_approved_stays(school: School) -> None:
    """SAFE-8"""
    survey = await a_survey(school)
    kept = [await words(school, survey=survey) for _ in range(3)]
    async with school.db.transaction() as tx:
        for id, state in zip(kept, (HELD, THEME, QUOTE), strict=True):
            await save_comment(tx, Comment(id, survey, state, REDACTED, ("bus",)))
            await mark_transferred(tx, id, "somebody", school.clock.now)
    school.clock.move(days=7)
    await school.rounds()
    left = [await decided(school, id) for id in kept]
    assert [c and (c.state, c.words, c.themes) for c in left] == [
        None, (THEME, "", ("bus",)), (QUOTE, REDACTED, ("bus",)),
    ]  # fmt: skip


@pytest.mark.files
async def test_words_of_comments_are_sealed(school: School, enter: Enter) -> None:
    """No word of a person is readable in the file."""
    id = await words(school, text="xylophone lessons please")
    assert await says(await enter("dsl"), id, QUOTE, "xylophone lessons", theme_1="glockenspiel") == 200
    files = [school.db.path, school.db.path.with_name(school.db.path.name + "-wal")]
    raw = b"".join(path.read_bytes() for path in files if path.exists())
    assert id.encode() in raw
    assert b"xylophone" not in raw
    assert b"glockenspiel" not in raw


# --- the whole way ------------------------------------------------------------------------------------------------


async def test_from_twelve_parents_to_the_file(school: School, enter: Enter, tmp_path: Path) -> None:
    """No free text reaches anybody outside the reading team before a human has read it and let it go."""
    await school.readers()
    parents = await school.people(12)
    await send(school)
    for number, person in enumerate(parents):
        await answer(school, person, f"zebra crossing {number}")
    school.clock.move(days=15)
    await school.rounds()
    async with school.db.reading() as tx:
        items = await waiting_items(tx)
    assert len(items) == 12
    await nobody_is_told(school, "zebra")
    dsl = await enter("dsl")
    for item in items:
        await read(dsl, item.id)
        assert await says(dsl, item.id, QUOTE, "zebra") == 400  # nobody was asked for a yes, or said it
        assert await says(dsl, item.id, THEME, item.text, theme_1="road") == 200
    await nobody_is_told(school, "zebra")
    rows, printed = await exported(school, SURVEY, tmp_path)
    assert rows == [["road", "", "theme"]] * 12
    assert not any("held" in line for line in printed)
    assert not any("zebra" in path.read_text("utf-8") for path in (tmp_path / "out").iterdir())


async def nobody_is_told(school: School, word: str) -> None:
    """In no chat of any role, whatever they ask for."""
    for role in STAFF_ROLES:
        talk = school.on(await school.person(role))
        for command in ("summary", "export", "queue", "menu"):
            reply = await talk.types(f"/{command}")
            files = [m.file.content.decode("utf-8") for m in reply.messages if m.file]
            assert word not in talk.text + "".join(files)
            await talk.types("cancel")


async def test_counting_comments_of_an_unknown_survey_finds_none(school: School) -> None:
    async with school.db.reading() as tx:
        assert await held_comments(tx, "nothing-1") == 0
        assert await approved_comments(tx, "nothing-1") == []
        assert await tx.value(select(func.count()).select_from(comments)) == 0
