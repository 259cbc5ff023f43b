"""The phrase lists of the content checks: wording that a team may change, as text of its own and with a digest of its own.

Shipped as `TEXT`. Patterns of grammar (promises of a call, greetings, dates) stay in `workflows.phrases`: they are no lists.
"""

import re
import tomllib
import unicodedata
from functools import cached_property
from typing import Annotated

import msgspec

TEXT = """\
# What the content checks look for, in any case and as whole words.

# Words that say that somebody will be in touch, and not what for.
idle = [
    "about", "account", "afterwards", "again", "ago", "already", "also", "always", "another", "any", "anybody", "anyone",
    "anything", "around", "back", "because", "before", "begin", "bit", "bring", "business", "call", "calling", "can",
    "chat", "check", "checking", "client", "come", "company", "contact", "contacting", "could", "couple", "customer",
    "day", "days", "did", "does", "doing", "done", "drop", "else", "email", "even", "ever", "everyone", "everything",
    "feel", "few", "fine", "follow", "following", "friendly", "get", "getting", "give", "go", "goes", "going", "gone",
    "good", "great", "happening", "hear", "hello", "here", "hey", "hi", "hope", "keep", "keeping", "know", "last",
    "later", "latest", "lead", "let", "line", "little", "long", "look", "looking", "lot", "lots", "mail", "make", "many",
    "maybe", "meanwhile", "message", "might", "moment", "month", "months", "more", "most", "much", "need", "needed",
    "needs", "never", "new", "news", "next", "nice", "not", "nothing", "now", "okay", "once", "only", "other", "out",
    "over", "people", "perhaps", "phone", "ping", "please", "possibly", "prospect", "quarter", "quick", "quickly",
    "reach", "reaching", "really", "reconnect", "relationship", "reminder", "ring", "same", "say", "see", "send", "shall",
    "short", "should", "simply", "since", "situation", "some", "somebody", "someone", "something", "soon", "speak",
    "stand", "standing", "start", "status", "stay", "still", "such", "sure", "talk", "than", "them", "themselves",
    "these", "thing", "things", "think", "thinks", "those", "time", "times", "today", "tomorrow", "too", "touch", "try",
    "trying", "update", "updates", "us", "very", "want", "wants", "warm", "way", "week", "weeks", "well", "where",
    "whether", "while", "wonder", "wondering", "word", "work", "working", "write", "writing", "year", "years", "yet"
]

# What a breakup's voicemail says of the mail that comes with it.
mentions_mail = ["email", "e-mail", "mail", "message"]

# What says nothing but "me again", each under the name by which a check reports it.
[empty]
checking_in = ["check in", "checking in", "check back", "checking back"]
touching_base = ["touch base", "touching base"]
following_up = ["follow up", "following up", "follow-up", "following-up"]
circling_back = ["circle back", "circling back"]
wondering_if = ["wondering if", "wondering whether"]
reaching_out_again = ["reach out again", "reaching out again"]
bumping_this = ["bump this", "bumping this"]
any_news = ["any news", "any update", "any updates", "any thoughts"]
"""

Phrase = Annotated[str, msgspec.Meta(min_length=2, max_length=80)]
Phrases = Annotated[tuple[Phrase, ...], msgspec.Meta(min_length=1, max_length=1000)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,39}$")]


class PhraseLists(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """The lists, each phrase in small letters with single spaces."""

    idle: Phrases
    mentions_mail: Phrases
    empty: Annotated[dict[Name, Phrases], msgspec.Meta(min_length=1, max_length=100)]

    @cached_property
    def idle_words(self) -> frozenset[str]:
        """Return the single words of `idle`."""
        return frozenset(self.idle)

    @cached_property
    def empty_patterns(self) -> dict[str, re.Pattern[str]]:
        """Return what finds each of `empty` in a text that `workflows.prose.normal` made."""
        return {name: _any_of(phrases) for name, phrases in self.empty.items()}

    @cached_property
    def mail_pattern(self) -> re.Pattern[str]:
        """Return what finds one of `mentions_mail`."""
        return _any_of(self.mentions_mail)


def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")


class PhraseError(ValueError):
    """A text is no phrase lists; the message says where."""


def read_phrases(text: str) -> PhraseLists:
    """Return the lists in *text*, TOML.

    Raises
    ------
    PhraseError
        When it is no TOML, a list is missing, empty or unknown, or a phrase could never be found.
    """
    try:
        lists = msgspec.convert(tomllib.loads(text), PhraseLists, strict=True)
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at `$")
        where = at.strip("`.").removeprefix("[...]") or "the file"
        if unknown := re.search(r"unknown field `(.+)`", said):
            where, said = unknown[1], f"there is no such list; there are {', '.join(PhraseLists.__struct_fields__)}"
        raise PhraseError(f"{_line(text, where)}{where}: {said}") from error
    except (ValueError, RecursionError) as error:  # of TOML, or of an integer of thousands of digits
        raise PhraseError(f"not TOML: {error}") from error
    for field, phrases in (("idle", lists.idle), ("mentions_mail", lists.mentions_mail), *lists.empty.items()):
        for phrase in phrases:
            if wrong := _never_found(phrase, single=field == "idle"):
                raise PhraseError(f"{_line(text, field)}{field}: {phrase!r} {wrong}")
    return lists


def escaped_in(text: str, lists: PhraseLists) -> str | None:
    """Return the first name in *text* that is written with escapes: who reads the log without TOML would not find it there."""
    return next(
        (name for name in lists.empty if not re.search(rf"""(^|[{{,.])[ \t]*["']?{name}["']?[ \t]*=""", text, re.MULTILINE)),
        None,
    )


def _never_found(phrase: str, *, single: bool) -> str | None:
    """Return why *phrase* would match nothing of a text in its normal form."""
    plain = " ".join(unicodedata.normalize("NFKC", phrase).casefold().split())
    if phrase != plain:
        return "is never found: texts are compared in small letters, with single spaces"
    if not (phrase[0].isalnum() and phrase[-1].isalnum()):
        return "is never found: a phrase begins and ends with a letter or a digit"
    if single and not phrase.isalnum():
        return "is not one word"
    return None


def _line(text: str, path: str) -> str:
    key = re.escape(path.rpartition(".")[2])
    found = re.search(rf"^\s*{key}\s*=", text, re.MULTILINE)
    return f"line {text.count(chr(10), 0, found.end()) + 1}, " if found else ""


SHIPPED = read_phrases(TEXT)
