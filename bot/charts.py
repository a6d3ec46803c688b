"""A summary as one picture for a phone: bars told apart by pattern and number, never by colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize
from xml.sax.saxutils import escape

from conversations.summary import QuestionSummary, Results, Row, base_line, note_words, row_words, skipped_words
from conversations.texts import Texts, clean

FONTS = Path(__file__).parent / "fonts"
WIDTH, MARGIN = 900, 32
INNER = WIDTH - 2 * MARGIN
TITLE, QUESTION, PLAIN = 38, 30, 27  # sizes of type; on a phone the picture shrinks to less than half
BAR, THIN, SWATCH = 56, 44, 30
INK, GREY = "#111111", "#555555"
MOST_LINES = 4  # the text beside the picture has the whole words

# Okabe and Ito's colours, which people with any colour vision tell apart, each with a pattern of its own.
PATTERNS = (
    ("#0072B2", ""),
    ("#F0E442", '<path d="M0 24L24 0M-6 6L6 -6M18 30L30 18" stroke="#111" stroke-width="4"/>'),
    ("#FFFFFF", '<circle cx="6" cy="6" r="4"/><circle cx="18" cy="18" r="4"/>'),
    ("#E69F00", '<path d="M0 6H24M0 18H24" stroke="#111" stroke-width="4"/>'),
    ("#56B4E9", '<path d="M6 0V24M18 0V24" stroke="#111" stroke-width="3"/>'),
    ("#009E73", '<path d="M0 0L24 24M0 24L24 0" stroke="#FFF" stroke-width="4"/>'),
)
PALE = "#BFDDF2"
HIDDEN = ("#E4E4E4", '<path d="M0 0L24 24M-6 18L6 30M18 -6L30 6" stroke="#767676" stroke-width="3"/>')

# Bounds of how wide Noto Sans Bold draws a letter, in parts of the size; for Regular they hold all the more.
_WIDE = (
    (" '!,.:;-[]()ijlJ", 0.34),
    ('`If{}/\\_tr"?', 0.49),
    ("*FS|ELTZcsxvyz$+^=<>~0123456789", 0.59),
    ("ABCKPRVXYabdeghknopqu#&", 0.76),
    ("DGHNOQU", 0.82),
    ("mwMW@%", 0.98),
)
WIDTHS = {letter: width for letters, width in _WIDE for letter in letters}


def chart(results: Results, texts: Texts, language: str) -> bytes:
    """The results as a PNG, 900 wide and as high as it needs."""
    import resvg_py  # late: its library takes long to load, and most starts draw nothing

    fonts = [str(FONTS / f"NotoSans-{weight}.ttf") for weight in ("Regular", "Bold")]
    svg = chart_svg(results, texts, language)
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=fonts))


def chart_svg(results: Results, texts: Texts, language: str) -> str:
    """The picture before it is drawn; all words are escaped."""
    page = Page()
    page.words(results.title, TITLE, bold=True)
    if results.hidden:
        page.words(texts.say(language, "summary.too-few", least=results.least), PLAIN)
        page.hidden_bar()
        return page.svg()
    page.words(base_line(results, texts, language), PLAIN)
    for number, question in enumerate(results.questions, 1):
        if question.type == "text":
            continue  # has no counts; and the lower the picture, the less a messenger shrinks it
        _draw_question(page, number, question, results, texts, language)
    return page.svg()


@dataclass
class Page:
    """What is drawn so far, from the top down to `y`."""

    y: float = MARGIN
    parts: list[str] = field(default_factory=list)

    def words(self, text: str, size: int, bold: bool = False, x: float = MARGIN, width: float = INNER) -> None:
        for line in wrapped(text, size, width):
            self.y += size * 1.3
            self.parts.append(_text(line, x, self.y - size * 0.3, size, bold))

    def gap(self, height: float) -> None:
        self.y += height

    def rule(self) -> None:
        self.gap(16)
        self.parts.append(f'<rect x="{MARGIN}" y="{self.y:.1f}" width="{INNER}" height="2" fill="#BBBBBB"/>')
        self.gap(8)

    def bar(self, x: float, width: float, height: float, pattern: str) -> None:
        """A filled piece at the present height; the caller moves on."""
        box = f'x="{x:.1f}" y="{self.y:.1f}" width="{width:.1f}" height="{height}"'
        self.parts.append(f'<rect {box} fill="url(#{pattern})" stroke="{INK}" stroke-width="2"/>')

    def hidden_bar(self) -> None:
        self.gap(14)
        self.bar(MARGIN, INNER, BAR, "hidden")
        self.gap(BAR + 6)

    def svg(self) -> str:
        height = int(self.y + MARGIN)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="Noto Sans"><defs>{"".join(_patterns())}</defs>'
            f'<rect width="{WIDTH}" height="{height}" fill="#FFFFFF"/>{"".join(self.parts)}</svg>'
        )


def _patterns() -> Iterator[str]:
    named = [(f"p{i}", *pattern) for i, pattern in enumerate(PATTERNS)]
    for name, colour, marks in [*named, ("hidden", *HIDDEN), ("plain", PALE, "")]:
        yield (
            f'<pattern id="{name}" width="24" height="24" patternUnits="userSpaceOnUse">'
            f'<rect width="24" height="24" fill="{colour}"/>{marks}</pattern>'
        )


def _text(line: str, x: float, y: float, size: int, bold: bool = False, middle: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{INK}"{weight}{anchor}>{escape(line)}</text>'


def _draw_question(
    page: Page, number: int, question: QuestionSummary, results: Results, texts: Texts, language: str
) -> None:
    page.rule()
    page.words(texts.say(language, "summary.question", n=number, text=question.text), QUESTION, bold=True)
    if question.hidden or question.several:
        page.words(" ".join(note_words(question, texts, language)), PLAIN)
    labels = [_short(row, question, results, texts, language) for row in question.rows]
    skipped = skipped_words(question, texts, language) if question.skipped else ""
    if question.hidden:
        page.hidden_bar()
    elif question.several or question.answered is None:
        _draw_bars(page, question, labels)
    else:
        _draw_stacked(page, question, labels, skipped)
        return
    if skipped:
        page.words(skipped, PLAIN)


def _short(row: Row, question: QuestionSummary, results: Results, texts: Texts, language: str) -> str:
    """Label and count; shares of the whole are in the text and in the length of the bar."""
    if row.count is None:
        return row_words(row, question, results, texts, language)
    return texts.say(language, "summary.row-alone", label=row.label, count=row.count)


def _draw_bars(page: Page, question: QuestionSummary, labels: list[str]) -> None:
    """A bar of its own for each choice: people could pick several, or the whole is not told."""
    whole = question.answered or max((row.count or 0 for row in question.rows), default=0) or 1
    page.gap(8)
    for row, label in zip(question.rows, labels, strict=True):
        if row.count is None:
            page.bar(MARGIN, INNER, THIN, "hidden")
        else:
            _draw_share(page, row.count / whole)
        _draw_label_on_bar(page, label)
        page.gap(THIN + 6)


def _draw_share(page: Page, share: float) -> None:
    box = f'x="{MARGIN}" y="{page.y:.1f}" width="{INNER}" height="{THIN}"'
    page.parts.append(f'<rect {box} fill="#FFFFFF" stroke="{GREY}" stroke-width="2"/>')
    if share:
        page.bar(MARGIN, INNER * share, THIN, "plain")


def _draw_label_on_bar(page: Page, label: str) -> None:
    """Words on their own bar, which is pale enough to read them on."""
    line = wrapped(label, PLAIN, INNER - 24, most=1)[0]
    page.parts.append(_text(line, MARGIN + 12, page.y + THIN / 2 + 10, PLAIN))


@dataclass(frozen=True)
class Piece:
    """One segment of a stacked bar."""

    x: float
    width: float
    pattern: str
    number: str

    @property
    def roomy(self) -> bool:
        return self.width >= text_width(self.number, PLAIN) + 20


def _draw_stacked(page: Page, question: QuestionSummary, labels: list[str], skipped: str) -> None:
    pieces = list(_pieces(question))
    narrow = [piece for piece in pieces if not piece.roomy and piece.number]
    page.gap(10)
    _draw_numbers_above(page, narrow)
    for piece in pieces:
        page.bar(piece.x, piece.width, BAR, piece.pattern)
        if piece.roomy and piece.number:
            _draw_number_inside(page, piece)
    page.gap(BAR + 12 if pieces else 0)
    patterns = [_pattern_of(i, row) for i, row in enumerate(question.rows)]
    _draw_key(page, patterns + ([""] if skipped else []), labels + ([skipped] if skipped else []))


def _pattern_of(place: int, row: Row) -> str:
    return "hidden" if row.count is None else f"p{place % len(PATTERNS)}"


def _pieces(question: QuestionSummary) -> Iterator[Piece]:
    """The counts side by side; what is hidden is one piece at the end, as wide as the rest."""
    whole, x = question.answered or 1, float(MARGIN)
    for i, row in enumerate(question.rows):
        if row.count:
            yield Piece(x, INNER * row.count / whole, _pattern_of(i, row), str(row.count))
            x += INNER * row.count / whole
    if any(row.count is None for row in question.rows) and MARGIN + INNER - x > 1:
        yield Piece(x, MARGIN + INNER - x, "hidden", "")


def _draw_number_inside(page: Page, piece: Piece) -> None:
    """On a white plate, so that no pattern runs through the number."""
    middle, plate = piece.x + piece.width / 2, text_width(piece.number, PLAIN) + 12
    box = f'x="{middle - plate / 2:.1f}" y="{page.y + BAR / 2 - 19:.1f}" width="{plate:.1f}" height="38" rx="8"'
    page.parts.append(f'<rect {box} fill="#FFFFFF" stroke="{INK}" stroke-width="1"/>')
    page.parts.append(_text(piece.number, middle, page.y + BAR / 2 + 10, PLAIN, bold=True, middle=True))


def _draw_numbers_above(page: Page, narrow: list[Piece]) -> None:
    """Numbers that do not fit into their piece stand above it, with a line down to it."""
    if not narrow:
        return
    page.gap(PLAIN * 1.2)
    for piece, at in zip(narrow, _apart(narrow), strict=True):
        page.parts.append(_text(piece.number, at, page.y - 4, PLAIN, bold=True, middle=True))
        foot = f'x1="{at:.1f}" y1="{page.y + 2:.1f}" x2="{piece.x + piece.width / 2:.1f}" y2="{page.y + 14:.1f}"'
        page.parts.append(f'<line {foot} stroke="{INK}" stroke-width="2"/>')
    page.gap(14)


def _apart(pieces: list[Piece]) -> list[float]:
    """Where the numbers' middles stand, in order, pushed apart and kept on the page."""
    halves = [text_width(piece.number, PLAIN) / 2 + 5 for piece in pieces]
    at: list[float] = []
    edge = float(MARGIN)
    for piece, half in zip(pieces, halves, strict=True):
        at.append(max(piece.x + piece.width / 2, edge + half))
        edge = at[-1] + half
    edge = float(WIDTH - MARGIN)
    for i in reversed(range(len(at))):
        at[i] = min(at[i], edge - halves[i])
        edge = at[i] - halves[i]
    return at


