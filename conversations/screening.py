"""What in typed words raises priority: words in, a concern or None out (SAFE-3, SAFE-12).

The theory. A text becomes a row of known words: letters are made plain (case, look-alike letters, zero-width
signs), doubled letters are written once on both sides ("heeelp" and "abbused" meet "help" and "abused"), digits
inside a word are read as letters, and dots between letters are dropped. Each known word then has the places where
it stands as the bits of one integer. A pattern such as "GROWNUP .. HIT .. VICTIM" is a row of such integers:
shift the bits that were reached so far, keep those where the next word stands. No regular expression reads a
person's words with a way to go back, so time grows with length only.

The screen can only raise: None says that no pattern fitted, never that a text is harmless. Words it never saw get
past it (tests/safeguarding/held_out.csv measures how many), so all free text is read by a person.
The words themselves are in languages/screen.<language>.yaml, written for a safeguarding lead to read and change.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"
GAPS = {"..": 4, "...": 7, "&": -14}  # how far the next word may be; below 0: before or after
SENTENCE_END = 2  # empty places after a full stop, so that two sentences rarely make one pattern
GUESSED_FROM = 5  # shorter words have too many real neighbours for a guess at the spelling
JOINED_FROM = 4
HEARD_FROM = 4
HEARD = (("tch", "ch"), ("ck", "k"), ("qu", "kw"), ("ph", "f"), ("sc", "sk"), ("z", "s"), ("c", "k"), ("kh", "ch"))
NOT_HEARD = str.maketrans("", "", "aeiouy")

# Cyrillic, Greek and other letters, after the small letter they can pass for
PASSING_FOR = "aаαɑ bв eеεҽ dԁ hнһ iіιı jј kкκ mм qԛ oоοøσ pрρ cсϲ tтτ yуγ xхχ wԝωш vѵν gԍɡ lłℓ sѕ nηп uυц"
LOOK_ALIKES = {other: letters[0] for letters in PASSING_FOR.split() for other in letters[1:]}
LETTERS_IN_DIGITS = str.maketrans("013457@$!|+€£", "oieastasilteb")
ONE_AS_L = str.maketrans("1", "l")
AROUND_WORDS = re.compile(r"^[^a-z0-9@$]+|[^a-z0-9@$]+$")
DOUBLED = re.compile(r"([a-z])\1+")
PARTS = re.compile(r"[a-z0-9]+")
NOT_LETTERS = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class Concern:
    """Why a text goes to the front of the reading queue; never the text itself."""

    kind: str


@dataclass(frozen=True)
class Pattern:
    """Slots in order; `reach` says how far after the slot before each may stand."""

    kind: str
    slots: tuple[str, ...]
    reach: tuple[int, ...]


@dataclass(frozen=True)
class Lexicon:
    """One language's words, ready to be looked up."""

    sounds: dict[str, str]  # the consonants heard -> the word meant
    known: dict[str, str]  # as typed, well or not -> the word meant
    spelt: frozenset[str]  # well spelt only: what joined words are made of
    slots_of: dict[str, tuple[str, ...]]  # word -> the slots of patterns it can fill
    dropped: frozenset[str]
    ordinary: tuple[Pattern, ...]
    concerns: tuple[Pattern, ...]
    longest: int


def screen(text: str, language: str = ENGLISH) -> Concern | None:
    """The gravest concern the words show; None says only that no pattern fitted, not that all is well."""
    letters = plain(text)
    for each in dict.fromkeys((language, ENGLISH)):
        lexicon = load_lexicon(each)
        concern = lexicon and find_concern(lexicon, letters)
        if concern:
            return concern
    return None


def find_concern(lexicon: Lexicon, letters: str) -> Concern | None:
    places = slot_places(lexicon, word_places(lexicon, letters))
    hidden = 0
    for pattern in lexicon.ordinary:
        if pattern.slots[0] in places:
            hidden |= matched(pattern, places)
    if hidden:
        places = {slot: bits & ~hidden for slot, bits in places.items()}
    begun = (pattern for pattern in lexicon.concerns if pattern.slots[0] in places)
    return next((Concern(p.kind) for p in begun if reached(p, places)), None)


# Letters


class PlainLetters(dict[int, str]):
    """Each character as plain small letters, worked out once; one at a time, so long rows of accents cost no more."""

    def __missing__(self, code: int) -> str:
        self[code] = plain_letter(chr(code))
        return self[code]


def plain_letter(char: str) -> str:
    if char in "\t\n\r\v\f\u2028\u2029\u0085":
        return " "
    if char in "'’‘`´ʼ＇′":
        return ""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", char).casefold())
    kept = (part for part in parts if unicodedata.category(part) not in ("Mn", "Me", "Cf", "Cc"))
    return "".join(LOOK_ALIKES.get(part, part) for part in kept)


