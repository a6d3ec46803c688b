"""`yousaid export`: writing the files of a survey into a folder."""

from __future__ import annotations

from pathlib import Path

from bot.cli.one_line import Problem
from bot.exports import write_files
from bot.house import Opened
from bot.survey_files import files_of
from data.audit import COMMAND_LINE
from data.looks import note_look
from data.surveys import find_survey
from scheduler.clock import now_utc


async def write_survey_files(opened: Opened, name: str, folder: Path) -> list[str]:
    """Lines to print: the paths, and what was left out and why."""
    now = now_utc()
    today = now.astimezone(opened.house.school.zone).date()
    async with opened.db.transaction() as tx:
        survey = await find_survey(tx, name)
        if survey is None:
            raise Problem(f"There is no survey {name}. `yousaid survey list` names them.")
        if survey.state != "closed":
            raise Problem(f"{survey.id} is {survey.state}; only the results of a closed survey can be exported.")
        found = await files_of(tx, opened.house, survey, "admin", today)
        for kind in found.files:
            await note_look(tx, COMMAND_LINE, f"export-{kind}", survey.id, "", now)
    files = {found.name(kind): content for kind, content in found.files.items()}
    try:
        return [*map(str, write_files(folder, files)), *found.notes]
    except OSError as error:
        raise Problem(f"{folder} cannot be written: {error.strerror}. Choose another folder.") from None
