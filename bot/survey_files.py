"""Which files of a closed survey may be handed out, and what is left out and why: for the command line and the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from bot.exports import ANON_LEAST, answers_csv, codebook_csv, comments_csv, counts_csv
from bot.facts import House
from bot.results import results_of
from conversations.summary import PUBLIC_LEAST, Results
from conversations.texts import Texts, long_date
from data.answers import sheets_of
from data.comments import approved_comments, held_comments
from data.database import Tx
from data.removals import sheet_numbers
from data.surveys import Survey


@dataclass(frozen=True)
class SurveyFiles:
    """`files`: kind ("counts", "codebook", "answers", "comments") -> CSV. `notes` say what is missing and why."""

    survey: str
    files: dict[str, str] = field(repr=False)
    notes: list[str]

    def name(self, kind: str) -> str:
        return f"{self.survey}-{kind}.csv"


async def files_of(tx: Tx, house: House, survey: Survey, made_by: str, today: date) -> SurveyFiles:
    """Everything that may leave of a closed survey."""
    texts = house.texts
    results = await results_of(tx, house, survey, "en")
    sheets = await sheets_of(tx, survey.id, survey.form)
    comments, held = await approved_comments(tx, survey.id), await held_comments(tx, survey.id)
    files = {
        "counts": counts_csv(results, texts, "en"),
        "codebook": codebook_csv(survey.form, results, survey.mode, made_by, today, texts, "en"),
    }
    notes = []
    if survey.totals_since:
        notes.append(texts.say("en", "export.only-totals", date=long_date(survey.totals_since, "en")))
    elif survey.mode == "ANON" and len(sheets) < ANON_LEAST:
        notes.append(texts.say("en", "export.answers-few", least=ANON_LEAST))
    else:
        hidden = {q.id for q in results.questions if q.hidden}
        numbers = await sheet_numbers(tx, survey)
        files["answers"] = answers_csv(survey.form, sheets, numbers, texts, "en", hidden)
    if comments and results.finished >= PUBLIC_LEAST:
        files["comments"] = comments_csv(comments)
    return SurveyFiles(survey.id, files, notes + _comment_notes(texts, results, len(comments), held))


def _comment_notes(texts: Texts, results: Results, approved: int, held: int) -> list[str]:
    """Why there are no comments, or not all of them (SUP-6)."""
    few = (approved or held) and results.finished < PUBLIC_LEAST
    notes = [texts.say("en", "export.comments-few", least=PUBLIC_LEAST)] if few else []
    return [*notes, *([texts.say("en", "export.comments-held", n=held)] if held else [])]
