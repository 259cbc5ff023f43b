"""From a command to recorded events: decide, put each step into its envelope, fold. The whole machine in one pure function."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows import handover
from workflows.calendars import Calendar
from workflows.checks import asked_of_breakup, settled
from workflows.codec import canonical, digest
from workflows.commands import (
    AnyCommand,
    Command,
    ConfirmCutBait,
    EraseLead,
    RegisterLead,
    command_kind,
)
from workflows.context import Applied, Context, Refused, Step, Superseded, TooEarly, in_utc
from workflows.cover import Colleague
from workflows.decide import decide
from workflows.events import SCHEMA, ColleagueUsed, CommandRefused, Recorded, Slot, Used, Verdict
from workflows.fold import fold
from workflows.law_guards import judged_by, narrows
from workflows.lead import Lead, State
from workflows.merge_commands import MergeLead, TakeInDuplicate
from workflows.slotting import asked_for, takes_slots
from workflows.suppression import CHECK
from workflows.transitions import TOUCHES, trigger

AnswerName = Literal["applied", "refused", "superseded", "too_early", "unknown_lead"]


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """The message that carries a command: what its events say of where they come from."""

    message_id: UUID
    stream_id: UUID
    """The lead that the message is for; the id of a lead that it registers."""
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    recorded_at: datetime


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command."""

    answer: AnswerName
    recorded: tuple[Recorded, ...] = ()
    lead: Lead | None = None
    """The lead after *recorded*; as it was when nothing was recorded."""
    follow_ups: tuple[Command, ...] = ()
    """To be staged on the same lead, in this order."""
    rule: str | None = None
    reason: str | None = None
    due_at: datetime | None = None
    """When a timer that came too early is due; in the past, when another timer goes first that is late."""


def handle(lead: Lead | None, command: AnyCommand, context: Context, carrier: Carrier) -> Outcome:
    """Decide *command* and return what it leaves: a refusal is recorded, what is superseded or too early is not."""
    answer = decide(lead, command, context)
    match answer:
        case Superseded(reason=reason):
            return Outcome(answer="superseded", lead=lead, rule="superseded", reason=reason)
        case TooEarly(due_at=due_at):
            return Outcome(answer="too_early", lead=lead, due_at=due_at)
        case Refused(rule=rule, reason=reason):
            if lead is None:
                name: AnswerName = "refused" if isinstance(command, RegisterLead) else "unknown_lead"
                return Outcome(answer=name, rule=rule, reason=reason)
            return _record(lead, command, context, carrier, answer, (_refusal(lead, command, context, answer),))
    return _record(lead, command, context, carrier, answer, answer.steps)


def _refusal(lead: Lead, command: AnyCommand, context: Context, refused: Refused) -> Step:
    data = CommandRefused(refused=command_kind(command), rule=refused.rule, reason=refused.reason, inputs=dict(refused.inputs))
    return Step(row=None, state=lead.state, occurred_at=in_utc(context.now), data=data, effects=refused.effects)


def _record(
    lead: Lead | None,
    command: AnyCommand,
    context: Context,
    carrier: Carrier,
    answer: Applied | Refused,
    steps: tuple[Step, ...],
) -> Outcome:
    recorded: list[Recorded] = []
    before = lead
    # A clock that was set back must not make the log run backwards.
    recorded_at = max(in_utc(carrier.recorded_at), lead.recorded_at) if lead else in_utc(carrier.recorded_at)
    if isinstance(answer, Refused):
        free = asked_for(lead, command, context.free) if lead else ()
    else:
        free = tuple(slot for step in steps for slot in step.effects.reserved)
    for step in steps:
        first = not recorded
        event = Recorded(
            stream_id=lead.id if lead else carrier.stream_id,
            version=lead.version + 1 if lead else 1,
            schema=SCHEMA,
            occurred_at=step.occurred_at,
            recorded_at=recorded_at,
            message_id=carrier.message_id,
            actor=carrier.actor,
            correlation_id=carrier.correlation_id,
            causation_id=carrier.causation_id,
            playbook=context.playbook.pin,
            row=step.row,
            state=step.state,
            effects=step.effects,
            data=step.data,
            command=command if first else None,
            used=_used(before, command, context, free, step.state) if first else None,
        )
        lead = fold(lead, event)
        recorded.append(event)
    if isinstance(answer, Refused):
        return Outcome(answer="refused", recorded=tuple(recorded), lead=lead, rule=answer.rule, reason=answer.reason)
    return Outcome(answer="applied", recorded=tuple(recorded), lead=lead, follow_ups=answer.follow_ups)


def _used(lead: Lead | None, command: AnyCommand, context: Context, free: tuple[Slot, ...], entered: State) -> Used:
    return Used(
        now=in_utc(context.now),
        calendar=calendar_digest(context.calendar) if context.calendar else None,
        verdicts=_verdicts(command, context),
        free=free,
        holdings=(context.holdings or UNSET) if isinstance(command, EraseLead) else UNSET,
        queue=(context.queue or UNSET) if isinstance(command, ConfirmCutBait) else UNSET,
        followed=_followed(lead, command, context),
        asked=asked_of_breakup(command, context) or UNSET,
        into=(context.into or UNSET) if isinstance(command, MergeLead) else UNSET,
        wording=dict(context.wording) if context.wording else UNSET,
        law=(handover.judged_by(lead, command, context) or judged_by(lead, command, context, entered)) if lead else UNSET,
        colleague=colleague_used(context.colleague),
    )


def colleague_used(colleague: Colleague | None) -> ColleagueUsed | UnsetType:
    """Return what an event records of who calls instead of the owner."""
    if colleague is None:
        return UNSET
    return ColleagueUsed(rep=colleague.name, calendar=calendar_digest(colleague.calendar), followed=colleague.followed)


def _followed(lead: Lead | None, command: AnyCommand, context: Context) -> str | UnsetType:
    """Return the playbook whose capacity a decision about slots went by, or whose hours for calls narrow the lead's, where the
    event does not name it as the lead's own.
    """
    if context.followed is None or context.followed.pin == context.playbook.pin:
        return UNSET
    if not takes_slots(command) and not (lead and narrows(command, lead, context.playbook, context.followed)):
        return UNSET
    return context.followed.pin.digest


def asks_the_list(command: Command) -> bool:
    """Whether a decision on *command* looks at the suppression list: a touch, a registration, a merge on either side."""
    return isinstance(command, (RegisterLead, MergeLead, TakeInDuplicate)) or trigger(command) in TOUCHES


def _verdicts(command: AnyCommand, context: Context) -> tuple[Verdict, ...]:
    """Return the verdicts that a touch, a registration or a merge was judged by, with who gave each."""
    listed = tuple(verdict for verdict in context.verdicts if verdict.check == CHECK) if asks_the_list(command) else ()
    return (*settled(command, context), *listed)


def calendar_digest(calendar: Calendar) -> str:
    """Return SHA-256 of the calendar's canonical bytes, under which it is kept; worked out once per object."""
    known: dict[str, str] = calendar.__dict__
    found = known.get("_digest")
    if found is None:
        found = known["_digest"] = digest(canonical(calendar))
    return found