def _draw_key(page: Page, patterns: list[str], labels: list[str]) -> None:
    """Swatch and words for each choice, in two columns where all are short."""
    column = INNER / 2
    two = all(text_width(label, PLAIN) <= column - SWATCH - 24 for label in labels)
    width = column - SWATCH - 24 if two else INNER - SWATCH - 14
    top = page.y
    for i, (pattern, label) in enumerate(zip(patterns, labels, strict=True)):
        right = two and i % 2 == 1
        page.y, top = (top, top) if right else (page.y, page.y)
        _draw_entry(page, pattern, label, MARGIN + column if right else MARGIN, width)


def _draw_entry(page: Page, pattern: str, label: str, x: float, width: float) -> None:
    page.gap(2)
    if pattern:  # those who skipped are in no piece of the bar
        page.bar(x, SWATCH, SWATCH, pattern)
    page.gap(-3)
    page.words(label, PLAIN, x=x + SWATCH + 14, width=width)
    page.gap(3)


def wrapped(text: str, size: int, width: float, most: int = MOST_LINES) -> list[str]:
    """The text in lines that fit; what goes beyond `most` lines ends with an ellipsis."""
    lines = [""]
    for word in _pieces_of(clean(text).split(), size, width):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if len(lines) <= most else [*lines[: most - 1], _cut(lines[most - 1], size, width)]


def _pieces_of(words: Iterable[str], size: int, width: float) -> Iterator[str]:
    """The words, those too long for a line broken in pieces."""
    for word in words:
        while text_width(word, size) > width:
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or text_width(word[:n], size) <= width)
            yield word[:fits]
            word = word[fits:]
        yield word


def _cut(line: str, size: int, width: float) -> str:
    while text_width(line + "…", size) > width:
        line = line[:-1]
    return line.rstrip() + "…"


def text_width(text: str, size: int) -> float:
    """At most as wide as the text is drawn: the fonts themselves are not read."""
    return size * sum(_width(letter) for letter in text)


def _width(letter: str) -> float:
    plain = normalize("NFD", letter)[0]  # an accent changes no width
    return WIDTHS.get(plain, 1.2 if ord(plain) < 0x2000 else 1.0)
