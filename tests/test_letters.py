"""Letters with codes: lists of families, the codes behind them, a new code for a lost one, and the paper itself."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from bot.elmfield import ELMFIELD
from bot.facts import House
from bot.families import FamiliesProblem, Family, read_families, text_of
from bot.invitations import Made, good_until, invite_count, invite_families, last_day, reissue
from bot.papers.press import pressed, square
from bot.papers.printable import printable
from bot.papers.slips import letters_pdf, letters_pictures, values
from bot.papers.typesetting import NotPrintable
from bot.proof import proof_words
from bot.said import JOIN, Tap, Text, asking
from bot.web_channel.app import make_app
from conversations.texts import load_texts
from data.codes import find_invitation, find_slip, read_code, slip_of_code, slips_of, spend_code
from data.people import Address, find_group, find_person, people_with_role
from tests.browser.plain import PlainBrowser
from tests.pdf_words import words_of
from tests.png_dots import dark_dots
from tests.school import MONDAY, School

HOUSE = House(ELMFIELD, load_texts(), "https://voice.elmfield.sch.uk", public=True)
POLISH = House(
    ELMFIELD.model_copy(update={"languages": ["en", "pl"]}), HOUSE.texts, "https://voice.elmfield.sch.uk", public=True
)
GROUPS = {"g3": "Year 3 parents", "g4": "Year 4 parents", "gs": "SEND parents"}
UNTIL = date(2026, 11, 16)
UPN = "A123456789012"  # shaped like one; its check letter is wrong
PICTURE = Path(__file__).parent.parent / "docs" / "letters.png"


def problems(text: str, house: House = HOUSE, groups: dict[str, str] = GROUPS) -> list[str]:
    with pytest.raises(FamiliesProblem) as refused:
        read_families(text, groups, house)
    return refused.value.lines


# --- lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "family,group,language\nAli,Year 3 parents,en\nB 2,SEND parents,en\n",
    "\ufefffamily;group;language\r\nAli;Year 3 parents;en\r\n\r\nB 2;SEND parents;en\r\n",
    "Language\tFamily\tGroup\nen\tAli\tyear 3 PARENTS\nEnglish\tB 2\tSEND parents",
    'Ali,"Year 3 parents"\n,,\n" B  2 ",SEND parents,,,\n',
])  # fmt: skip
def test_lists_are_read_as_offices_have_them(text: str) -> None:
    assert read_families(text, GROUPS, HOUSE) == [Family("Ali", "g3", "en"), Family("B 2", "gs", "en")]


def test_a_list_of_labels_alone_will_do_where_there_is_one_group_and_one_language() -> None:
    assert read_families("Family 1\nFamily 2", {"g": "Parents"}, HOUSE) == [
        Family("Family 1", "g", "en"),
        Family("Family 2", "g", "en"),
    ]


def test_two_parents_get_a_letter_each() -> None:
    """PR-1"""
    text = "family,group,children,letters\nAli,Year 3 parents,3,2\nB,Year 3 parents,,\n"
    ali = Family("Ali", "g3", "en", children=3)
    assert read_families(text, GROUPS, HOUSE) == [ali, ali, Family("B", "g3", "en")]


LABELS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_categories=["Cc", "Cf", "Nd", "No", "S"]), min_size=1
)


@given(
    st.lists(
        st.tuples(LABELS, st.sampled_from(sorted(GROUPS)), st.sampled_from(["en", "pl"]), st.integers(1, 9)),
        min_size=1,
        max_size=20,
        unique_by=lambda row: (" ".join(row[0].casefold().split()), row[1]),
    ),
    st.sampled_from(",;\t"),
    st.permutations(["family", "group", "language", "children"]),
    st.booleans(),
)
def test_what_is_written_is_read_again(
    rows: list[tuple[str, str, str, int]], separator: str, columns: list[str], bom: bool
) -> None:
    """Whatever the order of the columns, the separator and the quotation marks."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=separator)
    writer.writeheader()
    families = []
    for number, (name, group, language, children) in enumerate(rows):
        label = " ".join(f"{name[:40]} no {number}".split())
        families.append(Family(label, group, language, children))
        writer.writerow({"family": label, "group": GROUPS[group], "language": language, "children": children})
    text = ("\ufeff" if bom else "") + out.getvalue()
    assert read_families(text_of(text.encode(), POLISH), GROUPS, POLISH) == families


