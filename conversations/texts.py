"""The bot's own phrases, one YAML file per language: looked up by key, filled with facts, plural by CLDR rules."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from pathlib import Path

import yaml
from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list

FOLDER = Path(__file__).parent / "languages"
Phrase = str | dict[str, str]  # a dict holds plural forms: one, other, ...


@dataclass(frozen=True)
class Texts:
    """All phrases of all languages; English stands in for a phrase a language lacks."""

    phrases: Mapping[str, Mapping[str, Phrase]]

    @property
    def languages(self) -> list[str]:
        return sorted(self.phrases)

    def say(self, language: str, key: str, **facts: object) -> str:
        """The phrase `key` with `facts` filled in; `n` picks the plural form. KeyError for an unknown key."""
        phrase = self.phrases.get(language, {}).get(key) or self.phrases["en"][key]
        if isinstance(phrase, dict):
            form = Locale.parse(language).plural_form(abs(int(str(facts["n"]))))
            phrase = phrase.get(form) or phrase["other"]
        return phrase.format_map(facts) if facts else phrase

    def list(self, language: str, key: str) -> list[str]:
        """A phrase that is a list of words, split at its commas."""
        return [word.strip() for word in self.say(language, key).split(",")]

    def has(self, key: str) -> bool:
        return key in self.phrases["en"]

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        """For each language, what a typed label means: folded words -> control."""
        return {language: self._labels_of(language) for language in self.phrases}

    def _labels_of(self, language: str) -> dict[str, str]:
        labels = {k: v for k, v in self.phrases[language].items() if k.startswith("label.") and isinstance(v, str)}
        calls = str(self.phrases[language].get("typed.need-help", "")).split(",")
        meant = {fold(words): key.removeprefix("label.") for key, words in labels.items()}
        return {fold(call): "need-help" for call in calls if call.strip()} | meant

    def control(self, language: str, typed: str) -> str | None:
        """The name of the control ("skip", "go-on", ...) that is typed alone; English always works too."""
        words = fold(typed)
        return self._labels.get(language, {}).get(words) or self._labels["en"].get(words)


def load_texts(folder: Path = FOLDER) -> Texts:
    """Every language file of the folder, nested keys joined with dots."""
    files = sorted(p for p in folder.glob("??.yaml"))
    return Texts({p.stem: _flat(yaml.safe_load(p.read_text(encoding="utf-8"))) for p in files})


def fold(words: str) -> str:
    """Words as they are compared: no case, no accents of width, no punctuation around, single spaces."""
    plain = unicodedata.normalize("NFKC", clean(words)).casefold().replace("’", "'")
    return " ".join(plain.strip(" .,!?:;\"'()✓").split())


def clean(words: str) -> str:
    """Words without control and invisible characters; line breaks and tabs become plain ones."""
    kept = (c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") else "" for c in words)
    return "".join(kept).replace("\t", " ").strip()


def long_date(day: date, language: str) -> str:
    """ "5 December 2026", in the person's language."""
    return _date_words(day.year, day.month, day.day, "d MMMM y", language)


def day_and_date(day: date, language: str) -> str:
    """ "Saturday 5 December", in the person's language."""
    return _date_words(day.year, day.month, day.day, "EEEE d MMMM", language)


def clock_time(at: time | datetime, language: str) -> str:
    """ "9:00", in the person's language."""
    return _time_words(at.hour, at.minute, language)


def listed(words: list[str], language: str, style: str = "standard") -> str:
    """ "a, b and c", in the person's language."""
    return _listed(tuple(words), language, style)


# Kept: the same few dates and names stand on every screen, and wording them costs more than asking the database.
# By their numbers, because the same moment in two time zones counts as equal and reads differently.


@lru_cache(maxsize=256)
def _date_words(year: int, month: int, day: int, pattern: str, language: str) -> str:
    return format_date(date(year, month, day), pattern, locale=_locale(language))


@lru_cache(maxsize=256)
def _time_words(hour: int, minute: int, language: str) -> str:
    return format_time(time(hour, minute), "H:mm", locale=_locale(language))


@lru_cache(maxsize=256)
def _listed(words: tuple[str, ...], language: str, style: str) -> str:
    return format_list(words, style, locale=_locale(language))  # type: ignore[arg-type]


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else language


def _flat(tree: dict[str, object], prefix: str = "") -> dict[str, Phrase]:
    phrases: dict[str, Phrase] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and "other" not in value:
            phrases |= _flat(value, f"{prefix}{key}.")
        else:
            phrases[f"{prefix}{key}"] = value  # type: ignore[assignment]
    return phrases
