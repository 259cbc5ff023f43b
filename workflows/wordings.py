"""Wording: what is said, versioned apart from playbooks. What each may ask for, and what it must not lack."""

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal, NamedTuple

from workflows.codec import digest
from workflows.invitation_checks import opening
from workflows.phrase_lists import PhraseError, escaped_in, read_phrases
from workflows.phrases import ASKS_TO_REPLY, MAY_SAY_NO
from workflows.prose import merge_mark, normal

WordingName = Literal["phrases", "breakup", "nurture", "mail-footer", "invite-declined", "invite-client", "late-call"]

#: More than any letter has; what is longer is a mistake.
MOST_CHARACTERS = 20_000

_SUBJECT = "Subject: "


class Form(NamedTuple):
    """What a template may ask for, and what it must."""

    fields: tuple[str, ...]
    required: dict[str, str]
    """By field: why."""
    says: str
    """What it is for."""
    marks: Literal["$", "{}"] = "$"
    subject: bool = False
    """It begins with the subject and an empty line."""


_LAW = "the law asks for it in every mail"
_METHOD = "the breakup names it (A1-9)"
FORMS: dict[WordingName, Form] = {
    "breakup": Form(
        ("first_name", "attempts", "solution", "benefit", "rep"),
        {"attempts": _METHOD, "solution": _METHOD, "benefit": _METHOD},
        "the mail half of a breakup", subject=True,
    ),
    "nurture": Form(
        ("first_name", "asset", "message", "rep"),
        {"message": "it holds what the rep has for them"},
        "the mail that keeps us in touch", subject=True,
    ),
    "mail-footer": Form(
        ("postal_address", "unsubscribe"), {"postal_address": _LAW, "unsubscribe": _LAW}, "below every mail",
    ),
    "invite-declined": Form(
        ("name", "company", "last_meeting_topic", "rep", "events"),
        {"events": "the list of events is part of the letter (A0-6)"},
        "an invitation to somebody who declined", marks="{}",
    ),
    "invite-client": Form(
        ("name", "company", "last_meeting_topic", "rep", "events"),
        {"events": "the list of events is part of the letter (A0-6)"},
        "an invitation to a client", marks="{}",
    ),
    "late-call": Form(
        ("promised_day",), {"promised_day": "it says what was promised"}, "how a call begins that comes late",
    ),
}  # fmt: skip

#: All there are, in the order in which they are listed; the last is no template.
NAMES: tuple[WordingName, ...] = (*FORMS, "phrases")

#: Fields, by how they are marked; `$$`, the sign itself, is read before them, as `string.Template` does.
_MARKS = {"$": re.compile(r"\$(?:\$|\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))"), "{}": re.compile(r"\{([^{}]*)\}")}

#: What is left of a mark where it is no field.
_LEFT_OVER = {"$": re.compile(r"\$"), "{}": re.compile(r"[{}]")}

#: Marks that turn the direction of what follows, and one that only begins a file.
_UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")

#: A subject is one header of a mail.
_MOST_OF_SUBJECT = 200


class WordingError(ValueError):
    """A text cannot be this wording; the message names the line, the field, and what would be right."""


class Wording(NamedTuple):
    """One wording as it is used."""

    name: str
    digest: str
    """SHA-256 of its text."""
    text: str

    @property
    def subject(self) -> str:
        """Return the subject, of one that begins with it."""
        return self.text.partition("\n")[0].removeprefix(_SUBJECT)

    @property
    def body(self) -> str:
        """Return what stands below the subject."""
        return self.text.partition("\n\n")[2]


