"""The results of a closed survey, read from storage."""

from __future__ import annotations

from dataclasses import replace

from bot.facts import House
from conversations.summary import PUBLIC_LEAST, Results, Tally, summarise
from data.answers import count_answers
from data.comments import theme_counts
from data.counting import count_check
from data.database import Tx
from data.surveys import Survey


async def results_of(tx: Tx, house: House, survey: Survey, language: str) -> Results:
    """What staff may see of a closed survey."""
    counted = await count_answers(tx, survey.id)
    results = summarise(
        form=survey.form,
        survey_id=survey.id,
        tallies={q: Tally(c.answered, c.counts, c.skipped) for q, c in counted.items()},
        asked=survey.asked,
        started=survey.started or 0,
        finished=survey.finished or 0,
        opened=survey.opened_on,
        closed=survey.closed_on or survey.opened_on,
        language=language,
        facts=house.survey_facts(survey, language),
    )
    results = replace(results, count=await count_check(tx, survey), visits=survey.pooled)
    if results.finished < PUBLIC_LEAST:
        return results  # nothing of what people wrote (SUP-6)
    return replace(results, themes=tuple((await theme_counts(tx, survey.id)).items()))
