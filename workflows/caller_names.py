"""Whether a note names who makes its call, as far as patterns can tell: many first names are words like any other."""

import re
import unicodedata
from collections.abc import Iterator

from workflows.phrases import COMMON, GREETING, MONTHS, OF_CALLS, SIGN_OFF, TITLES

_PART = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026\u3002])[\s\"')]+|\n+")
#: After these a dot ends no sentence.
_SHORTENED = re.compile(r"\b([^\W\d_]|mr|mrs|ms|dr|prof|st)\.", re.IGNORECASE)
_SIGNATURE_WORDS = 3
_SIGN_OFF_WORDS = 6
#: Where every word has a capital: at the beginning, behind "P.S.", and behind a colon, a semicolon or a dash.
_BEGINS = re.compile(r"(?:^(?:p ?s\b)?|[:;(]|\s[-*])\s*[\"'(]*$", re.IGNORECASE)
#: What goes on from who does something, and not from an order, a wish or a question ("Mark the day", "Hope all is well").
_DOES = re.compile(
    r"(?:'ll|'s)?\s*(?:[,.;:!?)]|$)|'(?:ll|s)\b"
    r"|\s+(?:will|would|can|is|has|was|and|or|from|who|knows|works|looks|takes|calls|phones|joins|stands)\b",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"(?:'ll| will| is going to)\b[^.!?\n]{0,60}\b(?:call|phone|ring|telephone|give|speak|talk)\b", re.IGNORECASE
)
#: A month behind one of these, or behind a number, is a date.
_OF_DATES = frozenset(
    (
        "in", "on", "of", "by", "until", "till", "since", "before", "after", "during", "for", "from", "to", "through", "early",
        "mid", "late", "this", "next", "last",
    )
)  # fmt: skip


def names_person(text: str, name: str) -> bool:
    """Tell whether *text* names, between greeting and signature, who is called *name*: by the first name, or in full.

    A last name alone may be somebody else's. A first name alone has a capital; where every word has one, and where it is a
    month or a word that any text may have, it has to be who does something.
    """
    plain = _plain(name)
    own = [part for part in _PART.findall(plain.casefold()) if part not in TITLES]
    if not own:
        return False
    told = list(_body(_plain(text)))
    words = [word for sentence in told for word in _PART.findall(sentence)]
    for at in range(len(words) - len(own) + 1 if len(own) > 1 else 0):
        if [word.casefold() for word in words[at : at + len(own)]] == own and (plain.islower() or not words[at].islower()):
            return True
    first = re.compile(rf"(?<![\w'-]){own[0]}(?!\w)" + (r"(?:-\w+)?" if "-" in name else r"(?!-\w)"), re.IGNORECASE)
    return len(own[0]) > 1 and any(_is_named(sentence, match) for sentence in told for match in first.finditer(sentence))


def _is_named(sentence: str, match: re.Match[str]) -> bool:
    if match[0][0].islower():
        return False
    before, after, word = sentence[: match.start()], sentence[match.end() :], match[0].casefold()
    begins = _BEGINS.search(before) is not None
    if word in MONTHS:
        last = next(iter(_PART.findall(before)[-1:]), "").casefold()
        dated = last in _OF_DATES or last[:1].isdigit()
        return last == "colleague" or (not dated and _CALLS.match(after) is not None)
    if begins and word in COMMON:
        return _CALLS.match(after) is not None
    return not begins or _DOES.match(after) is not None


def _plain(text: str) -> str:
    """Return *text* without accents, which not everybody types, and with plain apostrophes."""
    apart = unicodedata.normalize("NFKD", text.translate({0x2019: "'", 0x2018: "'", 0x02BC: "'", 0x2013: "-", 0x2014: "-"}))
    return "".join(character for character in apart if not unicodedata.combining(character))


def _body(plain: str) -> Iterator[str]:
    """Yield the sentences of *plain* between greeting and signature, and behind that: a postscript may name somebody, too."""
    greeting = GREETING.match(plain)
    whole = _SHORTENED.sub(r"\1", plain[greeting.end() :] if greeting else plain)
    parts = [part.strip() for part in _SENTENCE_END.split(whole) if part.strip()]
    signs = False
    for at, part in enumerate(parts):
        speaks = any(word in part.casefold() for word in OF_CALLS)
        count = len(part.split())
        ends = count <= _SIGNATURE_WORDS and (signs or (at > 0 and at == len(parts) - 1))
        signs = not speaks and count <= _SIGN_OFF_WORDS and SIGN_OFF.match(f"\n{part}") is not None
        if not signs and (speaks or not ends):
            yield part
