"""What a letter of a campaign must be: for the right audience, with what we know of the person, and with the whole list.

The exact text that leaves is looked at. What is recorded are numbers and ids, no word of it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from workflows.campaign_commands import AudienceKey, SendInvitation
from workflows.campaign_events import EventFacts
from workflows.context import Facts, Refused
from workflows.event_list import attachment_digest, of, sendable, upcoming
from workflows.events import Scalar, Verdict
from workflows.invitation_playbook import Invitation
from workflows.prose import normal

_SOURCE = "invitation check {} version 1"

#: What only a letter to somebody who declined says: that it came to nothing then.
_CAME_TO_NOTHING = re.compile(
    r"\b(?:(?:could not|couldn't|cannot|can't|unable to|not able to|weren't able to|not possible to) (?:\w+ ){0,2}?"
    r"(?:move|go|moving|going) (?:forward|ahead|further)|came to nothing|did not work out|didn't work out|not the right time"
    r"|decided not to|chose not to)\b"
)

#: What only a letter to a client says: thanks for the work together.
_THANKS = re.compile(r"\b(?:thank|thanks|grateful)\b.{0,80}\b(?:work|working|client|clients|with you)\b")

#: The purpose: to see for oneself.
_FIRST_HAND = re.compile(r"\b(?:first[- ]?hand|with your own eyes|for yourself|for yourselves)\b")


def audience(facts: Facts, command: SendInvitation) -> Refused | None:
    """Refuse a letter for the other audience: the client's letter is for active clients and for nobody else (A0-11)."""
    client = facts.lead.state == "won"
    if client == (command.audience == "client"):
        return None
    now = "is a client now" if client else "is no client any more"
    reason = f"This person {now}, and the letter is for the other audience; write it anew."
    return Refused(rule="audience", reason=reason, inputs={"state": facts.lead.state, "audience": command.audience})


def one_invitation(facts: Facts, command: SendInvitation) -> Refused | None:
    """Refuse a second copy of the letter of one campaign, whoever asks for it and however often."""
    if command.campaign_id not in (facts.lead.invitations or ()):
        return None
    reason = "This person got the letter of this campaign already."
    return Refused(rule="one_invitation", reason=reason, inputs={"campaign_id": str(command.campaign_id)})


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it is looked at, with what it is to say."""

    audience: AudienceKey
    text: str
    values: Mapping[str, str]
    """What is known of the person, by the name of the fact."""
    titles: Mapping[UUID, str]
    """Of the events, by id."""
    descriptions: Mapping[UUID, str]
    listed: tuple[UUID, ...]
    attachment: str


def verdicts(
    letter: Read,
    events: Sequence[EventFacts],
    hidden: Sequence[UUID],
    rules: Invitation,
    types: Sequence[str],
    now: datetime,
) -> tuple[Verdict, ...]:
    """Return what is to be said of *letter*; *hidden* are events whose hosts exclude the person's company."""
    found = [event for event in upcoming(events, rules.events, types, now) if event.id not in hidden]
    wanted = attachment_digest(found)
    same = wanted == letter.attachment and tuple(event.id for event in found) == letter.listed
    undescribed = sendable(of(events, [event.id for event in found]), rules.events, types, now) if found else None
    described = undescribed is None or undescribed.rule != "described"
    return (
        _verdict(
            "event_left",
            bool(found),
            {"events": len(found), "hidden": len(hidden)},
            "There is no event to invite this person to.",
        ),
        _verdict(
            "event_list",
            same,
            {"attachment": letter.attachment, "eligible": wanted, "listed": len(letter.listed), "events": len(found)},
            "The list is not that of the events that may be attended now.",
        ),
        _verdict("described", described, {"events": len(found)}, undescribed.reason if undescribed else ""),
        opening(letter.audience, letter.text),
        _values(letter, rules),
        _whole(letter),
    )


def _verdict(check: str, passed: bool, inputs: dict[str, Scalar], reason: str) -> Verdict:
    return Verdict(
        check=check,
        passed=passed,
        source=_SOURCE.format(check),
        inputs=inputs,
        level="pass" if passed else "refuse",
        reason=None if passed else reason,
    )


def opening(audience: AudienceKey, letter: str) -> Verdict:
    """Return what is to be said of how a *letter* to this *audience* opens (A0-4, A0-11)."""
    text = " ".join(normal(letter).split())
    nothing, thanks, own_eyes = (bool(pattern.search(text)) for pattern in (_CAME_TO_NOTHING, _THANKS, _FIRST_HAND))
    inputs: dict[str, Scalar] = {"audience": audience, "nothing": nothing, "thanks": thanks, "first_hand": own_eyes}
    if not own_eyes:
        return _verdict("invitation_opening", False, inputs, "It does not say what for: to see it first-hand.")
    if audience == "client":
        reason = "A client is told that it came to nothing." if nothing else "A client is not thanked for the work together."
        return _verdict("invitation_opening", thanks and not nothing, inputs, reason)
    reason = "It thanks a prospect for working with us." if thanks else "It does not say that it could not go forward then."
    return _verdict("invitation_opening", nothing and not thanks, inputs, reason)


def _values(letter: Read, rules: Invitation) -> Verdict:
    """Look for each fact that the letter requires: all of them come before the list."""
    text = " ".join(normal(letter.text).split())
    list_at = min((at for title in letter.titles.values() if (at := text.find(_flat(title))) >= 0), default=len(text))
    required = audience_rules.requires if (audience_rules := rules.audience(letter.audience)) else ()
    where: dict[str, int] = {
        fact: text.find(_flat(letter.values[fact])) if letter.values.get(fact) else -1 for fact in required
    }
    missing = next((fact for fact, at in where.items() if not 0 <= at < list_at), None)
    inputs: dict[str, Scalar] = dict(where)
    said = (missing or "").replace("_", " ")
    return _verdict("invitation_values", missing is None, inputs, f"The {said} is not in it, before the list of events.")


def _whole(letter: Read) -> Verdict:
    """Look for title and description of every listed event in the text."""
    text = " ".join(normal(letter.text).split())
    missing = [id_ for id_ in letter.listed if not _named(text, letter, id_)]
    inputs: dict[str, Scalar] = {"listed": len(letter.listed), "missing": " ".join(map(str, missing))}
    return _verdict("list_whole", not missing, inputs, "The title or the description of a listed event is not in it.")


def _named(text: str, letter: Read, id_: UUID) -> bool:
    said = (_flat(letter.titles.get(id_, "")), _flat(letter.descriptions.get(id_, "")))
    return all(each and each in text for each in said)


def _flat(text: str) -> str:
    return " ".join(normal(text).split())