@given(st.text(), st.sampled_from(["", "family,group\n", "family;group;letters\n"]))
def test_any_text_is_read_or_refused_in_words(text: str, heading: str) -> None:
    try:
        found, wrong = read_families(heading + text, GROUPS, HOUSE), []
    except FamiliesProblem as refused:
        found, wrong = [], refused.lines
    assert bool(found) != bool(wrong)
    assert not any("{" in line for line in wrong)


@pytest.mark.parametrize("cell", [
    UPN, UPN.lower(), "Ali A12345678901B", "A 1234 5678 9012", "A-123456789012", "Ａ123456789012", f"({UPN})",
])  # fmt: skip
@pytest.mark.parametrize("row", ["{},Year 3 parents", "Ali,{}", "Ali,Year 3 parents,{}", "Ali,Year 3 parents,en,x,{}"])
def test_a_upn_is_refused_wherever_it_stands(cell: str, row: str) -> None:
    (line,) = problems("family,group,language\n" + row.format(cell))
    assert line.startswith("Line 2: ")
    assert "The bot never keeps UPNs" in line
    assert "12345" not in line


@pytest.mark.parametrize("cell", ["3/5/2018", "03.05.18", "2018-05-03", "Ali 3 May 2018", "May 3rd, 2018", "3-may-18"])
def test_a_date_of_birth_is_refused(cell: str) -> None:
    (line,) = problems(f"{cell};Year 3 parents")
    assert "looks like a date of birth" in line
    assert "18" not in line


@pytest.mark.parametrize("label", ["A12345678901", "Khan 07700 900123", "Flat 3/5", "Room 2018", "Mayer 4", "Y3 12-14"])
def test_other_numbers_in_a_label_are_fine(label: str) -> None:
    assert read_families(f"{label};Year 3 parents", GROUPS, HOUSE) == [Family(label, "g3", "en")]


def test_a_group_named_after_a_date_is_no_date_of_birth() -> None:
    assert read_families("Ali,Starters 01/09/2026", {"g": "Starters 01/09/2026"}, HOUSE)[0].group == "g"


def test_every_wrong_line_is_named_at_once_and_nothing_of_it_repeated() -> None:
    text = "\n".join(
        [
            "family,group,language,children,letters",
            "Ali Baba,Yaer 3 parents,en,1,1",
            "",
            "Good,Year 3 parents,en,1,1",
            ",Year 3 parents,en,0,1",
            "Zed,Chess club for Omar,klingon,1,5",
            "GOOD,year 3 parents,en,1,1",
            f"{'L' * 61},Year 4 parents,,,",
            "Ali Khan, Year 4 parents, en, 1, 1, extra",
            "عائلة,Year 4 parents",
            "Open,,en",
        ]
    )
    assert problems(text) == [
        "Line 2: I do not know this group. Did you mean Year 3 parents?",
        "Line 5: The family is missing. Write a short label, like Family 12. "
        "The number of children is a number from 1 to 9.",
        "Line 6: I do not know this group. Use Year 3 parents, Year 4 parents or SEND parents. "
        "I do not know this language. Use en. The number of letters is a number from 1 to 4.",
        "Line 7: This family stands in line 4 already. For two letters, write 2 in a column called letters.",
        "Line 8: The label is too long. It can have 60 letters.",
        "Line 9: There are too many columns. A comma inside a name needs quotation marks around the name.",
        "Line 10: The label has letters that cannot be printed here. Please use Latin letters.",
        "Line 11: The group is missing. Use Year 3 parents, Year 4 parents or SEND parents.",
    ]


@pytest.mark.parametrize(("text", "says"), [
    ("", "There is no family in the list."),
    ("family,group\n\n", "There is no family in the list."),
    ("family,group,UPN\nAli,Year 3 parents,\n", "Line 1: I know the columns family, group, language"),
    ("family,group,family\nAli,Year 3 parents,\n", "Line 1: The same column stands here twice."),
    ("group,language\nYear 3 parents,en\n", "Line 1: There is no column called family."),
    ('"Ali,Year 3 parents\nB,Year 3 parents\n', "Line 1: A quotation mark is not closed, or a cell has two lines."),
    ("\n".join(f"F{n},Year 3 parents" for n in range(1501)), "There are 1501 families in the list."),
    ("x" * 200_000, "This is not a CSV file"),
])  # fmt: skip
def test_a_list_that_is_none_says_why(text: str, says: str) -> None:
    assert problems(text)[0].startswith(says)


