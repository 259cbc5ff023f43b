"""The words in which people are told about a lead: safe to print, short, and the same everywhere."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.contacts import Contact
from workflows.lead import Lead
from workflows.priority import Score
from workflows.sentences import words

# The words of the core's own sentences are found here with the others.
__all__ = [
    "count", "facts_of", "field_of", "key_of", "key_of_id", "name_of", "plain", "score_line", "shared", "short", "typed_id",
    "words",
]  # fmt: skip

#: Marks that reverse or embed the direction of text: printed raw, a name could rewrite the line that it stands in.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: Those of them that words need never: the marks alone are part of names in Hebrew and Arabic.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_SCORE_PARTS = {
    "stage": "stage", "value": "value", "time_invested": "time", "importance": "importance", "trigger": "trigger",
    "connector": "connector", "unanswered": "unanswered", "structural": "structural reason",
}  # fmt: skip


def plain(text: str, most: int = 200) -> str:
    """Return *text* on one line of at most *most* characters, without anything that a terminal would obey."""
    kept = text[: 8 * most]
    if not (kept.isascii() and kept.isprintable()):
        kept = "".join(character for character in kept if character.isspace() or _may_be_printed(character))
    line = " ".join(kept.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def hidden_in(text: str) -> str | None:
    """Return the first character of *text* that is not printed but obeyed, such as ``U+202E``; None when there is none."""
    for character in text:
        if character in _OVERRIDES or (character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs")):
            return f"U+{ord(character):04X}"
    return None


def _may_be_printed(character: str) -> bool:
    return character not in _DIRECTION and unicodedata.category(character) not in ("Cc", "Cs")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 note`` or ``2 notes``."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def name_of(lead: Lead, contact: Contact | None) -> str:
    """Return how to call the person: by name, else by company, else by the CRM's id, else by ours; or that it was erased."""
    if lead.erased_at:
        return f"erased on {lead.erased_at.date()}"
    fields = contact.fields if contact else {}
    for field in ("name", "company"):
        if shown := field_of(fields, field):
            return shown
    return plain(contact.external_id, 60) if contact else f"lead {short(lead)}"


def short(lead: Lead) -> str:
    """Return the first digits of the lead's id, which are what people type."""
    return lead.id.hex[:8]


def key_of(lead: Lead, contact: Contact | None) -> str:
    """Return what to type for a lead: the CRM's id where a shell takes it as it is, else digits enough of ours."""
    return key_of_id(lead.id, contact)


def key_of_id(lead_id: UUID, contact: Contact | None) -> str:
    """Return what to type for the lead with *lead_id*, as `key_of` does."""
    return typed_id(lead_id, contact.external_id if contact else "")


def typed_id(lead_id: UUID, external: str) -> str:
    """Return what to type for the lead with *lead_id*, which the CRM calls *external*."""
    return external if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", external) else lead_id.hex[:12]


_SHARED = {"email": "the same mail address", "person": "the same name and number", "post": "the same name and address"}


def shared(kinds: Sequence[str]) -> str:
    """Return what two leads have in common, such as ``the same name and number``."""
    return ", ".join(_SHARED[kind] for kind in kinds)


def field_of(fields: Mapping[str, Any], field: str, most: int = 60) -> str:
    """Return a field of a contact for printing; empty when it is missing or no text."""
    value = fields.get(field)
    return plain(str(value), most) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def facts_of(fields: Mapping[str, Any], most: int = 80) -> tuple[str, ...]:
    """Return the personal facts of a contact for printing, in the CRM's order."""
    facts = fields.get("facts")
    return tuple(plain(str(fact), most) for fact in facts if fact) if isinstance(facts, list) else ()


def score_line(score: Score) -> str:
    """Return the score with its parts, such as ``42 = stage 12 + value 9 + importance 21``; parts of 0 are left out."""
    parts = [(label, getattr(score, field)) for field, label in _SCORE_PARTS.items() if getattr(score, field)]
    if not parts:
        return str(score.total)
    (label, points), *others = parts
    rest = "".join(f" {'-' if points < 0 else '+'} {label} {abs(points)}" for label, points in others)
    return f"{score.total} = {label} {points}{rest}"
