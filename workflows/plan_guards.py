"""Guards on what the planner proposes: days, slots, capacity, and the next try with somebody who does not answer."""

from datetime import date, datetime

from workflows import horizon
from workflows.calendars import CalendarHorizonError
from workflows.commands import Command, RescheduleCall, ScheduleCall, ScheduleNote, ScheduleTouch, SendTouch
from workflows.context import Facts, Refused
from workflows.cover import who_covers
from workflows.cut_bait import most_attempts
from workflows.events import Scalar, SlotKind
from workflows.law import lawful_modes
from workflows.law_guards import table_of
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.sentences import spoken, words
from workflows.slotting import call_slot_kind, offered


def had_turn(lead: Lead, now: datetime, playbook: Playbook) -> bool:
    """Whether *lead* was called so lately that it knows us, and that a second note would be somebody else's turn (A4-6)."""
    return lead.called_at is not None and (now - lead.called_at).days < playbook.audience.rotation_days


def first_touch_is_note(facts: Facts, _: ScheduleNote) -> Refused | None:
    """Refuse a note where the playbook begins otherwise, and to somebody who had a note's call within the rotation."""
    if had_turn(facts.lead, facts.now, facts.playbook):
        days = facts.playbook.audience.rotation_days
        reason = f"This lead was called within the last {days} days: nobody gets a second note so soon; call instead."
        inputs: dict[str, Scalar] = {"called_at": str(facts.lead.called_at), "rotation_days": days}
        return Refused(rule="rotation", reason=reason, inputs=inputs)
    mode = facts.playbook.first_touch
    if mode == "handwritten_note":
        return None
    reason = f"This playbook begins with {words(mode)}, not with a hand-written note."
    return Refused(rule="first_touch_is_note", reason=reason, inputs={"first_touch": mode})


def fresh_relationship(facts: Facts, _: ScheduleCall) -> Refused | None:
    """Refuse a first call to somebody who may not remember us: they get a note first, unless the playbook begins by phone."""
    days = facts.playbook.audience.stale_after_days
    last = facts.lead.last_contact_at
    if facts.playbook.first_touch == "call" or (last and (facts.now - last).days < days):
        return None
    if had_turn(facts.lead, facts.now, facts.playbook):
        return None
    reason = f"The last contact is more than {days} days ago or unknown: write a note before you call."
    inputs: dict[str, Scalar] = {"last_contact_at": last.isoformat() if last else None, "stale_after_days": days}
    return Refused(rule="fresh_relationship", reason=reason, inputs=inputs)


def planned_day(facts: Facts, command: ScheduleNote | ScheduleCall | ScheduleTouch | RescheduleCall) -> Refused | None:
    """Refuse a day that is over, that the rep does not work, or that no calendar knows."""
    day = _day_of(facts, command)
    if facts.context.calendar is None:
        reason = f"{facts.rep} has no working calendar yet, so nothing can be planned."
        return Refused(rule="calendar_known", reason=reason, inputs={"owner": facts.rep})
    if day < facts.today:
        return Refused(
            rule="planned_day", reason=f"{spoken(day)} is over.", inputs={"day": str(day), "today": str(facts.today)}
        )
    try:
        why = facts.calendar.why_not_working(day)
    except CalendarHorizonError as error:
        return Refused(rule="calendar_known", reason=str(error), inputs={"day": str(day)})
    if why:
        reason = f"{facts.rep} does not work on {spoken(day)}: {why}."
        return Refused(rule="planned_day", reason=reason, inputs={"day": str(day), "why": why})
    return None


def promise_day(facts: Facts, command: ScheduleNote) -> Refused | None:
    """Refuse a promise for another day than the playbook's number of working days after the note."""
    days = facts.capacity.call_after_note_days
    try:
        wanted = facts.call_calendar.add_working_days(command.note_on, days)
    except CalendarHorizonError as error:
        return Refused(rule="calendar_known", reason=str(error), inputs={"note_on": str(command.note_on)})
    if command.call_on == wanted:
        return None
    reason = f"A note of {spoken(command.note_on)} promises a call {days} working days later, on {spoken(wanted)}."
    inputs = {"note_on": str(command.note_on), "call_on": str(command.call_on), "wanted": str(wanted)}
    return Refused(rule="promise_day", reason=reason, inputs=inputs)


def promise_gap(facts: Facts, command: ScheduleNote) -> Refused | None:
    """Refuse a note whose call would come too long after it, unless the playbook accepts that."""
    capacity, gap = facts.capacity, (command.call_on - command.note_on).days
    if command.call_by and command.call_by != who_covers(facts.calendar, capacity, command.note_on):
        reason = f"{command.call_by} is not who makes the calls of {facts.rep} for a note of {spoken(command.note_on)}."
        return Refused(rule="colleague_covers", reason=reason, inputs={"call_by": command.call_by, "rep": facts.rep})
    if command.call_by and facts.context.colleague is None:
        reason = f"{command.call_by} has no working calendar yet, so nothing can be promised for them."
        return Refused(rule="calendar_known", reason=reason, inputs={"owner": command.call_by})
    if gap <= capacity.max_promise_gap_days or capacity.long_gap == "accept":
        return None
    reason = f"The call would come {gap} days after the note; write the note later, or do homework instead."
    return Refused(rule="promise_gap", reason=reason, inputs={"gap": gap, "max": capacity.max_promise_gap_days})