def test_language_is_asked_for_where_there_are_two() -> None:
    assert problems("Ali,Year 3 parents", POLISH) == ["Line 1: The language is missing. Use en or pl."]
    assert read_families("Ali,Year 3 parents,Polish", GROUPS, POLISH)[0].language == "pl"


def test_a_file_that_is_no_utf8_says_how_to_save_it() -> None:
    with pytest.raises(FamiliesProblem, match="CSV UTF-8"):
        text_of("Zoë".encode("latin-1"), HOUSE)


def test_nothing_of_a_family_is_in_a_printed_value() -> None:
    """Logs never hold names or codes."""
    made = Made("7F4K-20TW-J2", ("apple", "river"), "Ali", "SEND parents", "en", 7)
    assert not re.search("Ali|7F4K|apple|river", repr([Family("Ali", "g3", "en"), made]))


# --- codes --------------------------------------------------------------------------------------------------------


async def made_for(school: School, *families: tuple[str, str]) -> list[Made]:
    async with school.db.transaction() as tx:
        wanted = [Family(label, await find_group(tx, group) or "", "en") for label, group in families]
        return await invite_families(tx, school.house, wanted, "maker", school.clock.now)


async def test_each_group_goes_on_with_its_own_numbers(school: School) -> None:
    first = await made_for(school, ("A", "Year 3 parents"), ("B", "SEND parents"), ("C", "Year 3 parents"))
    async with school.db.transaction() as tx:
        group = await find_group(tx, "Year 3 parents") or ""
        more = await invite_count(tx, school.house, group, 2, "en", "", school.clock.now)
        slips = await slips_of(tx, group)
    assert [(m.label, m.group_name, m.number) for m in [*first, *more]] == [
        ("A", "Year 3 parents", 1),
        ("B", "SEND parents", 1),
        ("C", "Year 3 parents", 2),
        ("", "Year 3 parents", 3),
        ("", "Year 3 parents", 4),
    ]
    assert [(s.invitation.slip, s.invitation.label, s.invitation.made_by) for s in slips] == [
        (1, "A", "maker"),
        (2, "C", "maker"),
        (3, "", ""),
        (4, "", ""),
    ]
    assert {s.made_at for s in slips} == {school.clock.now}


async def test_who_uses_a_letter_is_a_parent_with_its_label_and_group(school: School) -> None:
    """S20"""
    (made,) = await made_for(school, ("Ali family", "SEND parents"))
    here = Address("telegram", "7")
    for said in (Text(f"/start {made.code}"), Tap(asking(JOIN, "yes"))):
        await school.dialogue.hear(here, said)
    async with school.db.reading() as tx:
        (person,) = await people_with_role(tx, "parent")
        known = await find_person(tx, person)
        slip = await slip_of_code(tx, read_code(made.code) or "")
    assert known
    assert (known.label, slip and slip.person) == ("Ali family", person)


async def test_a_letter_is_good_to_the_end_of_the_day_it_names(school: School) -> None:
    (made,) = await made_for(school, ("A", "SEND parents"))
    day = last_day(school.house, MONDAY)
    assert day == date(2026, 11, 16)
    evening = good_until(school.house, MONDAY) - timedelta(minutes=1)
    assert evening.astimezone(school.house.school.zone).strftime("%d %H:%M") == "16 23:59"
    async with school.db.reading() as tx:
        assert await find_invitation(tx, read_code(made.code) or "", evening)
        assert not await find_invitation(tx, read_code(made.code) or "", evening + timedelta(minutes=1))


async def test_a_new_code_kills_the_old_one(school: School) -> None:
    """A lost letter: the same number and label, a new code; also where the old one was being looked at."""
    (old,) = await made_for(school, ("Ali family", "SEND parents"))
    here, code = Address("telegram", "7"), read_code(old.code) or ""
    await school.dialogue.hear(here, Text(f"/start {old.code}"))
    async with school.db.transaction() as tx:
        slip = await slip_of_code(tx, code)
        assert slip
        new = await reissue(tx, school.house, slip, "clerk", school.clock.now)
    late = (await school.dialogue.hear(here, Tap(asking(JOIN, "yes")))).messages[0].text
    assert "That code does not work here" in late
    async with school.db.transaction() as tx:
        assert await find_invitation(tx, code, school.clock.now) is None
        (listed,) = await slips_of(tx, slip.invitation.group)
        assert (listed.invitation.slip, listed.invitation.label, listed.invitation.made_by) == (1, old.label, "clerk")
        assert await find_slip(tx, slip.hash)
        assert not await spend_code(tx, code, "somebody", school.clock.now)
        assert await find_invitation(tx, read_code(new.code) or "", school.clock.now)
    assert (new.number, new.label, new.group_name) == (old.number, old.label, old.group_name)
    assert new.code != old.code


