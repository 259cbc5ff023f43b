"""The words of a day's sheet: an item to do, something blocked, and what is known of the person before either."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from service.sheet.desk import Desk
from service.wording import facts_of, field_of, key_of, name_of, plain, words
from workflows.commands import AnyCommand
from workflows.homework import reason_unverified
from workflows.lead import Lead

Kind = Literal[
    "objection",
    "reply",
    "call",
    "breakup",
    "next_step",
    "note",
    "reason",
    "follow_up",
    "homework",
    "review",
    "nurture",
    "decision",
]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do."""

    kind: Kind
    lead_id: UUID
    key: str
    """What to type for the lead."""
    name: str
    why: str
    """What it is, and why today."""
    notes: tuple[str, ...] = ()
    """What to know before doing it, in the order in which to use it."""
    commands: tuple[str, ...]
    """What to type afterwards; words in capitals are to be filled in."""


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that cannot be done now."""

    kind: Kind | None
    """What it would be; None for what is no work of the day: a lead on hold, whose slots are given back, and a promised call
    that a rule forbids."""
    lead_id: UUID
    key: str
    name: str
    rule: str
    why: str
    unblock: str
    opens: datetime | None = None
    """When it may be done without anybody's doing; None when somebody has to act, or no such hour is near."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An item before it is known whether it can be done."""

    lead: Lead
    kind: Kind
    why: str
    commands: tuple[str, ...]
    notes: tuple[str, ...] = ()
    tries: AnyCommand | None = None
    """What the machine would be told when it is done, to ask whether it would refuse; None when it never would."""


def item(desk: Desk, found: Found) -> Item:
    """Return *found* as it stands on the sheet."""
    lead = found.lead
    return Item(
        kind=found.kind,
        lead_id=lead.id,
        key=key(desk, lead),
        name=name(desk, lead),
        why=found.why,
        notes=tuple(note for note in found.notes if note),
        commands=found.commands,
    )


def blocked(
    desk: Desk, lead: Lead, kind: Kind | None, rule: str, why: str, unblock: str, opens: datetime | None = None
) -> Blocked:
    """Return what keeps *lead* off the sheet."""
    return Blocked(
        kind=kind,
        lead_id=lead.id,
        key=key(desk, lead),
        name=name(desk, lead),
        rule=rule,
        why=why,
        unblock=unblock,
        opens=opens,
    )


def key(desk: Desk, lead: Lead) -> str:
    """Return what to type for *lead*."""
    return key_of(lead, desk.people.get(lead.id))


def name(desk: Desk, lead: Lead) -> str:
    """Return how to call the person."""
    return name_of(lead, desk.people.get(lead.id))


def reach(desk: Desk, lead: Lead) -> str:
    """Return how to reach the person."""
    return ", ".join(_known(desk, lead, "company", "phone", "email"))


def post_to(desk: Desk, lead: Lead) -> str:
    """Return where a note to the person goes, as on its envelope."""
    person = desk.people.get(lead.id)
    address = person.fields.get("address") if person else None
    if not isinstance(address, str) or not address.strip():
        return ""
    lines = [plain(line, 80) for line in address.splitlines()]
    return f"post to: {', '.join([*lines, *_known(desk, lead, 'country')])}"


def face(desk: Desk, lead: Lead) -> str:
    """Return where a picture of the person is, if the CRM knows one."""
    known = _known(desk, lead, "photo")
    return f"picture: {known[0]}" if known else ""


def business(desk: Desk, lead: Lead) -> str:
    """Return what there is to sell, which comes last."""
    known = _known(desk, lead, "prior_interest", "product")
    return f"business last: {', '.join(known)}" if known else ""


def unverified(desk: Desk, lead: Lead) -> str:
    """Return that nobody knows the real reason yet, with what to ask; empty when somebody does or it is not hidden."""
    playbook = desk.playbook_of(lead)
    if lead.decline is None or not reason_unverified(lead, playbook):
        return ""
    asked = ", ".join(words(question) for question in playbook.reason.questions)
    return f"reason unverified, they said {words(lead.decline.stated_reason)}; ask: {asked}"


def met(desk: Desk, lead: Lead) -> str:
    """Return where the two met, which a note reminds of and a call goes on to."""
    known = _known(desk, lead, "last_meeting_place", "last_meeting_topic")
    return f"you met: {', '.join(known)}" if known else ""


def facts(desk: Desk, lead: Lead) -> str:
    """Return the personal facts, with which notes and calls begin."""
    person = desk.people.get(lead.id)
    known = facts_of(person.fields) if person else ()
    return f"facts: {'; '.join(known)}" if known else ""


def _known(desk: Desk, lead: Lead, *fields: str) -> list[str]:
    person = desk.people.get(lead.id)
    return [shown for field in fields if (shown := field_of(person.fields, field))] if person else []