def note_slot(facts: Facts, command: ScheduleNote) -> Refused | None:
    """Refuse a note for which the day has no room."""
    if offered(facts, "note", command.note_on):
        return None
    reason = f"{facts.rep} has no note slot left on {spoken(command.note_on)}."
    return Refused(rule="note_slot_free", reason=reason, inputs=_slot_inputs(facts, "note", command.note_on))


def call_slot(facts: Facts, command: ScheduleNote) -> Refused | None:
    """Refuse a promise that could not be kept: the day of the call has no room."""
    if offered(facts, "promised_call", command.call_on):
        return None
    rep = facts.rep_of("promised_call")
    reason = f"{rep} has no promised call left on {spoken(command.call_on)}: do not promise what you cannot keep."
    return Refused(rule="call_slot_free", reason=reason, inputs=_slot_inputs(facts, "promised_call", command.call_on))


def follow_up_slot(facts: Facts, command: ScheduleCall | ScheduleTouch) -> Refused | None:
    """Refuse a follow-up for which the day has no room; it never takes the slot of a promised call."""
    day = _day_of(facts, command)
    if offered(facts, "follow_up", day):
        return None
    reason = f"{facts.rep} has no follow-up slot left on {spoken(day)}."
    return Refused(rule="call_slot_free", reason=reason, inputs=_slot_inputs(facts, "follow_up", day))


def same_call_slot(facts: Facts, command: RescheduleCall) -> Refused | None:
    """Refuse a move to a day that has no room for this kind of call."""
    kind = call_slot_kind(facts)
    if offered(facts, kind, command.call_on):
        return None
    reason = f"{facts.rep} has no room for this call on {spoken(command.call_on)}; choose another day."
    return Refused(rule="call_slot_free", reason=reason, inputs=_slot_inputs(facts, kind, command.call_on))


def later_day(facts: Facts, command: RescheduleCall) -> Refused | None:
    """Refuse a move to an earlier or the same day; only the prospect may ask for an earlier one."""
    now_on = facts.lead.call_on
    if now_on is None or command.call_on > now_on or (command.reason == "prospect_asked" and command.call_on != now_on):
        return None
    reason = f"The call is on {spoken(now_on)}; a promised call is put off if it must be, never brought forward."
    return Refused(rule="later_day", reason=reason, inputs={"call_on": str(now_on), "wanted": str(command.call_on)})


def attempts_left(facts: Facts, _: Command) -> Refused | None:
    """Refuse another attempt when the budget is spent: now a person decides about the breakup."""
    importance, most = facts.lead.importance, most_attempts(facts.lead, facts.playbook)
    if facts.lead.attempts < most:
        return None
    reason = f"They were tried {facts.lead.attempts} times without an answer; decide about the breakup instead."
    inputs = {"attempts": facts.lead.attempts, "max": most, "importance": importance}
    return Refused(rule="attempts_left", reason=reason, inputs=inputs)


def new_value(facts: Facts, command: ScheduleNote | ScheduleCall | ScheduleTouch | SendTouch) -> Refused | None:
    """Refuse to come back with nothing new."""
    item = command.value_item
    if item and item not in facts.lead.value_items_used:
        return None
    known = "was brought before" if item else "is missing"
    reason = f"Something new to bring {known}; do not call back just to check in."
    return Refused(rule="new_value", reason=reason, inputs={"value_item": item})


def new_mode(facts: Facts, command: ScheduleNote | ScheduleCall) -> Refused | None:
    """Refuse the same way of contact twice in a row while another has not been tried."""
    lead, mode = facts.lead, "handwritten_note" if isinstance(command, ScheduleNote) else "call"
    lawful = lawful_modes(lead, _day_of(facts, command), table_of(facts.context))
    others = [m for m in facts.playbook.attempts.modes if m in lawful and m != "handwritten_note"]
    untried = [m for m in others if m not in lead.modes_tried and m != mode]
    if lead.last_mode != mode or not untried:
        return None
    reason = f"The last attempt was a {words(mode)} too; try another way first: {', '.join(untried)}."
    return Refused(rule="new_mode", reason=reason, inputs={"last_mode": lead.last_mode, "untried": " ".join(untried)})


def touch_gap(facts: Facts, command: ScheduleNote | ScheduleCall | ScheduleTouch | SendTouch) -> Refused | None:
    """Refuse two touches within the gap, which would be a nuisance."""
    last = facts.lead.last_touch_at
    if last is None:
        return None
    day = _day_of(facts, command)
    gap = facts.playbook.timers.next_attempt_working_days
    last_on = horizon.local_day(facts.calendar, last)
    ready = horizon.after(facts.calendar, last_on, gap)
    if day >= ready:
        return None
    reason = f"The last attempt was on {spoken(last_on)}; the next may follow from {spoken(ready)} on."
    return Refused(rule="touch_gap", reason=reason, inputs={"last_touch_at": last.isoformat(), "ready_on": str(ready)})


def _day_of(facts: Facts, command: Command) -> date:
    match command:
        case ScheduleNote(note_on=day) | ScheduleCall(call_on=day) | RescheduleCall(call_on=day) | ScheduleTouch(touch_on=day):
            return day
    return facts.day


def _slot_inputs(facts: Facts, kind: SlotKind, day: date) -> dict[str, Scalar]:
    return {"rep": facts.rep_of(kind), "kind": kind, "day": str(day)}
