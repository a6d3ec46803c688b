"""Raw answers: nobody edits one, a sheet is taken out only with a reason, and the count shows it (AUDIT-1, FAIL-15)."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from bot.exports import answers_csv
from bot.results import results_of
from conversations.counting import CountCheck, count_words
from conversations.summary import summary_text
from data.answers import count_sheets, sheets_of
from data.audit import COMMAND_LINE, entries
from data.counting import count_check, count_checks
from data.database import Tx
from data.names import whose_sheet
from data.records import all_records
from data.removals import removals_of, remove_again, remove_sheet, sheet_numbers
from data.surveys import Survey, find_survey
from data.tables import answers, marks, removals, surveys
from data.tombstones import SHEET, buried
from data.totals import to_totals
from data.unchanged import note_answers
from tests.browser.plain import NewBrowser
from tests.command_line import GROUP, LUNCH, CommandLine, command_line_in
from tests.school import School
from tests.test_exports import read
from tests.test_privacy_modes import MODES, close, gives, room
from tests.test_privacy_modes import sent as sent_room
from tests.test_results_page import closed as closed_form
from tests.test_results_page import with_app
from tests.test_web_channel import naps, signed_in

__all__ = ["naps"]  # a fixture

ROOT = Path(__file__).parent.parent
WHY = "Mrs Lee filled it in by mistake"


async def closed(school: School, mode: str, finished: int = 12) -> str:
    await school.readers()
    people = await school.people(finished + 2)
    survey = await sent_room(school, room(mode))
    for n, person in enumerate(people[:finished]):
        await gives(school, person, survey, "1" if n % 3 else "2", "1", "skip")
    await close(school)
    return survey


async def found(tx: Tx, id: str) -> Survey:
    survey = await find_survey(tx, id)
    assert survey
    return survey


# --- taking one out -----------------------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize("mode", MODES)
async def test_a_sheet_goes_with_its_reason_and_is_counted(school: School, mode: str) -> None:
    """AUDIT-1: gone for good, with whose it was; the reason is sealed, the removal stands in log and report."""
    id = await closed(school, mode)
    async with school.db.transaction() as tx:
        survey = await found(tx, id)
        sheet = (await sheets_of(tx, id, survey.form))[4][0]
        person = await whose_sheet(tx, id, sheet)
        assert await remove_sheet(tx, survey, sheet, f"  {WHY} ", COMMAND_LINE, school.clock.now)
        assert not await remove_sheet(tx, survey, sheet, WHY, COMMAND_LINE, school.clock.now)
    async with school.db.reading() as tx:
        assert not await tx.all(select(answers).where(answers.c.sheet == sheet))
        assert await whose_sheet(tx, id, sheet) is None
        assert {r.person for r in await all_records(tx)} & {person} == set()
        assert len(await all_records(tx)) == (11 if mode == "NAMED" else 0)
        assert await buried(tx, SHEET, [sheet]) == [sheet]
        kept = await removals_of(tx, id)
        assert [(r.reason, r.by) for r in kept] == [(WHY, COMMAND_LINE)]
        assert b"mistake" not in (await tx.all(select(removals)))[0].sealed
        assert [e.actor for e in await entries(tx, id, "sheet.removed")] == [COMMAND_LINE]
        assert await count_check(tx, await found(tx, id)) == CountCheck(11, 1, 12, 0, 0)
        said = summary_text(await results_of(tx, school.house, survey, "en"), school.house.texts, "en")
    assert "1 answer sheet was taken out, with a reason on record." in said
    assert "11 sheets counted, 1 taken out: 12 in all. 12 people took part." in said
    assert WHY not in said


@pytest.mark.parametrize("reason", ["", "  \n"])
async def test_without_a_reason_nothing_is_taken_out(school: School, reason: str) -> None:
    """AUDIT-1"""
    id = await closed(school, "CONF")
    async with school.db.transaction() as tx:
        survey = await found(tx, id)
        sheet = (await sheets_of(tx, id, survey.form))[0][0]
        with pytest.raises(ValueError, match="reason"):
            await remove_sheet(tx, survey, sheet, reason, None, school.clock.now)
        assert await count_sheets(tx, id) == 12


async def test_the_other_sheets_keep_their_numbers(school: School) -> None:
    """Somebody who looks into yesterday's file takes out the sheet they mean."""
    id = await closed(school, "ANON")
    async with school.db.transaction() as tx:
        survey = await found(tx, id)
        before = await sheet_numbers(tx, survey)
        assert sorted(before.values()) == list(range(1, 13))
        third = next(sheet for sheet, number in before.items() if number == 3)
        await remove_sheet(tx, survey, third, WHY, None, school.clock.now)
        after = await sheet_numbers(tx, survey)
        assert after == {sheet: n for sheet, n in before.items() if sheet != third}
        sheets = await sheets_of(tx, id, survey.form)
        rows = read(answers_csv(survey.form, sheets, after, school.house.texts, "en"))
    assert [int(row[0]) for row in rows[1:]] == [1, 2, *range(4, 13)]


