"""What a text says, as far as patterns can tell: its body without the courtesies, its promise of a call, its leftovers.

All of it is pure and deterministic; nothing here decides. `workflows.content` judges what these functions find.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Set
from datetime import date, timedelta

import msgspec

from workflows.phrase_lists import SHIPPED, PhraseLists
from workflows.phrases import (
    COMMON,
    GREETING,
    MERGE_MARKS,
    MONTHS,
    NOBODY,
    NOT,
    NUMBERS,
    OF_CALLS,
    PROMISE_OF_ANOTHER,
    PROMISES,
    SIGN_OFF,
    TITLES,
    WEEKDAYS,
)

#: Curly quotation marks and long dashes, which people and programs put where a keyboard has plain ones.
_PLAIN = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "`": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
)
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026\u3002])[\s\"')]+|\n+")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_OTHER_LETTERS = 10
#: The last letter of Latin Extended-B.
_LAST_LATIN = 0x24F
_SIGNATURE_WORDS = 3
_JOINT = re.compile(r"['-]")
#: A pattern that begins with a digit is looked for ten times as fast as one that begins with a boundary.
_NUMBERED = re.compile(r"\d(?<!\w\d)\d{0,3}(?:[./:-]\d{1,4})*(?:st|nd|rd|th)?\b")
_DAYS = frozenset({*WEEKDAYS, *MONTHS, "today", "tomorrow", "yesterday"})


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says of a future call."""

    made: bool
    contradiction: str | None = None
    """The words that name another day than the planned one, None when none do."""
    dated: bool = False
    """A day, or a span that ends on one, is named for it."""


def normal(text: str) -> str:
    """Return *text* in one form: small letters, compatible characters unified, no invisible ones, single spaces in lines."""
    unified = unicodedata.normalize("NFKC", text).translate(_PLAIN).casefold()
    if not unified.replace("\n", "").isprintable():
        for character in set(unified) - {"\n"}:
            if unicodedata.category(character).startswith("C"):
                unified = unified.replace(character, " ")
    lines = [" ".join(line.split()) for line in unified.split("\n")]
    return "\n".join([line for line in lines if line])


