"""The list that goes with every letter: which events stand on it, why another does not, and what it is pinned by."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from workflows.campaign_events import EventFacts
from workflows.codec import canonical, digest
from workflows.context import Refused
from workflows.invitation_playbook import EventRules


def upcoming(events: Iterable[EventFacts], rules: EventRules, types: Sequence[str], now: datetime) -> list[EventFacts]:
    """Return the events that a letter of *now* invites to, the soonest first; all of them must be described (`undescribed`).

    Each is of a type that the campaign and the playbook name, approved by its host, starts late enough to come, and has a
    seat left.
    """
    return sorted(
        (event for event in events if _why_not(event, rules, types, now) is None), key=lambda event: (event.starts_at, event.id)
    )


def why_not(event: EventFacts, rules: EventRules, types: Sequence[str], now: datetime) -> str | None:
    """Return why a letter of *now* does not list *event*, in a word; None when it does."""
    return _why_not(event, rules, types, now) or (None if _described(event, rules) else "not_described")


def _why_not(event: EventFacts, rules: EventRules, types: Sequence[str], now: datetime) -> str | None:
    if event.cancelled:
        return "cancelled"
    if not event.approved:
        return "not_approved"
    if event.kind not in rules.types or (types and event.kind not in types):
        return "other_type"
    if event.starts_at < now + timedelta(days=rules.min_lead_days):
        return "too_soon"
    return None if event.seats_left else "full"


def _described(event: EventFacts, rules: EventRules) -> bool:
    return rules.description_least <= event.characters <= rules.description_most


def sendable(events: Iterable[EventFacts], rules: EventRules, types: Sequence[str], now: datetime) -> Refused | None:
    """Refuse letters while there is nothing to invite to (A0-5), or while an event on the list has no description (A0-8)."""
    found = upcoming(events, rules, types, now)
    if not found:
        reason = (
            f"There is no event to invite to: it must be approved by its host, start in {rules.min_lead_days} days or later, "
            f"and have a seat left. See `thaw event list`."
        )
        return Refused(rule="eligible_event", reason=reason, inputs={"events": 0, "min_lead_days": rules.min_lead_days})
    for event in found:
        if not _described(event, rules):
            wanted = f"{rules.description_least} to {rules.description_most} characters"
            reason = f"The event {event.id} has a description of {event.characters} characters; {wanted} are wanted."
            return Refused(rule="described", reason=reason, inputs={"event": str(event.id), "characters": event.characters})
    return None


def attachment_digest(events: Iterable[EventFacts]) -> str:
    """Return SHA-256 of the list of *events* as it is attached: which, in which order, and what it says of each."""
    return digest(canonical([(event.id, event.content) for event in events]))


def barred(company: str, excluded: Iterable[str]) -> bool:
    """Tell whether *company* is one of those that a host excluded, whatever the case, the punctuation and the legal form."""
    key = company_key(company)
    return bool(key) and key in {company_key(name) for name in excluded}


_LEGAL_FORMS = frozenset({"ag", "co", "company", "corp", "corporation", "gmbh", "inc", "llc", "ltd", "limited", "plc", "sa"})


def company_key(company: str) -> str:
    """Return a company's name as it is compared: small letters, without punctuation and legal form."""
    found = re.findall(r"\w+", company.casefold())
    return " ".join([word for word in found if word not in _LEGAL_FORMS] or found)


def of(events: Iterable[EventFacts], ids: Sequence[UUID]) -> list[EventFacts]:
    """Return those of *events* with *ids*, in the order of these; unknown ones are missing."""
    known = {event.id: event for event in events}
    return [known[id_] for id_ in ids if id_ in known]
