"""From orders to guesses: learns on other schools which orders go together, then guesses who gave which sheet.

Anybody can install the program and simulate schools whose truth is known, so the reader may learn. For every order of
people and every order of sheets it learns how far apart the two places of a person and of their own sheet are, and
how far those of a person and any sheet; what is not the same by chance is evidence.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

KNOWN = 3  # people whose exact times and answers the intruder knows
CAUTION = 6.0  # pseudo-counts: with few examples everything looks like chance
WORTH = 6.0  # nats an order must have gained over chance on the schools it was learnt on
MOST_CLUES = 10

Order = Mapping[str, float]  # id -> place, from 0 to 1
Clue = tuple[str, str, bool]  # an order of people, one of sheets, and whether they run against each other


@dataclass
class Case:
    """One school as the intruder sees it; `truth` (person -> sheet) is for learning and for scoring only."""

    people: list[str]
    sheets: list[str]
    of_people: dict[str, Order]
    of_sheets: dict[str, Order]
    truth: dict[str, str]
    content: dict[str, object]  # sheet -> its answers: one of two sheets with the same answers is as good as the other
    known: tuple[str, ...] = ()

    @property
    def unknown(self) -> list[str]:
        return [p for p in self.people if p not in self.known]

    @property
    def left(self) -> list[str]:
        """The sheets that remain when those of the known people are put aside by their answers."""
        aside = [self.truth[p] for p in self.known]
        return [s for s in self.sheets if s not in aside]


@dataclass(frozen=True)
class Score:
    """Right links, those a blind guess has on average, and how many people were guessed about."""

    right: float = 0
    chance: float = 0
    people: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.chance + other.chance, self.people + other.people)

    @property
    def gain(self) -> float:
        """The share of right links beyond chance."""
        return (self.right - self.chance) / self.people if self.people else 0.0

    @property
    def error(self) -> float:
        """Standard error of `gain` for a blind guesser: right links in a school are about Poisson."""
        return math.sqrt(self.chance) / self.people if self.people else 0.0


class Reader:
    """Learns from schools whose truth it knows; `guess` links people and sheets of another one."""

    def __init__(self, cases: Sequence[Case], seed: int = 0) -> None:
        self.dice = random.Random(seed)
        self.weights: dict[Clue, dict[int, float]] = {}
        for clue in sorted(self._clues(cases)):
            gain, weights = self._learn(clue, cases)
            if gain > WORTH:
                self.weights[clue] = weights | {-1: gain}
        best = sorted(self.weights, key=lambda c: -self.weights[c][-1])[:MOST_CLUES]
        self.weights = {clue: self.weights[clue] for clue in best}

    def _clues(self, cases: Sequence[Case]) -> Iterable[Clue]:
        first = cases[0]
        return [(p, s, against) for p in first.of_people for s in first.of_sheets for against in (False, True)]

    def _learn(self, clue: Clue, cases: Sequence[Case]) -> tuple[float, dict[int, float]]:
        own: Counter[int] = Counter()
        any_: Counter[int] = Counter()
        for case in cases:
            own.update(_distances(clue, case, case.truth.items()))
            for _ in range(3):
                any_.update(_distances(clue, case, zip(case.people, self._shuffled(case.sheets), strict=False)))
        if not own:
            return 0.0, {}
        total, blind = sum(own.values()), sum(any_.values())
        weights = {}
        for bin in {*own, *any_}:
            expected = (any_[bin] + 0.5) / (blind + 0.5 * len(any_))
            weights[bin] = math.log((own[bin] + CAUTION * expected) / (total + CAUTION) / expected)
        return sum(own[bin] * weights[bin] for bin in own), weights

    def _shuffled(self, ids: list[str]) -> list[str]:
        return self.dice.sample(ids, len(ids))

    def guess(self, case: Case) -> dict[str, str]:
        """person -> sheet for everybody not known: the likeliest pairs first, each sheet once."""
        people, sheets = self._shuffled(case.unknown), self._shuffled(case.left)
        if not self.weights:
            return dict(zip(people, sheets, strict=False))
        scored = [(self._likely(case, p, s), p, s) for p in people for s in sheets]
        scored.sort(key=lambda pair: -pair[0])
        found: dict[str, str] = {}
        taken: set[str] = set()
        for _, person, sheet in scored:
            if person not in found and sheet not in taken:
                found[person] = sheet
                taken.add(sheet)
        return found

    def _likely(self, case: Case, person: str, sheet: str) -> float:
        total = 0.0
        for clue, weights in self.weights.items():
            for bin in _distances(clue, case, [(person, sheet)]):
                total += weights.get(bin, 0.0)
        return total


def three_tell(case: Case, seed: int = 0) -> dict[str, str]:
    """Another reader, who learns nothing elsewhere: the pair of orders on which the known three agree best."""
    dice = random.Random(seed)
    clues = [(p, s, against) for p in case.of_people for s in case.of_sheets for against in (False, True)]
    dice.shuffle(clues)
    mine = [(p, case.truth[p]) for p in case.known]

    def misfit(clue: Clue) -> tuple[int, int]:
        found = list(_distances(clue, case, mine))
        return (len(mine) - len(found), sum(found))

    clue = min(clues, key=misfit, default=None)
    people, sheets = case.unknown, case.left
    if clue is None:
        return dict(zip(people, sheets, strict=False))
    places = {p: case.of_people[clue[0]].get(p, 0.5) for p in people}
    others = {s: case.of_sheets[clue[1]].get(s, 0.5) for s in sheets}
    ordered = sorted(dice.sample(sheets, len(sheets)), key=lambda s: -others[s] if clue[2] else others[s])
    return dict(zip(sorted(dice.sample(people, len(people)), key=places.__getitem__), ordered, strict=False))


def score(case: Case, guess: Mapping[str, str]) -> Score:
    """A sheet with the same answers counts as right, also for the blind guesser."""
    people, sheets = case.unknown, case.left
    alike = Counter(case.content[s] for s in sheets)
    right = sum(case.content[guess[p]] == case.content[case.truth[p]] for p in people if p in guess)
    chance = sum(alike[case.content[case.truth[p]]] / len(sheets) for p in people)
    return Score(right, chance, len(people))


def attack(cases: Sequence[Case]) -> Score:
    """Learns on one half of the schools and guesses in the other, and the other way round."""
    return attack_learned(cases[::2], cases[1::2]) + attack_learned(cases[1::2], cases[::2])


def attack_learned(learnt_on: Sequence[Case], tried_on: Sequence[Case]) -> Score:
    reader = Reader(learnt_on)
    return sum((score(case, reader.guess(case)) for case in tried_on), Score())


def attack_by_three(cases: Sequence[Case]) -> Score:
    return sum((score(case, three_tell(case, seed)) for seed, case in enumerate(cases)), Score())


def _distances(clue: Clue, case: Case, pairs: Iterable[tuple[str, str]]) -> Iterable[int]:
    """How far apart the places of each pair are, in classes: the same place, next to it, 2, 4, 8 ... away."""
    people, sheets = case.of_people.get(clue[0], {}), case.of_sheets.get(clue[1], {})
    last = max(len(case.people) - 1, 1)
    for person, sheet in pairs:
        if person in people and sheet in sheets:
            place = 1 - sheets[sheet] if clue[2] else sheets[sheet]
            yield round(abs(people[person] - place) * last).bit_length()
