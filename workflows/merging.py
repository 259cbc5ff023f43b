"""A lead that is merged into another one: two decisions, each on its own stream, with a message between them.

The duplicate ends (T52) and tells the other lead what it has to know, by a message staged in the same transaction. No
transaction locks both, so that two merges may cross: A into B while B goes into A, or into C. Nobody is lost by that, because a
lead that takes in a duplicate while it is merged itself stands again (T53). At worst two leads live on, and a manager merges
them again.

What the person says is passed on by whatever lead it reaches: an answer to the lead that goes on, and an objection, or an
erasure, which is one, to all leads that merges tie to it.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from workflows.command import Mode
from workflows.commands import AnyCommand, Command, EraseLead, MarkWon, OptOut, RecordReply, UpdateContact
from workflows.context import Facts, Refused
from workflows.events import ChannelOptedOut, OptedOut, Recorded
from workflows.law_facts import LawFacts, merged
from workflows.lead import Lead, TakenIn
from workflows.mail_commands import RecordBounce, ReportMail
from workflows.merge_commands import DuplicateFacts, MergeLead, TakeInDuplicate
from workflows.merge_events import DuplicateTakenIn, LeadMerged, OtherLead
from workflows.suppression import CHECK, MODES, covered, refused_by, refused_modes
from workflows.transitions import Row, aside, row_for

#: What a merged lead still answers to: the person's objection and erasure, another duplicate, what became of mail that had gone
#: out, and that the contact's data changed: an import has written that by then, and the log has to commit to it.
STILL_TAKEN = (OptOut, EraseLead, TakeInDuplicate, ReportMail, RecordBounce, UpdateContact)

T = TypeVar("T", date, datetime)


def refuse_merged(into: UUID) -> Refused:
    """Refuse all else that is asked of a lead which was merged into the lead *into*."""
    reason = f"This lead was merged into lead {into}; ask that one."
    return Refused(rule="merged", reason=reason, inputs={"into": str(into)})


def another_lead(facts: Facts, command: MergeLead | TakeInDuplicate) -> Refused | None:
    """Refuse to merge a lead into itself."""
    other = command.into if isinstance(command, MergeLead) else command.duplicate
    if other != facts.lead.id:
        return None
    return Refused(rule="another_lead", reason="A lead cannot be merged into itself.", inputs={"into": str(other)})


def into_known(facts: Facts, command: MergeLead) -> Refused | None:
    """Refuse to merge a lead into one that nobody knows."""
    into = facts.context.into
    if into and into.known:
        return None
    reason = f"There is no lead {command.into} to merge it into."
    return Refused(rule="into_known", reason=reason, inputs={"into": str(command.into)})


def into_not_erased(facts: Facts, command: MergeLead) -> Refused | None:
    """Refuse to merge a lead into one whose person was erased."""
    into = facts.context.into
    if into is None or not into.erased:
        return None
    reason = f"All that was known of the person of lead {command.into} was erased; nothing is merged into it."
    return Refused(rule="into_not_erased", reason=reason, inputs={"into": str(command.into)})


def into_not_merged(facts: Facts, command: MergeLead) -> Refused | None:
    """Refuse to merge a lead into one that was merged itself."""
    into = facts.context.into
    if into is None or into.merged_into is None:
        return None
    reason = f"Lead {command.into} was merged into lead {into.merged_into} itself; merge this one into that one."
    return Refused(rule="into_not_merged", reason=reason, inputs={"into": str(command.into), "merged": str(into.merged_into)})


def not_taken_in(facts: Facts, command: TakeInDuplicate) -> Refused | None:
    """Refuse to take in the same duplicate twice, unless it was merged anew."""
    known = next((each for each in facts.lead.duplicates or () if each.lead_id == command.duplicate), None)
    if known is None or known.version < command.version:
        return None
    reason = f"Lead {command.duplicate} was merged into this one already."
    return Refused(rule="not_taken_in", reason=reason, inputs={"duplicate": str(command.duplicate), "version": known.version})


def moves_of(lead: Lead, command: TakeInDuplicate) -> Iterator[tuple[Row, AnyCommand]]:
    """Yield the rows by which *lead* takes in a duplicate: what the person objected to there, or bought, is said here, too."""
    stands_again = bool(lead.merged_into) and lead.state == "dropped" and lead.ended_as != "dropped"
    row = row_for(lead.state, f"take_in_duplicate{':merged' if stands_again else ''}")
    if row is None:
        return
    yield row, command
    stands = row.target or lead.state
    out, won = row_for(stands, "opt_out:all"), row_for(stands, "mark_won")
    if out and command.facts.do_not_contact:
        yield out, OptOut()
        return
    if out:
        for channel in _channels(command.facts.modes_refused, lead.modes_refused):
            yield aside("channel_opted_out"), OptOut(channel=channel)
    if won and (command.facts.won or (stands_again and lead.ended_as == "won")):
        yield won, MarkWon()


def _channels(refused: Collection[Mode], known: Collection[Mode]) -> list[Mode]:
    """Return the channels by which all of *refused* are refused, without those that are *known*."""
    new = sorted({*refused}.difference(known))
    return [mode for mode in new if not any(mode in covered(other) for other in new if other != mode)]


def facts_of(lead: Lead, listed: Collection[str] = ()) -> DuplicateFacts:
    """Return what another lead has to know of *lead*, which is merged into it; the suppression list refuses the modes *listed*.

    An entry may stand under an identifier that the other lead does not have, and may never have been an event of *lead*.
    """
    law = lead.law or LawFacts()
    return DuplicateFacts(
        do_not_contact=lead.state == "do_not_contact" or MODES.issubset(listed),
        won=lead.state == "won",
        modes_refused=tuple(dict.fromkeys((*lead.modes_refused, *(mode for mode in sorted(MODES) if mode in listed)))),
        do_not_call_on=law.dnc_checked_on or None if law.dnc_listed is True else None,
        open_opportunity=lead.open_opportunity,
        decline=lead.decline,
        revisit_on=lead.revisit_on,
        last_contact_at=lead.last_contact_at,
        last_touch_at=lead.last_touch_at,
        called_at=lead.called_at,
        nurture_touched_at=lead.nurture_touched_at,
        value_items_used=lead.value_items_used,
        invitations=lead.invitations or (),
    )


def other_lead(lead: Lead | None) -> OtherLead:
    """Return what a decision to merge into *lead* looks at; None for a lead that nobody knows."""
    if lead is None:
        return OtherLead(known=False)
    return OtherLead(known=True, merged_into=lead.merged_into or None, erased=bool(lead.erased_at))


def told(command: Command, lead: Lead | None, recorded: tuple[Recorded, ...], rule: str | None) -> list[tuple[UUID, Command]]:
    """Return what other leads are to hear of *lead*, as it stands after *recorded*, which its answer to *command* left."""
    match command:
        case MergeLead(into=into):
            return [
                (into, TakeInDuplicate(duplicate=each.stream_id, version=each.version, facts=each.data.facts))
                for each in recorded
                if isinstance(each.data, LeadMerged)
            ]
        case OptOut() | EraseLead() | RecordReply() if lead and recorded:
            return _passed_on(command, lead, rule)
        case TakeInDuplicate() if lead and recorded:
            return _told_at_taking_in(command, lead, recorded, rule)
    return []


def _told_at_taking_in(
    command: TakeInDuplicate, lead: Lead, recorded: tuple[Recorded, ...], rule: str | None
) -> list[tuple[UUID, Command]]:
    """Tell the duplicate what the person objected to as *lead*, and the others what only the duplicate had heard.

    Each stands on the suppression list under identifiers of its own, so that nobody takes the same person in anew. What stands
    there of *lead* counts as well: it may never have been an event of it.
    """
    through, facts = (lead.id,), command.facts
    if rule == "erased":
        return [(command.duplicate, OptOut(through=through))]
    if not any(isinstance(each.data, DuplicateTakenIn) for each in recorded):
        return []
    said: list[tuple[UUID, Command]] = []
    listed = _listed(recorded[0])
    if lead.state == "do_not_contact" or MODES.issubset(listed):
        said += [(command.duplicate, OptOut(through=through))] if not facts.do_not_contact else []
    else:
        channels = _channels({*lead.modes_refused, *(mode for mode in MODES if mode in listed)}, facts.modes_refused)
        said += [(command.duplicate, OptOut(channel=channel, through=through)) for channel in channels]
    others = [each for each in _same_person(lead) if each != command.duplicate]
    for data in (each.data for each in recorded):
        if isinstance(data, (OptedOut, ChannelOptedOut)):
            channel = data.channel if isinstance(data, ChannelOptedOut) else None
            said += [(each, OptOut(channel=channel, through=through)) for each in others]
    return said


def _listed(recorded: Recorded) -> frozenset[str]:
    """Return the modes that the suppression list refused when *recorded* was decided; none where it was not asked yet."""
    found = (each for each in (recorded.used.verdicts if recorded.used else ()) if each.check == CHECK)
    return next(map(refused_by, found), frozenset())


def _passed_on(command: OptOut | EraseLead | RecordReply, lead: Lead, rule: str | None) -> list[tuple[UUID, Command]]:
    before = (command.through or ()) if not isinstance(command, EraseLead) else ()
    through = (*before, lead.id)
    on = [lead.merged_into] if lead.merged_into else []
    if isinstance(command, RecordReply):
        if rule != "merged":
            return []
        # The words stay with the lead to which they were said, and so do its connectors.
        said: Command = replace(command, through=through, words=None, introduced_by=UNSET)
    else:
        on += _same_person(lead)
        own = isinstance(command, OptOut)
        said = replace(command, through=through, words=UNSET) if own else OptOut(through=through)
    return [(each, said) for each in dict.fromkeys(on) if each not in through]


def _same_person(lead: Lead) -> list[UUID]:
    """Return the leads, beside the one that goes on for *lead*, that hear of objections: its duplicates, and where it stood.

    Duplicates stand on the suppression list under identifiers of their own, or stand again. A lead that stands again left
    another behind that lives on.
    """
    return list(dict.fromkeys((*(lead.formerly_into or ()), *(each.lead_id for each in lead.duplicates or ()))))


def is_passed_on(command: Command) -> bool:
    """Tell whether *command* came from a lead that was merged into the one it is for."""
    return isinstance(command, TakeInDuplicate) or bool(getattr(command, "through", UNSET))


# What the events say, and what they change in a lead; see `workflows.outcomes` and `workflows.changes`.

BUILDERS: dict[str, Any] = {
    "lead_merged": lambda facts, command: LeadMerged(
        into=command.into, facts=facts_of(facts.lead, refused_modes(facts.context))
    ),
    "duplicate_taken_in": lambda _, command: DuplicateTakenIn(
        duplicate=command.duplicate, version=command.version, facts=command.facts
    ),
}


def lead_merged(lead: Lead, _at: datetime, data: LeadMerged, changes: dict[str, Any]) -> None:
    """End it. Logs of before this was refused (`not_held`) have merges of leads on hold: none is held any more."""
    changes["merged_into"] = data.into
    changes["hold"] = None
    changes["ended_as"] = lead.state if lead.state in ("won", "dropped") else UNSET


def taken_in(lead: Lead, _at: datetime, data: DuplicateTakenIn, changes: dict[str, Any]) -> None:
    """Let of what both leads knew the stricter hold."""
    facts = data.facts
    for name in ("last_contact_at", "last_touch_at", "called_at", "nurture_touched_at"):
        told_at: datetime | None = getattr(facts, name)
        changes[name] = _later(getattr(lead, name), told_at.astimezone(UTC) if told_at else None)
    changes["revisit_on"] = _later(lead.revisit_on, facts.revisit_on)
    changes["open_opportunity"] = lead.open_opportunity or facts.open_opportunity
    changes["value_items_used"] = tuple(dict.fromkeys((*lead.value_items_used, *facts.value_items_used)))
    if facts.invitations:
        changes["invitations"] = tuple(dict.fromkeys((*(lead.invitations or ()), *facts.invitations)))
    if facts.do_not_call_on:
        checked_on = (lead.law.dnc_checked_on or None) if lead.law else None
        listed = LawFacts(dnc_listed=True, dnc_checked_on=_later(checked_on, facts.do_not_call_on) or UNSET)
        changes["law"] = merged(lead.law, listed)
    if facts.decline and (lead.decline is None or lead.decline.at < facts.decline.at):
        # As of any newer no: it wants an answer to why, and a strategy.
        said_at = facts.decline.at.astimezone(UTC)
        changes["decline"] = replace(facts.decline, at=said_at)
        changes["reason_probed_at"] = said_at if facts.decline.real_reason else None
        changes["strategy_at"] = None
        changes["history_at"] = UNSET
    others = (each for each in lead.duplicates or () if each.lead_id != data.duplicate)
    changes["duplicates"] = (*others, TakenIn(lead_id=data.duplicate, version=data.version))
    changes["merged_into"] = UNSET
    if lead.merged_into:
        changes["formerly_into"] = tuple(dict.fromkeys((*(lead.formerly_into or ()), lead.merged_into)))


def _later(known: T | None, told: T | None) -> T | None:
    return max(known, told) if known and told else known or told


CHANGES: dict[type, Any] = {LeadMerged: lead_merged, DuplicateTakenIn: taken_in}