PLAIN_LETTERS = PlainLetters()


def plain(text: str) -> str:
    return once(text.translate(PLAIN_LETTERS))


def once(letters: str) -> str:
    return DOUBLED.sub(r"\1", letters)


# Words


def word_places(lexicon: Lexicon, letters: str) -> dict[str, int]:
    """Each known word with the places where it stands, as bits."""
    places: dict[str, int] = {}
    read: dict[str, tuple[str, ...]] = {}  # for this text only: words typed are not kept
    place = 0
    for chunk in join_single_letters(letters.split()):
        if chunk not in read:
            read[chunk] = tuple(read_chunk(lexicon, chunk))
        for word in read[chunk]:
            if word in lexicon.dropped:
                continue
            if word:
                places[word] = places.get(word, 0) | 1 << place
            place += 1
        if chunk[-1] in ".!?;":
            place += SENTENCE_END
    return places


def join_single_letters(chunks: list[str]) -> Iterator[str]:
    """Gives "k i l l" back as one chunk; two single letters stay apart ("i c")."""
    single: list[str] = []
    for chunk in chunks:
        if len(chunk) == 1:
            single.append(chunk)
            continue
        if single:
            yield from ["".join(single)] if len(single) > 2 else single
            single = []
        yield chunk
    yield from ["".join(single)] if len(single) > 2 else single


def read_chunk(lexicon: Lexicon, chunk: str) -> Iterable[str]:
    """The words in what stands between two spaces; an empty string for each that is not known."""
    word = lexicon.known.get(chunk)
    if word is not None:
        return (word,)
    if chunk.isalpha():
        return split_joined(lexicon, once(chunk))
    return read_marked(lexicon, AROUND_WORDS.sub("", chunk))


def read_marked(lexicon: Lexicon, chunk: str) -> Iterable[str]:
    """A chunk with digits or signs in it: h1ts, k.i.l.l, s3lf-harm, "help,he"."""
    for letters in (
        chunk,
        unmarked(chunk),
        unmarked(chunk.translate(ONE_AS_L)),
        once(NOT_LETTERS.sub("", chunk)),
    ):
        if letters in lexicon.known:
            return (lexicon.known[letters],)
    parts = PARTS.findall(chunk)
    if parts and all(len(part) == 1 for part in parts):
        return split_joined(lexicon, unmarked("".join(parts)))
    if len(parts) > 1:
        return [word for part in parts for word in read_chunk(lexicon, part)]
    return split_joined(lexicon, unmarked(chunk))


def unmarked(chunk: str) -> str:
    return once(NOT_LETTERS.sub("", chunk.translate(LETTERS_IN_DIGITS)))


def split_joined(lexicon: Lexicon, chunk: str) -> Iterable[str]:
    """ "hehitsme" as its words, if known words make up the whole of it; fewest words win."""
    if chunk in lexicon.known:
        return (lexicon.known[chunk],)
    if len(chunk) < JOINED_FROM:
        return ("",)
    began = joined_words(lexicon, chunk)
    if began[-1] is None:
        return (lexicon.sounds.get(sound(chunk), ""),)
    words, end = [], len(chunk)
    while end:
        start = began[end] or 0
        words.append(lexicon.known[chunk[start:end]])
        end = start
    return reversed(words)


def joined_words(lexicon: Lexicon, chunk: str) -> list[int | None]:
    """For each place a row of whole words can end: where its last word begins; None where none can end."""
    began: list[int | None] = [0] + [None] * len(chunk)
    count = [0] + [len(chunk) + 1] * len(chunk)
    for start in range(len(chunk)):
        if began[start] is None:
            continue
        for end in range(start + 1, min(start + lexicon.longest, len(chunk)) + 1):
            if count[start] + 1 < count[end] and chunk[start:end] in lexicon.spelt:
                began[end], count[end] = start, count[start] + 1
    return began


def sound(word: str) -> str:
    """The consonants one hears: "skweezd" and "squeezed" both give skwsd."""
    for written, heard in HEARD:
        word = word.replace(written, heard)
    return once(word[:1] + word[1:].translate(NOT_HEARD))


# Patterns


def slot_places(lexicon: Lexicon, words: dict[str, int]) -> dict[str, int]:
    places: dict[str, int] = {}
    for word, bits in words.items():
        for slot in lexicon.slots_of.get(word, ()):
            places[slot] = places.get(slot, 0) | bits
    return places


def reached(pattern: Pattern, places: dict[str, int]) -> int:
    """The places where the pattern's last word stands, 0 if it nowhere fits."""
    bits = places.get(pattern.slots[0], 0)
    for slot, reach in zip(pattern.slots[1:], pattern.reach, strict=True):
        if not bits:
            return 0
        bits = spread(bits, reach) & places.get(slot, 0)
    return bits