async def test_a_restored_backup_does_not_bring_it_back(school: School) -> None:
    """A4.3: replayed, it is gone and accounted for, and replayed once more nothing happens."""
    id = await closed(school, "CONF")
    async with school.db.transaction() as tx:
        survey = await found(tx, id)
        sheet = (await sheets_of(tx, id, survey.form))[0][0]
        for _ in range(2):
            await remove_again(tx, sheet, school.clock.now)
        check = await count_check(tx, survey)
        assert check == CountCheck(11, 1, 12, 0, 0)
        assert "backup" in (await removals_of(tx, id))[0].reason


# --- the count ----------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_the_count_holds_through_removals_and_deletions(school: School) -> None:
    """Over random schools: whatever is done by the rules, both sides stay the same; what is done past them shows."""
    dice = random.Random(11)
    ids = [await closed(school, mode, dice.randint(10, 14)) for mode in (*MODES, "ANON")]
    for _ in range(25):
        async with school.db.transaction() as tx:
            survey = await found(tx, dice.choice(ids))
            await dice.choice([take_out, deleted, on_paper])(tx, survey, school, dice)
            assert all(check.holds for check in (await count_checks(tx)).values())
    for wrong in (vanished, slipped_in, mark_gone):
        async with school.db.transaction() as tx:
            survey = await found(tx, dice.choice(ids))
            before = await count_check(tx, survey)
            assert before
            assert before.holds
            await wrong(tx, survey)
            after = await count_check(tx, survey)
            assert after
            assert not after.holds
            assert "should be the same" in count_words(after, school.house.texts, "en")
            await tx.run(update(surveys).where(surveys.c.id == survey.id).values(gone=after.sheets - after.took_part))
            await tx.run(update(surveys).where(surveys.c.id == survey.id).values(paper=0))
            await note_answers(tx, survey.id)


async def take_out(tx: Tx, survey: Survey, school: School, dice: random.Random) -> None:
    sheets = sorted(await sheet_numbers(tx, survey))
    if sheets:
        await remove_sheet(tx, survey, dice.choice(sheets), WHY, None, school.clock.now)


async def deleted(tx: Tx, survey: Survey, school: School, dice: random.Random) -> None:
    """Somebody is deleted: their mark goes, the number stays."""
    there = [r.person for r in await tx.all(select(marks).where(marks.c.survey == survey.id).order_by(marks.c.person))]
    if there:
        person = dice.choice(there)
        took_part = select(marks.c.survey).where(marks.c.person == person, marks.c.finished.is_(True))
        gone = [r.survey for r in await tx.all(took_part)]
        await tx.run(delete(marks).where(marks.c.person == person))
        await tx.run(update(surveys).where(surveys.c.id.in_(gone)).values(gone=surveys.c.gone + 1))


async def on_paper(tx: Tx, survey: Survey, school: School, dice: random.Random) -> None:
    """A sheet on paper is typed in."""
    row = {"survey": survey.id, "question": "~sheet", "value": "", "sheet": f"paper{dice.random()}"}
    await tx.run(insert(answers).values(**row))
    await tx.run(update(surveys).where(surveys.c.id == survey.id).values(paper=surveys.c.paper + 1))
    await note_answers(tx, survey.id)


async def vanished(tx: Tx, survey: Survey) -> None:
    """Awkward answers removed by hand (FAIL-15)."""
    sheet = await tx.value(select(answers.c.sheet).where(answers.c.survey == survey.id).limit(1))
    await tx.run(delete(answers).where(answers.c.sheet == sheet))


async def slipped_in(tx: Tx, survey: Survey) -> None:
    """A sheet nobody gave, copied from a model."""
    await tx.run(insert(answers).values(survey=survey.id, question="~sheet", value="", sheet="zz-copied"))


