"""The decision: what follows from a command, for a lead as it stands and a moment. Pure and total: every command in every
state gets an answer.

What is not obvious from the table:

* A reply that says no is logged as the reply, then as the decline; where the table has no such row for the state, the reply
  re-engages the lead first. A client's no (state ``won``) stays a reply.
* A returned note puts the lead on hold until it has an address.
* A lead on hold accepts what people report. What that would arm is frozen at once, so that nothing fires before the release.
* A suppressed person is registered, and opted out in the same breath.
* Somebody who is erased is opted out first, whoever asked for it: who is not known any more must not be contacted. From then on
  everything is refused.
* An opt-out is always accepted; a date in the future or out of bounds is read as now.
* A lead that was merged into another takes nothing any more but objections, erasures, other duplicates, what came of mail, and
  contact data that changed.
* Who takes in a duplicate takes in what the person objected to there, as objections of its own, and that they are a client.
* Whoever does not answer the call that a note promised follows another playbook from then on, where theirs says so.
* A mail that went out is also the touch that it was for, if the lead still stands where that belongs.
* Giving a lead to another rep keeps its timers but that of a call that moves. Slots of the old owner are released, and the same
  days of the new owner are taken; where these are full, a call moves to the next that is not, and a note that is not written
  yet goes back into the queue.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace as replace_fields

from workflows import mail, merging, timers
from workflows.commands import (
    AnyCommand,
    EraseLead,
    FireTimer,
    Hold,
    MigratePlaybook,
    OptOut,
    Reassign,
    RecordDecline,
    RecordLaw,
    RecordReply,
    RecordReturn,
    RegisterLead,
    RescheduleCall,
    command_kind,
)
from workflows.context import Applied, Context, Facts, Refused, Step, Superseded, TooEarly, facts, in_utc
from workflows.effects import effects_of
from workflows.events import SCHEMA, Effects, OptedOut, Recorded
from workflows.fold import fold
from workflows.guards import refusal
from workflows.handover import handover
from workflows.lead import RESTING, Lead
from workflows.mail_commands import ReportMail
from workflows.merge_commands import TakeInDuplicate
from workflows.outcomes import outcome, registered
from workflows.sentences import spoken, words
from workflows.suppression import keeps_out
from workflows.transitions import Row, aside, possible, row_for, trigger

__all__ = ["Applied", "Context", "Refused", "Step", "Superseded", "TooEarly", "decide"]

Answer = Applied | Refused | Superseded | TooEarly

#: The clock of the machine on which something was typed may be so far ahead of the one that applies it; it is read as now.
CLOCK_SKEW = timedelta(seconds=5)

_NOBODY = UUID(int=0)
_EARLIEST = date(1970, 1, 1)
_AHEAD_DAYS = 3660
#: What a duplicate tells stands in its log and binds, whatever was let in there; refused is what nobody could compute with.
_EARLIEST_TOLD = date(2, 1, 1)


def decide(lead: Lead | None, command: AnyCommand, context: Context) -> Answer:
    """Return what follows from *command* for *lead* (None when it is not known) in *context*."""
    unsound = _unsound(command, context)
    if isinstance(command, RegisterLead):
        return _register(lead, command, context, unsound)
    if unsound and not isinstance(command, (OptOut, FireTimer, EraseLead)):
        return unsound
    if lead is None:
        return Refused(rule="unknown_lead", reason="This lead is not known; register it first.")
    if lead.erased_at and not isinstance(command, FireTimer):
        return _refuse_erased(lead.erased_at, command)
    if lead.merged_into and not isinstance(command, (FireTimer, *merging.STILL_TAKEN)):
        return merging.refuse_merged(lead.merged_into)
    if isinstance(command, OptOut) and unsound:
        command = replace_fields(command, occurred_at=None)
    if isinstance(command, FireTimer):
        # A timer fires when it is rung, whatever the message says.
        command = FireTimer(timer=command.timer, armed_version=command.armed_version)
    known = facts(lead, command, context)
    if isinstance(command, FireTimer):
        return _fire(known, command)
    if isinstance(command, RescheduleCall) and command.not_before and lead.state == "note_sent":
        return _not_open(known)
    return _apply(known)


def _refuse_erased(erased_at: datetime, command: AnyCommand) -> Refused | Superseded:
    if isinstance(command, EraseLead):
        return Superseded(reason=f"it was erased on {erased_at.date()} already")
    reason = f"All that was known of this person was erased on {spoken(erased_at.date())}; nothing more is recorded."
    return Refused(rule="erased", reason=reason, inputs={"erased_at": erased_at.isoformat()})


def _unsound(command: AnyCommand, context: Context) -> Refused | None:
    """Refuse what did not happen yet, and dates that can only be slips of the pen."""
    now = in_utc(context.now)
    told = isinstance(command, TakeInDuplicate)
    # A day later, too: the clock by which the duplicate was told may be ahead of ours.
    earliest, latest = _EARLIEST_TOLD if told else _EARLIEST, now.date() + timedelta(days=_AHEAD_DAYS + told)
    for name, value in _dates(command):
        day = value.date() if isinstance(value, datetime) else value
        if not earliest <= day <= latest:
            reason = f"The date {day} cannot be right; check it."
            return Refused(rule="plausible_date", reason=reason, inputs={"field": name, "date": str(day)})
    if command.occurred_at is None or in_utc(command.occurred_at) <= now + CLOCK_SKEW:
        return None
    reason = "This is dated in the future; record it once it has happened."
    inputs = {"occurred_at": in_utc(command.occurred_at).isoformat(), "now": now.isoformat()}
    return Refused(rule="not_in_the_future", reason=reason, inputs=inputs)


def _dates(command: AnyCommand) -> Iterator[tuple[str, date]]:
    """Yield the days and moments that *command* names, with those of what it says of contact law or of a duplicate."""
    facts = command.facts if isinstance(command, TakeInDuplicate) else None
    law = command.law if isinstance(command, RecordLaw) else None
    for said in (command, law, facts, facts.decline if facts else None):
        for name in said.__struct_fields__ if said else ():
            value = getattr(said, name)
            if isinstance(value, date):
                yield name, value


def _register(lead: Lead | None, command: RegisterLead, context: Context, unsound: Refused | None) -> Answer:
    if lead is not None:
        reason = "This lead is known already; update it instead."
        return Refused(rule="already_registered", reason=reason, inputs={"version": lead.version})
    if unsound:
        return unsound
    now = in_utc(context.now)
    at = min(in_utc(command.occurred_at), now) if command.occurred_at else now
    if command.last_contact_on and command.last_contact_on > now.date() + timedelta(days=1):
        reason = f"The last contact cannot have been on {command.last_contact_on}, which is still to come."
        return Refused(rule="not_in_the_future", reason=reason, inputs={"last_contact_on": str(command.last_contact_on)})
    first = Step(row="T01", state="registered", occurred_at=at, data=registered(command), effects=Effects())
    if not command.suppressed and not keeps_out(context):
        return Applied(steps=(first,), follow_ups=command.then)
    out = Step(row="T48", state="do_not_contact", occurred_at=at, data=OptedOut(), effects=Effects())
    return Applied(steps=(first, out))


def _not_open(known: Facts) -> Superseded | TooEarly:
    """Answer a plan that moves a call which was to be open by now, and is not: it waits for one that is about to open."""
    opens = known.lead.timers.get("call_after_note")
    if opens and opens.due_at <= known.now:
        return TooEarly(due_at=opens.due_at)
    return Superseded(reason="the call does not open on the day that was planned")


def _fire(known: Facts, command: FireTimer) -> Answer:
    timer = known.lead.timers.get(command.timer)
    if timer is None or timer.armed_version != command.armed_version:
        return Superseded(reason=f"{command.timer} is not armed by version {command.armed_version} any more")
    if timer.due_at > known.now:
        return TooEarly(due_at=timer.due_at)
    if not timers.fires(command.timer):
        return Superseded(reason=f"{command.timer} is a date for people and does nothing by itself")
    answer = _apply(known)
    if isinstance(answer, Refused) and known.lead.state not in RESTING:
        # Nobody is forgotten: what could not act now asks again later.
        again = answer.effects.armed.get(command.timer) or timers.retry(command.timer, known.today, known.calendar)
        return Refused(
            rule=answer.rule,
            reason=answer.reason,
            inputs={**answer.inputs, "timer": command.timer, "again_at": again.isoformat()},
            effects=Effects(armed={command.timer: again, **_end_of(known, command.timer)}),
        )
    return answer


def _end_of(known: Facts, timer: str) -> dict[str, datetime]:
    """Return the timer that ends the asking for *timer*, unless it is armed already."""
    ends = timers.TIMERS[timer].ended_by
    if not ends or ends in known.lead.timers:
        return {}
    counted_from = max(known.lead.call_on or known.today, known.today)
    return {ends: timers.due(ends, counted_from, known.playbook, known.calendar)}


def _apply(known: Facts) -> Applied | Refused:
    """Run the rows that the command sets off, each on the lead as the one before left it."""
    moves = _moves(known)
    if isinstance(moves, Refused):
        return moves
    steps: list[Step] = []
    then = (*mail.follow_ups(known.command, known.lead, known.now), *_goes_on(known, moves[0][0]))
    for row, command in moves:
        if steps:
            known = replace(known, lead=fold(known.lead, _provisional(known, steps[-1])), command=command)
        refused = refusal(row.guards, known)
        if refused:
            return refused
        steps.append(_step(known, row))
    return Applied(steps=tuple(steps), follow_ups=then)


def _goes_on(known: Facts, row: Row) -> tuple[AnyCommand, ...]:
    """Return what puts a lead under another playbook once nobody answered the call that a note promised."""
    pin = known.context.goes_to
    if row.event != "no_response" or not known.lead.promised or pin is None or pin == known.lead.playbook:
        return ()
    return (MigratePlaybook(playbook=pin.id, version=pin.version, digest=pin.digest),)


def _moves(known: Facts) -> tuple[tuple[Row, AnyCommand], ...] | Refused:
    """Return the rows to run, each with the command that it is for: the one given, or what that one amounts to."""
    state, command = known.lead.state, known.command
    row = row_for(state, trigger(command))
    if isinstance(command, RecordReply) and command.intent == "no":
        return _moves_of_no(known, command)
    if row and isinstance(command, EraseLead) and (out := row_for(state, "opt_out:all")):
        return (out, OptOut()), (row, command)
    if isinstance(command, TakeInDuplicate):
        return tuple(merging.moves_of(known.lead, command))
    if row and row.target and isinstance(command, RecordReturn) and known.lead.hold is None:
        return (row, command), (aside("lead_held"), Hold(reason="needs_address"))
    if row and isinstance(command, Reassign) and handover(known, command.owner).queued:
        back = row_for(state, "fire_timer:note_slot")
        return ((row, command), (back, FireTimer(timer="note_slot", armed_version=0))) if back else ((row, command),)
    if row and isinstance(command, ReportMail) and (touch := mail.touch_of(command, known.lead)):
        sent = row_for(state, f"mail_sent:{known.lead.mail.purpose}") if known.lead.mail else None
        return ((row, command), (sent, touch)) if sent else ((row, command),)
    return ((row, command),) if row else _no_transition(known)


def _moves_of_no(known: Facts, command: RecordReply) -> tuple[tuple[Row, AnyCommand], ...] | Refused:
    decline = RecordDecline(
        kind="no",
        stated_reason=command.stated_reason or "not_stated",
        revisit_on=command.revisit_on,
        words=command.words,
    )
    state = known.lead.state
    row = row_for(state, "record_reply:no")
    if row:
        return (aside("reply_received"), command), (row, decline)
    row = row_for(state, "record_reply:open")
    if row is None:
        return _no_transition(known)
    after = row_for(row.target or state, "record_reply:no")
    return ((row, command), (after, decline)) if after else ((row, command),)


def _step(known: Facts, row: Row) -> Step:
    data = outcome(row.event, known)
    return Step(
        row=row.id or None,
        state=row.target or known.lead.state,
        occurred_at=known.occurred_at,
        data=data,
        effects=effects_of(known, row, data),
    )


def _provisional(known: Facts, step: Step) -> Recorded:
    """Return *step* as it would be recorded, for the row after it to look at."""
    return Recorded(
        stream_id=known.lead.id,
        version=known.lead.version + 1,
        schema=SCHEMA,
        occurred_at=step.occurred_at,
        recorded_at=known.now,
        message_id=_NOBODY,
        actor=known.context.actor,
        correlation_id=_NOBODY,
        causation_id=None,
        playbook=known.playbook.pin,
        row=step.row,
        state=step.state,
        effects=step.effects,
        data=step.data,
        command=None,
        used=None,
    )


def _no_transition(known: Facts) -> Refused:
    state, kind = known.lead.state, command_kind(known.command)
    options = ", ".join(words(name) for name in possible(state))
    reason = f"A lead that is {words(state)} does not take “{words(kind)}”. Possible now: {options}."
    return Refused(rule="no_transition", reason=reason, inputs={"state": state, "command": kind})
