"""Whether a note names who makes its call, as far as patterns can tell: many first names are words like any other."""

import re
import unicodedata
from collections.abc import Iterator

from workflows.phrases import COMMON, GREETING, MONTHS, OF_CALLS, SIGN_OFF, TITLES

_PART = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026\u3002])[\s\"')]+|\n+")
#: After these a dot ends no sentence.
_SHORTENED = re.compile(r"\b([^\W\d_]|mr|mrs|ms|dr|prof|st)\.", re.IGNORECASE)
#: Initials with blanks between, as T. J., are the same as T.J.
_INITIALS = re.compile(r"\b([^\W\d_])\.\s(?=[^\W\d_]\.)")
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
#: First names that are places, makes, banks and days as well: with a capital these stand anywhere in a sentence.
_NAMES_OF_MORE = frozenset(
    (
        "angel", "austin", "brooklyn", "carolina", "charlotte", "chase", "chelsea", "chester", "dakota", "dallas", "denver",
        "dodge", "eve", "florence", "ford", "georgia", "harley", "houston", "india", "israel", "jackson", "jordan", "kent",
        "lincoln", "london", "madison", "max", "mercedes", "noel", "paris", "phoenix", "rose", "savannah", "sydney", "trinity",
        "victoria", "virginia", "washington",
    )
)  # fmt: skip
#: What stands before such a name where it is a caller's.
_CALLER = re.compile(r"(?:\bcolleagues?,?|\bcalls?(?: you)? (?:from|by)|\bnamed|\bcalled)\s+$", re.IGNORECASE)
#: Letters that have no accent to be taken off, as people type them who do not have the key.
_TYPED_AS = {
    0x2019: "'", 0x2018: "'", 0x02BC: "'", 0x2013: "-", 0x2014: "-", ord("\u0142"): "l", ord("\u0141"): "L", ord("\u00f8"): "o",
    ord("\u00d8"): "O", ord("\u00df"): "ss", ord("\u0111"): "d", ord("\u0110"): "D", ord("\u0131"): "i",
}  # fmt: skip
#: Scripts in which no blank stands between a name and what follows it: Chinese, Japanese, Korean.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]{2,}")


def names_person(text: str, name: str) -> bool:
    """Tell whether *text* names, between greeting and signature, who is called *name*: by the first name, or in full.

    A last name alone may be somebody else's. A first name alone has a capital; where every word has one, and where it is a
    month or a word that any text may have, it has to be who does something. One that is a place, a make or a day as well has to
    be who calls, or to stand behind "colleague".
    """
    plain = _without_dots(_plain(name))
    unspaced = _plain("".join(name.split()))
    if _UNSPACED.fullmatch(unicodedata.normalize("NFC", unspaced)):
        # Words cannot be counted there: what is no more than the name is a signature.
        return any(
            unspaced in (said := "".join(part.split())) and len(said) > len(unspaced) + 2 for part in _parts(_plain(text))
        )
    own = [part for part in _PART.findall(plain.casefold()) if part not in TITLES]
    if not own:
        return False
    told = list(_body(_plain(text)))
    words = [word for sentence in told for word in _PART.findall(sentence)]
    for at in range(len(words) - len(own) + 1 if len(own) > 1 else 0):
        if [word.casefold() for word in words[at : at + len(own)]] == own and (plain.islower() or not words[at].islower()):
            return True
    # D'Angelo is one first name, of which the d alone would be nobody's; and Anne Marie may be typed with a hyphen.
    begun = re.match(r"[^\W_]'[^\W_]+", plain.casefold())
    called = begun[0] if begun else own[0]
    behind = r"(?:-\w+)?" if "-" in name else rf"(?:-{own[1]}(?!\w)|(?!-\w))" if len(own) > 1 else r"(?!-\w)"
    first = re.compile(rf"(?<![\w'-]){re.escape(called)}(?!\w){behind}", re.IGNORECASE)
    return len(called) > 1 and any(_is_named(sentence, match) for sentence in told for match in first.finditer(sentence))


def _is_named(sentence: str, match: re.Match[str]) -> bool:
    if match[0][0].islower():
        return False
    before, after, word = sentence[: match.start()], sentence[match.end() :], match[0].casefold()
    begins = _BEGINS.search(before) is not None
    if word in MONTHS:
        last = next(iter(_PART.findall(before)[-1:]), "").casefold()
        dated = last in _OF_DATES or last[:1].isdigit()
        return last == "colleague" or (not dated and _CALLS.match(after) is not None)
    if word in _NAMES_OF_MORE:
        return _CALLS.match(after) is not None or _CALLER.search(before[-40:]) is not None
    if begins and word in COMMON:
        return _CALLS.match(after) is not None
    return not begins or _DOES.match(after) is not None


def _plain(text: str) -> str:
    """Return *text* without accents, which not everybody types, and with plain apostrophes."""
    apart = unicodedata.normalize("NFKD", text.translate(_TYPED_AS))
    return "".join(character for character in apart if not unicodedata.combining(character))


def _without_dots(plain: str) -> str:
    return _SHORTENED.sub(r"\1", _INITIALS.sub(r"\1.", plain))


def _parts(plain: str) -> list[str]:
    greeting = GREETING.match(plain)
    whole = _without_dots(plain[greeting.end() :] if greeting else plain)
    return [part.strip() for part in _SENTENCE_END.split(whole) if part.strip()]


def _body(plain: str) -> Iterator[str]:
    """Yield the sentences of *plain* between greeting and signature, and behind that: a postscript may name somebody, too."""
    parts = _parts(plain)
    signs = False
    for at, part in enumerate(parts):
        speaks = any(word in part.casefold() for word in OF_CALLS)
        count = len(part.split())
        ends = count <= _SIGNATURE_WORDS and (signs or (at > 0 and at == len(parts) - 1))
        signs = not speaks and count <= _SIGN_OFF_WORDS and SIGN_OFF.match(f"\n{part}") is not None
        if not signs and (speaks or not ends):
            yield part