def words_of(text: str) -> list[str]:
    """Return the words of *text*, in order, without punctuation."""
    return _WORD.findall(normal(text))


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of *text*, which is in the form that `normal` gives."""
    return [sentence for sentence in _SENTENCE_END.split(text) if sentence and sentence.strip()]


def body_of(text: str, names: Iterable[str] = ()) -> str:
    """Return what is left of *text* without greeting, sign-off and promise of a call, and without *names* and days.

    Two letters that differ only in whom they are for have the same body, if each is given the names of its own reader.
    """
    plain = normal(text)
    greeting = GREETING.match(plain)
    plain = SIGN_OFF.sub("", plain[greeting.end() :] if greeting else plain)
    kept = " ".join(sentence for sentence in sentences(plain) if not _promises(sentence))
    # With two spaces between words, so that each name has spaces of its own around it.
    spaced = f" {'  '.join(_WORD.findall(_NUMBERED.sub(' ', kept)))} "
    left_out = set(_DAYS)
    for name in names:
        words = _WORD.findall(_NUMBERED.sub(" ", normal(name)))
        parts = {part for word in words for part in (word, *_JOINT.split(word)) if len(part) > 1 and part not in COMMON}
        if not parts.issuperset(words):
            # A word that any text may have, such as the "of" of a company, goes with its whole name only.
            whole = "  ".join(words)
            spaced = spaced.replace(f" {whole} ", " ").replace(f" {whole}'s ", " ")
        left_out |= parts
        left_out |= {f"{part}s" for part in parts}
    return " ".join([word for word in spaced.split() if not _stands_in(word, left_out)])


def _stands_in(word: str, names: Set[str]) -> bool:
    """Tell whether *word* is one of *names*, also as in "Ada's" or "Monday-Friday"."""
    return word in names or (("'" in word or "-" in word) and not names.isdisjoint(_JOINT.split(word)))


def promise_in(text: str, sent_on: date, call_on: date | None, *, by_another: bool = False) -> Promise:
    """Return whether *text* promises a call, and whether a day that it names for it is another than *call_on*.

    With *by_another* a call that somebody else makes counts, too.
    """
    patterns = (*PROMISES, PROMISE_OF_ANOTHER) if by_another else PROMISES
    promising = [sentence for sentence in sentences(normal(text)) if _promises(sentence, patterns)]
    if not promising or call_on is None:
        return Promise(made=bool(promising))
    named = [each for sentence in promising for each in _days_named(sentence, sent_on)]
    said = (words for words, days in named if call_on not in days)
    return Promise(made=True, contradiction=next(said, None), dated=bool(named))


def _promises(sentence: str, patterns: Iterable[re.Pattern[str]] = PROMISES) -> bool:
    # Asked of every sentence of thousands of texts, and most speak of no call.
    if not any(word in sentence for word in OF_CALLS):
        return False
    found = (pattern.search(sentence) for pattern in patterns)
    return any(match and not NOT.search(match["between"] or "") for match in found)


def _days_named(sentence: str, sent_on: date) -> Iterator[tuple[str, frozenset[date]]]:
    """Yield the words in *sentence* that name a time, each with the days that they can mean, said on *sent_on*."""
    monday = sent_on - timedelta(days=sent_on.weekday())
    fixed = {
        "tomorrow": {sent_on + timedelta(days=1)},
        "today": {sent_on},
        "tonight": {sent_on},
        "this week": set(_run(monday, 7)),
        "next week": set(_run(monday + timedelta(days=7), 7)),
        "next month": set(_run(_month_after(sent_on), 31)),
    }
    for words, days in fixed.items():
        if re.search(rf"\b{words}\b", sentence):
            yield words, frozenset(days)
    number = "|".join(sorted(map(re.escape, NUMBERS), key=len, reverse=True))
    for match in re.finditer(
        rf"\bin (?:about |around )?(?P<n>\d{{1,3}}|{number}) (?P<unit>working day|business day|day|week|month)s?\b", sentence
    ):
        yield match[0], _after(sent_on, int(match["n"]) if match["n"].isdigit() else NUMBERS[match["n"]], match["unit"])
    # A weekday before a date says no more than the date does.
    for match in re.finditer(
        rf"\b(?:on|this|next|coming) ({'|'.join(WEEKDAYS)})\b(?!,? (?:the )?(?:\d|{'|'.join(MONTHS)}))", sentence
    ):
        first = sent_on + timedelta(days=1)
        yield match[0], frozenset(day for day in _run(first, 14) if day.weekday() == WEEKDAYS.index(match[1]))
    yield from _dates_named(sentence, sent_on)


def _dates_named(sentence: str, sent_on: date) -> Iterator[tuple[str, frozenset[date]]]:
    months = "|".join(f"{month}|{month[:3]}" for month in MONTHS)
    patterns = (
        rf"\b(?P<month>{months})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{months})\b",
    )
    for pattern in patterns:
        for match in re.finditer(pattern, sentence):
            number = next(at for at, month in enumerate(MONTHS, 1) if month.startswith(match["month"][:3]))
            days = (_day(year, number, int(match["day"])) for year in (sent_on.year, sent_on.year + 1))
            yield match[0], frozenset(day for day in days if day)
    for match in re.finditer(r"\b(\d{4})-(\d{2})-(\d{2})\b", sentence):
        exact = _day(int(match[1]), int(match[2]), int(match[3]))
        yield match[0], frozenset({exact} if exact else ())


def _after(sent_on: date, number: int, unit: str) -> frozenset[date]:
    """Return the days that "in *number* *unit*s" can mean: people count roughly, and some count working days."""
    if unit == "month":
        return frozenset(_run(sent_on + timedelta(days=28 * number - 3), 3 * number + 10))
    if unit == "week":
        return frozenset(_run(sent_on + timedelta(days=7 * number - 2), 5))
    slack = 0 if number < 3 else 1
    working = number + 2 * (number // 5 + 1)
    return frozenset(_run(sent_on + timedelta(days=number - slack), working - number + 2 * slack + 1))


def _run(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(count))


def _month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def empty_phrase(text: str, lists: PhraseLists = SHIPPED) -> str | None:
    """Return the name of the first phrase in *text* that says nothing but "me again"."""
    plain = normal(text)
    found = [(match.start(), name) for name, pattern in lists.empty_patterns.items() if (match := pattern.search(plain))]
    return min(found)[1] if found else None


def in_other_letters(text: str) -> bool:
    """Tell whether *text* has more than a word in other letters than Latin ones, in which all that has a name here is named.

    A wording around it, a signature and an address may well be in Latin ones.
    """
    return sum(ord(character) > _LAST_LATIN and character.isalpha() for character in text) >= _OTHER_LETTERS


def telling_words(text: str, names: Iterable[str] = (), lists: PhraseLists = SHIPPED) -> frozenset[str]:
    """Return the words of *text* that say more than that somebody will be in touch; *names* say nothing of what for."""
    plain = normal(text)
    for pattern in lists.empty_patterns.values():
        plain = pattern.sub(" ", plain)
    return frozenset(words_of(plain)) - COMMON - lists.idle_words - _DAYS - {word for name in names for word in words_of(name)}


def merge_mark(text: str) -> str | None:
    """Return the first thing in *text* that a failed mail merge left behind."""
    found = [(match.start(), match[0]) for pattern in MERGE_MARKS if (match := pattern.search(text))]
    return min(found)[1] if found else None


def greeted(text: str) -> tuple[str, ...]:
    """Return the names in the greeting of *text*, in small letters; empty when nobody is named."""
    match = GREETING.match(normal(text))
    names = words_of(match["name"]) if match else []
    return tuple(name for name in names if name not in TITLES and name not in NOBODY and not name.isdigit())


def named(text: str) -> frozenset[str]:
    """Return what may be a name in the body of *text*, in small letters: each word that has a capital, or no small letter.

    The greeting is left out, and the last line where it is no sentence: whoever writes signs with a name of their own.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    greeting = GREETING.match(plain)
    lines = (plain[greeting.end() :] if greeting else plain).strip().split("\n")
    if len(lines) > 1 and len(lines[-1].split()) <= _SIGNATURE_WORDS:
        lines.pop()
    found = (word for line in lines for word in _WORD.findall(line) if not word[0].islower())
    return frozenset(word.casefold().removesuffix("'s") for word in found)


def runs_of(body: str, length: int) -> frozenset[tuple[str, ...]]:
    """Return all runs of *length* words in *body*, as `body_of` gives it."""
    words = body.split()
    return frozenset(tuple(words[at : at + length]) for at in range(len(words) - length + 1))