async def test_the_words_on_the_letter_are_the_words_of_the_bot(school: School) -> None:
    """B15: the same two in the chat and on the page; and another letter has others."""
    one, other = await made_for(school, ("A", "SEND parents"), ("B", "SEND parents"))
    paper = words_of(letters_pdf(school.house, "elmfield_bot", [one], UNTIL))
    assert f"The bot shows these two words first:\n{one.words[0]} and {one.words[1]}" in paper
    said = f"Check two words first: {one.words[0]} and {one.words[1]}."
    chat = (await school.dialogue.hear(Address("telegram", "7"), Text(f"/start {one.code}"))).messages[0].text
    browser = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    page = (await browser.open(f"/join/{one.code}")).text
    await browser.close()
    assert said in chat
    assert said in page
    assert one.words == proof_words(school.house, school.db.vault, one.code, "en")
    assert (await school.dialogue.hear(Address("telegram", "8"), Text(f"/start {other.code}"))).messages[0].text != chat


# --- paper --------------------------------------------------------------------------------------------------------

LETTERS = [
    Made("7F4K-20TW-J2", ("apple", "river"), "Ali family", "SEND parents", "en", 7),
    Made("0B3M-XQ8Z-9C", ("umbrella", "squirrel"), "", "SEND parents", "en", 8),
]


def paper(house: House = HOUSE, bot: str | None = "elmfield_bot", made: list[Made] = LETTERS) -> str:
    return re.sub(r"\s+", " ", words_of(letters_pdf(house, bot, made, UNTIL)))


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_a_letter_says_what_a_family_needs() -> None:
    """B15, EQ-2, EQ-3, PR-1: and nothing that it must not ask or be."""
    words = paper(made=LETTERS[:1])
    for said in (
        "Elmfield Primary", "For parents and carers.", "7F4K-20TW-J2", "apple and river", "@elmfield_bot",
        "Or open voice.elmfield.sch.uk and type the code.", "The code is good until 16 November 2026.",
        "It is not for emergencies: in danger, call 999.", "It is not for complaints.",
        "It never asks for passwords, bank details or photos.", "It is for one grown-up.",
        "A second one can ask the office for a letter too.", "You do not have to join, and your child loses nothing.",
        "Everything we ask also comes on paper or by phone.", "Keep this letter like a key.",
        "Stop and call the school", "0161 496 0000", "Letter 7", "Ali family",
    ):  # fmt: skip
        assert said in words, said


def test_no_letter_names_a_group() -> None:
    """FAIL-7: a group's name may tell of a need."""
    assert "SEND" not in paper() + str(values(HOUSE, "elmfield_bot", LETTERS, UNTIL))


def test_two_letters_share_a_page_and_only_what_a_school_filled_in_can_change_that() -> None:
    assert pages(letters_pdf(HOUSE, "elmfield_bot", LETTERS * 2, UNTIL)) == 2
    assert pages(letters_pdf(HOUSE, "elmfield_bot", [*LETTERS, LETTERS[0]], UNTIL)) == 2
    name = "St Bartholomew-on-the-Hill Church of England Voluntary Aided Primary School"
    longer = House(ELMFIELD.model_copy(update={"name": name}), HOUSE.texts, HOUSE.web_address, public=True)
    assert pages(letters_pdf(longer, "elmfield_bot", LETTERS, UNTIL)) == 1