def read_wording(name: WordingName, text: str) -> Wording:
    """Return *text* as the wording called *name*.

    Raises
    ------
    WordingError
        When it asks for what nobody knows, has a mark that a mail merge left behind, lacks what the law or the method demands,
        or nobody could print it.
    """
    if name == "phrases":
        try:
            lists = read_phrases(text)
        except PhraseError as error:
            raise WordingError(str(error)) from error
        if escaped := escaped_in(text, lists):
            raise WordingError(f"{escaped}: the name of a list is written letter by letter, without escapes such as \\u0061")
    else:
        _check(name, FORMS[name], text)
    return Wording(name, digest(text.encode()), text)


def _check(name: WordingName, form: Form, text: str) -> None:
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise WordingError(f"it has {len(text)} characters; 1 to {MOST_CHARACTERS} are a wording")
    for number, line in enumerate(text.split("\n"), 1):
        if wrong := next(_wrong_in(form, line), None):
            raise WordingError(f"line {number}, {wrong}")
    if form.subject and not re.match(rf"{_SUBJECT}\S[^\n]*\n\n\s*\S", text):
        raise WordingError(f"line 1: it begins with `{_SUBJECT}` and the words of it, then comes an empty line and the text")
    subject = text.partition("\n")[0].removeprefix(_SUBJECT)
    if form.subject and len(subject) > _MOST_OF_SUBJECT:
        raise WordingError(f"line 1: the subject has {len(subject)} characters; {_MOST_OF_SUBJECT} are the most")
    # A subject is no place where anybody looks for what must be said.
    said = set(_fields(form, text.partition("\n\n")[2] if form.subject else text))
    for field, why in form.required.items():
        if field not in said:
            raise WordingError(f"{_shown(form, field)} is missing: {why}")
    if lacks := _lacks(name, text):
        raise WordingError(lacks)


def _wrong_in(form: Form, line: str) -> Iterator[str]:
    unseen = (c for c in line if c in _UNSEEN or (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c != "\t"))
    hidden = next(unseen, None)
    if hidden is not None:
        yield f"U+{ord(hidden):04X}: nobody could print it"
    for field in _fields(form, line):
        if field not in form.fields:
            near = get_close_matches(field, form.fields, n=1)
            meant = f"did you mean {_shown(form, near[0])}?" if near else "it may have "
            known = "" if near else ", ".join(_shown(form, each) for each in form.fields)
            yield f"{_shown(form, field)}: there is no such field; {meant}{known}"
    if left := merge_mark(_MARKS[form.marks].sub("x", line)):
        yield f"{left}: a mark that a mail merge left behind; a field is written {_shown(form, form.fields[0])}"
    elif stray := _LEFT_OVER[form.marks].search(_MARKS[form.marks].sub("", line)):
        yield f"{stray[0]}: " + ("write $$ for the sign itself" if form.marks == "$" else "no field of this line has it")


def _fields(form: Form, text: str) -> list[str]:
    found = (match.groups() for match in _MARKS[form.marks].finditer(text))
    return [name for groups in found for name in groups if name is not None]


def _shown(form: Form, field: str) -> str:
    return f"${field}" if form.marks == "$" else f"{{{field}}}"


def _lacks(name: WordingName, text: str) -> str | None:
    """Return what every text that is written from it would be refused for."""
    plain = normal(text)
    if name == "breakup" and not MAY_SAY_NO.search(plain):
        return "it does not say that a no is fine, which a breakup does (A1-9)"
    if name == "breakup" and not ASKS_TO_REPLY.search(plain):
        return "it does not ask to reply, which a breakup does (A1-9)"
    if name == "mail-footer":
        return _one_line_for_both(text)
    if name in ("invite-declined", "invite-client"):
        return opening("client" if name == "invite-client" else "declined", text).reason or None
    return None


def _one_line_for_both(footer: str) -> str | None:
    for number, line in enumerate(footer.split("\n"), 1):
        if {"postal_address", "unsubscribe"} <= {*_fields(FORMS["mail-footer"], line)}:
            why = "the words beside $unsubscribe are the link, and an address is none"
            return f"line {number}: $postal_address and $unsubscribe each need a line of their own: {why}"
    return None
