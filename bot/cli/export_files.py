"""`yousaid export`: which files of a survey may be written, and writing them."""

from __future__ import annotations

from pathlib import Path

from bot.cli.one_line import Problem
from bot.exports import ANON_LEAST, answers_csv, codebook_csv, comments_csv, counts_csv, write_files
from bot.house import Opened
from bot.results import results_of
from conversations.summary import PUBLIC_LEAST, Results
from conversations.texts import Texts
from data.answers import sheets_of
from data.comments import approved_comments, held_comments
from data.surveys import find_survey
from scheduler.clock import now_utc


async def write_survey_files(opened: Opened, name: str, folder: Path) -> list[str]:
    """Lines to print: the paths, and what was left out and why."""
    async with opened.db.reading() as tx:
        survey = await find_survey(tx, name)
        if survey is None:
            raise Problem(f"There is no survey {name}. `yousaid survey list` names them.")
        if survey.state != "closed":
            raise Problem(f"{survey.id} is {survey.state}; only the results of a closed survey can be exported.")
        results = await results_of(tx, opened.house, survey, "en")
        sheets = await sheets_of(tx, survey.id, survey.form)
        comments, held = await approved_comments(tx, survey.id), await held_comments(tx, survey.id)
    texts, today = opened.house.texts, now_utc().astimezone(opened.house.school.zone).date()
    files = {
        f"{survey.id}-counts.csv": counts_csv(results, texts, "en"),
        f"{survey.id}-codebook.csv": codebook_csv(survey.form, results, survey.mode, "admin", today, "en"),
    }
    notes = []
    if survey.mode == "ANON" and len(sheets) < ANON_LEAST:
        notes.append(texts.say("en", "export.answers-few", least=ANON_LEAST))
    else:
        files[f"{survey.id}-answers.csv"] = answers_csv(survey.form, sheets, texts, "en")
    if comments and results.finished >= PUBLIC_LEAST:
        files[f"{survey.id}-comments.csv"] = comments_csv(comments)
    notes += _comment_notes(texts, results, len(comments), held)
    try:
        return [*map(str, write_files(folder, files)), *notes]
    except OSError as error:
        raise Problem(f"{folder} cannot be written: {error.strerror}. Choose another folder.") from None


def _comment_notes(texts: Texts, results: Results, approved: int, held: int) -> list[str]:
    """Why there are no comments, or not all of them (SUP-6)."""
    few = (approved or held) and results.finished < PUBLIC_LEAST
    notes = [texts.say("en", "export.comments-few", least=PUBLIC_LEAST)] if few else []
    return [*notes, *([texts.say("en", "export.comments-held", n=held)] if held else [])]
