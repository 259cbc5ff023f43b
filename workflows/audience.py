"""Who gets a letter: everybody who decided not to buy over a period, and every active client; nobody is silently lost.

Each belongs to one audience and has either a letter or a reason for none. The latest decision not to buy counts: who declined
again after the period is in it no more. A client who also declined gets the client's letter (A0-12).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from typing import NamedTuple, get_args
from uuid import UUID

import msgspec

from workflows.campaign_commands import AudienceKey
from workflows.campaign_events import AudienceDrawn, AudienceRow, PersonFacts
from workflows.codec import BODY_BYTES_MAX, canonical, digest
from workflows.command import Mode
from workflows.invitation_playbook import Invitation
from workflows.law import refuses
from workflows.law_table import LawTable
from workflows.lead import Lead
from workflows.suppression import covered

#: Somebody talks with them at the moment: a form of the telephone, not of a letter to those who stopped moving.
_IN_CONVERSATION = frozenset({"re_engaged", "meeting_booked"})

#: A note with a promised call is on its way; two letters would read as one machine.
_PROMISED = frozenset({"note_due", "note_sent", "call_due"})

#: Of the body of a draw, what does not grow with the audience has fewer bytes.
_AROUND = 4_096

#: An audience row without its rep, and what is known of a person, at their longest, with the commas around them.
_ROW = 1 + len(canonical(AudienceRow(lead_id=UUID(int=0), audience="declined", rep="", status="excluded", reason="r" * 32)))
_PERSON = len(
    canonical({
        str(UUID(int=0)): PersonFacts(
            company=False,
            last_meeting_topic=False,
            same_as=UUID(int=0),
            suppressed=(max(get_args(Mode), key=len),),
        )
    })
)  # fmt: skip


class Asked(NamedTuple):
    """Whom a campaign asks for."""

    declined_from: date
    declined_to: date
    audiences: tuple[AudienceKey, ...]


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """What a draw looks at."""

    leads: tuple[Lead, ...] = ()
    """Those that `belongs` to it, in the order of their ids."""
    people: Mapping[UUID, PersonFacts] = {}
    position: int | None = None
    """The leads are what the first *position* events of the log come to."""


def belongs(lead: Lead, asked: Asked) -> AudienceKey | None:
    """Return the audience of *lead*: an active client, or somebody whose last decline lies in the period (dates in UTC)."""
    if lead.state == "won":
        # A client's letter or none: who declined once and bought later is no prospect.
        return "client" if "client" in asked.audiences else None
    if lead.decline is None or "declined" not in asked.audiences:
        return None
    return "declined" if asked.declined_from <= lead.decline.at.astimezone(UTC).date() <= asked.declined_to else None


def audience_of(leads: Iterable[Lead], asked: Asked) -> tuple[Lead, ...]:
    """Return those of *leads* that belong to the audience, in the order of their ids."""
    return tuple(sorted((lead for lead in leads if belongs(lead, asked)), key=lambda lead: lead.id))


def audience_digest(leads: Sequence[Lead]) -> str:
    """Return SHA-256 of the leads of an audience with their versions, by which their whole histories are named."""
    return digest(canonical([(lead.id, lead.version) for lead in leads]))


def is_short(drawn: AudienceDrawn, audience: Audience) -> bool:
    """Tell whether an event can hold *drawn* with what is known of the people of its audience."""
    people = {str(id_): facts for id_, facts in audience.people.items()}
    return _AROUND + len(canonical(drawn)) + len(canonical(people)) <= BODY_BYTES_MAX


def most_drawn(leads: Iterable[Lead], left: Iterable[str]) -> int:
    """Return how many of *leads*, from the first on, one draw can hold whatever is known of each of them.

    *left* are the reps of those who may belong to the audience no more, and have a row, too.
    """
    room = BODY_BYTES_MAX - _AROUND - sum(_ROW + len(canonical(rep)) for rep in left)
    most = 0
    for lead in leads:
        room -= _ROW + _PERSON + len(canonical(lead.owner))
        if room < 0:
            break
        most += 1
    return most


def rows_of(audience: Audience, asked: Asked, rules: Invitation, day: date, law: LawTable | None) -> list[AudienceRow]:
    """Return a row for everybody who belongs to the audience: waiting for a letter, or excluded with a reason.

    *law* is asked for *day*; None where no table was in force yet.
    """
    keys = {lead.id: key for lead in audience.leads if (key := belongs(lead, asked))}
    reasons = {
        lead.id: _why_not(lead, keys[lead.id], audience.people.get(lead.id, PersonFacts()), rules, day, law)
        for lead in audience.leads
        if lead.id in keys
    }
    letters = _one_letter_each(keys, reasons, audience.people)
    return [
        AudienceRow(
            lead_id=lead.id,
            audience=keys[lead.id],
            rep=lead.owner,
            status="excluded" if (reason := reasons[lead.id] or (None if lead.id in letters else "same_person")) else "waiting",
            reason=reason,
        )
        for lead in audience.leads
        if lead.id in keys
    ]


def _one_letter_each(
    keys: Mapping[UUID, AudienceKey], reasons: Mapping[UUID, str | None], people: Mapping[UUID, PersonFacts]
) -> set[UUID]:
    """Return the leads that stand for their person: of several that are one person the client, else the first by id."""
    chosen: dict[UUID, UUID] = {}
    clients = {people[id_].same_as or id_ for id_, key in keys.items() if key == "client" and id_ in people}
    for id_ in sorted(keys):
        person = (people[id_].same_as if id_ in people else None) or id_
        # Whom the client's letter is refused to gets none as a prospect either.
        if reasons[id_] is None and (person not in clients or keys[id_] == "client"):
            chosen.setdefault(person, id_)
    return set(chosen.values())


def _why_not(
    lead: Lead, key: AudienceKey, person: PersonFacts, rules: Invitation, day: date, law: LawTable | None
) -> str | None:
    if lead.erased_at:
        return "erased"
    if lead.state == "do_not_contact":
        return "do_not_contact"
    if rules.mode in {mode for each in person.suppressed for mode in covered(each)}:
        return "suppressed"
    if rules.mode not in lead.modes:
        return "no_address"
    if unlawful := refuses(lead, rules.mode, day, law):
        # Who is asked where somebody lives can help; to everything else the law's answer is no.
        return unlawful.rule if unlawful.rule == "region_unknown" else "unlawful"
    if lead.hold is not None:
        return "on_hold"
    if key == "declined" and (state := _busy(lead)):
        return state
    audience = rules.audience(key)
    if audience is None:
        return "no_letter_for_audience"
    missing = next((fact for fact in audience.requires if not getattr(person, fact)), None)
    return f"needs_{missing}" if missing else None


def _busy(lead: Lead) -> str | None:
    if lead.state == "dropped":
        return "dropped"
    if lead.open_opportunity:
        return "open_opportunity"
    if lead.state in _IN_CONVERSATION:
        return "in_conversation"
    return "promised_call" if lead.state in _PROMISED else None