async def mark_gone(tx: Tx, survey: Survey) -> None:
    await tx.run(update(surveys).where(surveys.c.id == survey.id).values(gone=surveys.c.gone - 1))


async def test_totals_keep_the_count(school: School) -> None:
    """6.8: after raw answers have become totals it is still known how many sheets there were."""
    id = await closed(school, "ANON")
    async with school.db.transaction() as tx:
        survey = await found(tx, id)
        await take_out(tx, survey, school, random.Random(1))
        before = await count_check(tx, survey)
        assert await to_totals(tx, survey, school.clock.now, school.clock.now.date()) == 11
        assert await count_check(tx, survey) == before == CountCheck(11, 1, 12, 0, 0)


# --- nobody edits a raw answer ------------------------------------------------------------------------------------

MAY_WRITE = {  # (verb, file, function): why
    ("insert", "data/answers.py", "_copy"): "closing",
    ("delete", "data/removals.py", "remove_sheet"): "taken out with a reason",
    ("delete", "data/totals.py", "to_totals"): "its time is over",
}


def test_no_other_code_writes_answers() -> None:
    """AUDIT-1: nothing updates the table at all, and what inserts or deletes is known by name."""
    found = set()
    for path in (p for folder in ("bot", "scheduler", "data", "conversations") for p in (ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            found |= set(writers(path))
    assert not [w for w in found if w[0] == "update"]
    assert found <= set(MAY_WRITE)
    assert ("insert", "data/answers.py", "_copy") in found


def writers(path: Path) -> list[tuple[str, str, str]]:
    """Statements on the answers table in this file: built with SQLAlchemy, as methods of the table, or as text."""
    made = []
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            verbs = {verb for node in ast.walk(function) if (verb := verb_of(node))}
            made += [(verb, str(path.relative_to(ROOT)), function.name) for verb in verbs]
    return made


def verb_of(node: ast.AST) -> str:
    """insert(answers), delete(table) in a loop over answers, answers.update(), or "DELETE FROM answers"."""
    if isinstance(node, ast.Call):
        names = [a.id for a in node.args if isinstance(a, ast.Name)]
        if isinstance(node.func, ast.Name) and node.func.id in ("insert", "update", "delete") and "answers" in names:
            return node.func.id
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id == "answers" and node.func.attr in ("insert", "update", "delete"):  # type: ignore[attr-defined]
            return node.func.attr  # type: ignore[attr-defined]
    if isinstance(node, ast.For) and "answers" in {n.id for n in ast.walk(node.iter) if isinstance(n, ast.Name)}:
        verbs = {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        return next((verb for verb in ("update", "delete", "insert") if verb in verbs), "")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = node.value.lower().split()
        if "answers" in words and words[0] in ("insert", "update", "delete"):
            return words[0]
    return ""


# --- on the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line_in(tmp_path, monkeypatch)
    made.set_up()
    made.done("form", "add", made.write("lunch.yaml", LUNCH))
    made.join(12)
    survey = made.done("send", "lunch-check", "--group", GROUP).lines[-1]
    made.answer(survey, 11)
    made.done("close", survey)
    return made


def test_survey_remove(yousaid: CommandLine) -> None:
    """AUDIT-1: what stands on the sheet is shown first; one yes, one reason."""
    ran = yousaid.done("survey", "remove", "lunch-check", "4", "--reason", WHY, typed="y\n")
    assert "lunch.1: Easy" in ran.out
    assert ran.lines[-1] == (
        "1 answer sheet was taken out, with a reason on record. "
        "10 sheets counted, 1 taken out: 11 in all. 11 people took part."
    )
    shown = yousaid.done("survey", "show", "lunch-check").out
    assert "count: 1 answer sheet was taken out, with a reason on record." in shown
    assert "removed: 11" not in shown
    assert "sheet.removed" in yousaid.done("audit", "show").out
    assert "Counts: 1 closed survey, and both sides agree." in yousaid.done("audit", "verify").out
    yousaid.done("export", "lunch-check", "--out", "out")
    book = (yousaid.folder / "out/lunch-check-1-codebook.csv").read_text(encoding="utf-8-sig")
    assert 'taken out,"1 answer sheet was taken out, with a reason on record."' in book


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lunch-check", "4"), "--reason"),
        (("lunch-check", "4", "--reason", " "), "Say why"),
        (("lunch-check", "99", "--reason", WHY), "no sheet 99"),
        (("nothing", "4", "--reason", WHY), "no survey"),
    ],
)
def test_survey_remove_that_cannot_be(yousaid: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    assert said in yousaid("survey", "remove", *arguments, "--yes").refused()
    assert '"removed": 0' in yousaid.done("survey", "show", "lunch-check", "--json").out


def test_below_ten_sheets_none_is_shown_and_none_taken_out(yousaid: CommandLine) -> None:
    """ANON: what is exported by the row is shown by the row; two removals lead below ten."""
    for number in ("1", "2"):
        yousaid.done("survey", "remove", "lunch-check", number, "--reason", WHY, "--yes")
    assert "10 answer sheets" in yousaid("survey", "remove", "lunch-check", "3", "--reason", WHY, "--yes").refused()


def test_verify_says_where_the_count_is_wrong(yousaid: CommandLine) -> None:
    """FAIL-15: an awkward answer removed by hand."""

    async def vanish(tx: Tx) -> None:
        await vanished(tx, await found(tx, "lunch-check"))

    yousaid.change(vanish)
    ran = yousaid("audit", "verify")
    assert ran.code == 1
    assert "lunch-check-1: 10 sheets counted. 11 people took part. These two numbers should be the same" in ran.out
    assert '"holds": false' in yousaid.done("survey", "show", "lunch-check", "--json").out


# --- on the page --------------------------------------------------------------------------------------------------


async def test_a_sheet_is_looked_at_and_taken_out_on_the_page(school: School, browsers: NewBrowser) -> None:
    """AUDIT-1: both are noted, the look before anything is shown; a second click does nothing."""
    survey = await closed_form(school)
    browser = await with_app(school, browsers, survey)
    assert "11 sheets counted. 11 people took part." in browser.page.text
    await browser.open(f"/results/{survey}/sheet")
    page = await browser.press("Look at it first", number="4")
    assert "Sheet 4" in page.text
    fields = page.form_with("Take it out for good")[0].fields
    page = await browser.press("Take it out for good", reason=" ")
    assert (browser.answer.status_code, "Please say why" in page.text) == (400, True)
    page = await browser.press("Take it out for good", reason=WHY)
    assert page.headings == ["After a drop-in"]
    assert "1 answer sheet was taken out, with a reason on record." in page.text
    again = await browser.http.post(f"/results/{survey}/sheet", data={**fields, "reason": WHY})
    assert (again.status_code, again.url.path) == (200, f"/results/{survey}")
    async with school.db.reading() as tx:
        assert [r.reason for r in await removals_of(tx, survey)] == [WHY]
        rows = await entries(tx, survey, "look.sheet", "sheet.removed")
    assert [e.what for e in rows] == ["look.sheet", "look.sheet", "look.sheet", "sheet.removed"]
    assert len({e.actor for e in rows}) == 1


@pytest.mark.parametrize("number", ["0", "99", "-1", "four", "٤", "9999999999"])
async def test_a_number_that_is_none(school: School, browsers: NewBrowser, number: str) -> None:
    survey = await closed_form(school)
    browser = await with_app(school, browsers, survey)
    page = await browser.open(f"/results/{survey}/sheet?number={number}")
    assert (browser.answer.status_code, "There is no sheet" in page.text) == (404, True)


async def test_few_sheets_are_not_shown_one_by_one(school: School, browsers: NewBrowser) -> None:
    survey = await closed_form(school, 9)
    browser = await with_app(school, browsers, survey)
    page = await browser.open(f"/results/{survey}/sheet?number=1")
    assert "from 10 answer sheets on" in page.text


@pytest.mark.parametrize("role", ["dsl", "office", "governor", "parent"])
async def test_others_neither_look_nor_take_out(school: School, browsers: NewBrowser, role: str) -> None:
    survey = await closed_form(school)
    browser = await signed_in(school, browsers(), await school.person(role))
    csrf = browser.page.form_with("Menu")[0].fields["csrf"]
    await browser.open(f"/results/{survey}/sheet?number=1")
    assert browser.answer.status_code == 403
    answer = await browser.http.post(f"/results/{survey}/sheet", data={"csrf": csrf, "reason": WHY})
    assert answer.status_code == 403