def matched(pattern: Pattern, places: dict[str, int]) -> int:
    """All places that the pattern's words take, wherever it fits."""
    if not reached(pattern, places):
        return 0
    forward = [places[pattern.slots[0]]]
    for slot, reach in zip(pattern.slots[1:], pattern.reach, strict=True):
        forward.append(spread(forward[-1], reach) & places[slot])
    taken = bits = forward.pop()
    for before, reach in zip(reversed(forward), reversed(pattern.reach), strict=True):
        bits = before & spread_back(bits, reach)
        taken |= bits
    return taken


def spread(bits: int, reach: int) -> int:
    if reach < 0:
        return spread(bits, -reach) | spread_back(bits, -reach)
    result, width = bits << 1, 1
    while width < reach:
        step = min(width, reach - width)
        result, width = result | result << step, width + step
    return result


def spread_back(bits: int, reach: int) -> int:
    if reach < 0:
        return spread(bits, reach)
    result, width = bits >> 1, 1
    while width < reach:
        step = min(width, reach - width)
        result, width = result | result >> step, width + step
    return result


# The file


@cache
def load_lexicon(language: str) -> Lexicon | None:
    """None for a language that has no word file (yet)."""
    path = FOLDER / f"screen.{language}.yaml"
    if path not in FOLDER.glob("screen.*.yaml"):
        return None
    return build_lexicon(yaml.safe_load(path.read_text(encoding="utf-8")))


def build_lexicon(page: dict[str, Any]) -> Lexicon:
    groups = read_groups(page["groups"])
    ordinary = tuple(read_pattern("", line) for line in page["ordinary"])
    concerns = tuple(read_pattern(kind, line) for kind, lines in page["concerns"].items() for line in lines)
    slots_of = words_in_slots({slot for pattern in ordinary + concerns for slot in pattern.slots}, groups)
    dropped = frozenset(spellings(page["dropped"]))
    spelt = frozenset({*slots_of, *dropped, *spellings(page["joining"])})
    guessed = {word for name in page["guessed"].split() for word in groups[name]}
    real = spellings(page["real"])
    known = guesses(guessed, keep=spelt | real) | {word: "" for word in real} | {word: word for word in spelt}
    sounds = {sound(word): word for word in sorted(guessed) if len(sound(word)) >= HEARD_FROM}
    return Lexicon(sounds, known, spelt, slots_of, dropped, ordinary, concerns, max(map(len, spelt)))


def read_groups(page: dict[str, str]) -> dict[str, frozenset[str]]:
    """A group may name groups above it in capitals."""
    groups: dict[str, frozenset[str]] = {}
    for name, line in page.items():
        groups[name] = in_groups(line.split(), groups)
    return groups


def in_groups(names: Iterable[str], groups: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(groups[name] if name.isupper() else spellings(name) for name in names))


def spellings(line: str) -> frozenset[str]:
    """ "hit(s,ting) slap" -> hit, hits, hiting, slap: letters plain and doubled ones written once."""
    words: set[str] = set()
    for entry in line.split():
        stem, _, endings = entry.rstrip(")").partition("(")
        words.update(plain(stem + ending) for ending in ("", *endings.split(",")))
    return frozenset(words)


def read_pattern(kind: str, line: str) -> Pattern:
    slots: list[str] = []
    reach: list[int] = []
    gap = 1
    for item in line.split():
        if item in GAPS:
            gap = GAPS[item]
            continue
        if slots:
            reach.append(gap)
        slots.append(item)
        gap = 1
    return Pattern(kind, tuple(slots), tuple(reach))


def words_in_slots(slots: Iterable[str], groups: dict[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    slots_of: dict[str, tuple[str, ...]] = {}
    for slot in sorted(slots):
        for word in in_groups(slot.split("|"), groups):
            slots_of[word] = (*slots_of.get(word, ()), slot)
    return slots_of


def guesses(words: Iterable[str], keep: frozenset[str]) -> dict[str, str]:
    """Every spelling one slip away -> the word meant, but never a real word from `keep`."""
    meant = {slip: word for word in sorted(words) if len(word) >= GUESSED_FROM for slip in slips(word)}
    return {slip: word for slip, word in meant.items() if slip not in keep}


def slips(word: str) -> set[str]:
    """One letter left out, added, changed or swapped; the first letter stays."""
    cuts = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    dropped = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    changed = {a + letter + b[1:] for a, b in cuts if b for letter in ascii_lowercase}
    added = {a + letter + b for a, b in cuts for letter in ascii_lowercase}
    return {once(slip) for slip in dropped | swapped | changed | added}