def test_what_is_longest_still_stands_on_the_paper() -> None:
    """Then a letter has a page of its own, and nothing runs out at the side or below."""
    name, label = ("The Very Reverend " * 7)[:120].strip(), "W" * 60
    address = "https://" + ".".join(["a-long-part-of-an-address"] * 5) + "/families"
    house = House(ELMFIELD.model_copy(update={"name": name}), HOUSE.texts, address, public=True)
    made = [Made("7F4K-20TW-J2", ("umbrella", "squirrel"), label, "SEND parents", "en", 1234)] * 2
    sheets = letters_pictures(house, "a" * 32, made, UNTIL)
    assert len(sheets) == 2
    for sheet in sheets:
        rows = dark_dots(sheet)
        width = len(rows[0])
        assert not any(any(row[: width // 20]) or any(row[-width // 20 :]) for row in rows)
        assert not any(any(row) for row in rows[-len(rows) // 20 :])


def test_without_a_bots_name_the_square_leads_to_the_page() -> None:
    words = paper(bot=None)
    assert "Telegram" not in words
    assert "Scan the square with your phone. Or open voice.elmfield.sch.uk and type the code." in words


def test_an_address_that_opens_nowhere_is_left_out_or_said_to_be_so() -> None:
    local = House(ELMFIELD, HOUSE.texts)
    assert "127.0.0.1" not in paper(local)
    words = paper(local, bot=None)
    assert "http://127.0.0.1:8080" in words
    assert "It opens only on the school's machine." in words


@pytest.mark.parametrize(("bot", "link"), [
    ("elmfield_bot", "https://t.me/elmfield_bot?start=7F4K-20TW-J2"),
    (None, "https://voice.elmfield.sch.uk/join/7F4K-20TW-J2"),
])  # fmt: skip
def test_the_square_holds_the_link(bot: str | None, link: str) -> None:
    """Dot by dot what the standard makes of the link."""
    slip = values(HOUSE, bot, LETTERS, UNTIL)["slips"][0]
    assert slip["link"] == link
    assert dots(square(slip["link"])) == [bytes(row) for row in segno.make(link, error="m").matrix_iter(border=0)]


def dots(svg: str) -> list[bytes]:
    """The dots of a square, read back from the strokes of its picture."""
    path = re.search(r' d="([^"]+)"', svg)
    size = re.search(r'viewBox="0 0 (\d+)', svg)
    assert path
    assert size
    side, x, y = int(size[1]) - 8, 0, 0.0
    rows = [bytearray(side) for _ in range(side)]
    for kind, one, two in re.findall(r"([MmHh])(-?[\d.]+)(?: ?(-?[\d.]+))?", path[1]):
        if kind in "Mm":
            x, y = (int(one) + x * (kind == "m"), float(two) + y * (kind == "m"))
            continue
        for at in range(x, x + int(one)):
            rows[int(y) - 4][at - 4] = 1
        x += int(one)
    return [bytes(row) for row in rows]


def test_the_pdf_is_tagged_and_says_what_the_square_is() -> None:
    """A11Y: PDF/UA-1."""
    pdf = letters_pdf(HOUSE, "elmfield_bot", LETTERS, UNTIL)
    assert pdf.startswith(b"%PDF")
    assert b"/MarkInfo" in pdf
    assert b"pdfuaid" in pdf
    assert pdf.count(b"/Figure") >= 2


def test_a_label_the_fonts_lack_is_left_to_the_number() -> None:
    made = [Made("7F4K-20TW-J2", ("apple", "river"), "عائلة", "SEND parents", "en", 7)]
    assert "Letter 7" in paper(made=made)
    assert not printable("عائلة")
    assert printable("Łukasz Đoković-O’Neill, Σ Жуков 2nd")


def test_the_press_says_when_a_name_cannot_be_printed() -> None:
    house = House(ELMFIELD.model_copy(update={"name": "小学校"}), HOUSE.texts)
    with pytest.raises(NotPrintable):
        letters_pdf(house, None, LETTERS, UNTIL)


def test_the_press_repeats_nothing_when_it_breaks() -> None:
    with pytest.raises(RuntimeError) as broken:
        pressed("no-such-template.typ", {"slips": [{"link": "x", "label": "Ali"}]})
    assert "Ali" not in str(broken.value)


def test_a_letter_in_a_language_without_phrases_is_in_english() -> None:
    made = [Made("7F4K-20TW-J2", ("apple", "river"), "", "SEND parents", "pl", 7)]
    assert "The code is good until 16 November 2026." in paper(made=made)


def test_the_picture_in_the_docs_is_a_sheet_of_letters(request: pytest.FixtureRequest) -> None:
    """`--update-transcripts` draws it anew. Another machine may round a few dots another way."""
    sheet = letters_pictures(HOUSE, "elmfield_bot", LETTERS, UNTIL)[0]
    if request.config.getoption("--update-transcripts"):
        PICTURE.write_bytes(sheet)
    drawn, kept = dark_dots(sheet), dark_dots(PICTURE.read_bytes())
    assert (len(drawn), len(drawn[0])) == (len(kept), len(kept[0]))
    other = sum(a != b for one, two in zip(drawn, kept, strict=True) for a, b in zip(one, two, strict=True))
    assert other < len(kept) * len(kept[0]) / 1000
