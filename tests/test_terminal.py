"""`yousaid try`: a form played in the terminal, with numbers, words, quit and piped input."""

from pathlib import Path

import pytest

from conversations.library import bundled_forms
from tests.command_line import LUNCH, CommandLine, command_line_in

TWO = (
    LUNCH
    + """\
  - {id: lunch.2, type: few, max: 2, text: {en: What helps?}, choices: [{id: queue, label: {en: Shorter queue}}, {id: seat, label: {en: A seat}}, {id: food, label: {en: Other food}}], show_if: {lunch.1: [hard]}}
  - {id: lunch.3, type: text, text: {en: Anything else?}}
"""  # noqa: E501
)


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    yousaid = command_line_in(tmp_path, monkeypatch)
    yousaid.write("lunch.yaml", TWO)
    return yousaid


def test_numbers_and_words_play_a_form_to_the_end(yousaid: CommandLine) -> None:
    ran = yousaid.done("try", "lunch.yaml", typed="yes\n2\n1, 3\nMore time\nSend my answers\n")

    assert "We want lunch to be better." in ran.out
    assert "Question 2 of 3\n\nWhat helps?" in ran.out
    assert "1. Shorter queue\n2. A seat\n3. Other food" in ran.out
    assert "Answers (sent):" in ran.out
    assert "Shorter queue and Other food" in ran.out.partition("Answers (sent):")[2]
    assert "More time" in ran.out.partition("Answers (sent):")[2]


def test_controls_work_by_their_labels(yousaid: CommandLine) -> None:
    ran = yousaid.done("try", "lunch.yaml", typed="Yes, start\nskip\nback\neasy\n")

    assert "[Skip] [Back] [Stop] [I need help]" in ran.out
    assert "Answers (not sent):\n1. Is lunch easy or hard?\nEasy" in ran.out


def test_words_that_fit_nothing_are_answered(yousaid: CommandLine) -> None:
    assert "I did not understand that." in yousaid.done("try", "lunch.yaml", typed="yes\nperhaps\n").out


def test_quit_and_the_end_of_input_leave_politely(yousaid: CommandLine) -> None:
    for typed in ("quit\n", "", "yes\nQUIT\n"):
        assert yousaid.done("try", "lunch.yaml", typed=typed).lines[-1] == "No answers."


def test_trace_shows_the_events(yousaid: CommandLine) -> None:
    ran = yousaid.done("try", "lunch.yaml", "--trace", typed="yes\n1\n")

    assert "· Asked(question='lunch.1'" in ran.out
    assert "· Answered(question='lunch.1'" in ran.out


def test_flagged_words_stop_the_questions(yousaid: CommandLine) -> None:
    ran = yousaid.done("try", "lunch.yaml", typed="yes\n1\nI need help\ngo on\n")

    assert "tells Mr Okafor" in ran.out
    assert "[Go on] [Stop]" in ran.out
    assert ran.out.count("Anything else?") == 2


def test_bad_form_and_no_form_are_one_line(yousaid: CommandLine) -> None:
    assert "bad.yaml" in yousaid("try", yousaid.write("bad.yaml", "id: x\n")).refused()
    assert "nowhere.yaml" in yousaid("try", "nowhere.yaml").refused()


@pytest.mark.parametrize("id", sorted(bundled_forms()))
def test_every_form_that_comes_with_the_program_plays_to_the_end(yousaid: CommandLine, id: str) -> None:
    path = Path(__file__).parent.parent / f"conversations/forms/{id}.yaml"
    form = bundled_forms()[id]
    typed = {"text": "Some words", "number": "3", "date": "5 May 2027"}
    lines = ["yes", *(typed.get(q.type, "1") for q in form.questions)]

    ran = yousaid.done("try", str(path), typed="\n".join([*lines, "go on", "send my answers", ""]))

    assert "{" not in ran.out
    assert "Answers (" in ran.out


def test_piped_input_works_in_a_process_of_its_own(yousaid: CommandLine) -> None:
    ran = yousaid.process("try", "lunch.yaml", typed="yes\n1\nskip\nsend my answers\n")

    assert (ran.code, ran.err) == (0, "")
    assert "Answers (sent):" in ran.out
    assert "> " not in ran.out
