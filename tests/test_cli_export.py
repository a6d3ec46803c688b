"""`yousaid export`: the files of a closed survey, and which are held back."""

from pathlib import Path

import pytest

from tests.command_line import GROUP, LUNCH, CommandLine, command_line_in


@pytest.fixture
def lunch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A small form, sent to twelve people."""
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.set_up()
    yousaid.done("form", "add", yousaid.write("lunch.yaml", LUNCH))
    yousaid.join(12)
    yousaid.done("send", "lunch-check", "--group", GROUP)
    return yousaid


def test_export_writes_the_files_of_a_closed_survey_and_prints_their_paths(lunch: CommandLine) -> None:
    assert "only the results of a closed survey" in lunch("export", "lunch-check", "--out", "out").refused()
    lunch.answer("lunch-check-1", 12)
    lunch.done("close", "lunch-check")

    paths = lunch.done("export", "lunch-check", "--out", "out").lines

    assert {Path(p).name for p in paths} >= {f"lunch-check-1-{kind}.csv" for kind in ("counts", "codebook", "answers")}
    assert all(Path(p).is_file() for p in paths)


def test_answers_without_names_are_only_exported_from_ten_on(lunch: CommandLine) -> None:
    lunch.answer("lunch-check-1", 9)
    lunch.done("close", "lunch-check")

    ran = lunch.done("export", "lunch-check", "--out", "out")

    assert "10 answer sheets" in ran.out
    assert not list(Path("out").glob("*answers*"))
