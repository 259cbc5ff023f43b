"""Moving a lead from one playbook to another: what forbids it, and which of its timers move."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import UnsetType

from workflows import horizon
from workflows.calendars import Calendar
from workflows.command import PlaybookStep, StepOnto
from workflows.commands import MigratePlaybook
from workflows.context import Facts, Refused
from workflows.events import Scalar
from workflows.lead import Lead
from workflows.people_guards import manager
from workflows.playbooks import Playbook
from workflows.sentences import words
from workflows.timers import TIMERS, at_its_hour


def may_migrate(facts: Facts, command: MigratePlaybook) -> Refused | None:
    """Refuse what only a manager may decide, unless the playbook itself sends a silent lead there."""
    leaving = facts.context.leaving
    goes_to = leaving.on_no_response.goto if leaving and facts.lead.state == "no_response" else None
    if goes_to == f"{command.playbook}@{command.version}":
        return None
    return manager(facts, command)


def another_playbook(facts: Facts, command: MigratePlaybook) -> Refused | None:
    """Refuse a lead without a playbook, and one that follows this version already."""
    pin = facts.lead.playbook
    if pin is not None and pin.digest != command.digest:
        return None
    reason = f"It follows {pin.id}@{pin.version} already." if pin else "It follows no playbook that it could leave."
    return Refused(rule="another_playbook", reason=reason, inputs={"digest": pin.digest if pin else None})


def step_kept(facts: Facts, command: MigratePlaybook) -> Refused | None:
    """Refuse a playbook in which the step that the lead stands on does not exist, nor the one that it is mapped to."""
    missing = missing_step(facts.lead, facts.playbook)
    if missing is None and command.step:
        return _not_that_step(facts, command, missing)
    if missing is None or (missing == command.step and onto_possible(facts.lead, facts.playbook, command.onto)):
        return None
    pin = facts.playbook.pin
    lacks = STEPS[missing]
    reason = f"It is {words(facts.lead.state)}, and {pin.id}@{pin.version} has no {lacks}: let it finish this step first."
    return Refused(rule="step_kept", reason=reason, inputs={"state": facts.lead.state, "missing": lacks})


def step_mapped(facts: Facts, command: MigratePlaybook) -> Refused | None:
    """Refuse to put a lead back into the queue for a step on which it does not stand, or which the new version has."""
    missing = missing_step(facts.lead, facts.playbook)
    return None if missing and missing == command.step else _not_that_step(facts, command, missing)


def _not_that_step(facts: Facts, command: MigratePlaybook, missing: PlaybookStep | None) -> Refused:
    pin = facts.playbook.pin
    lacks = f"lacks its {STEPS[missing]}" if missing else "has its step"
    reason = f"It is {words(facts.lead.state)}, and {pin.id}@{pin.version} {lacks}: that mapping is not for it."
    inputs: dict[str, Scalar] = {"state": facts.lead.state, "step": command.step or None, "missing": missing}
    return Refused(rule="step_mapped", reason=reason, inputs=inputs)


#: Steps of a playbook, as they are called in a mapping, each with what a version that lacks it has none of.
STEPS: Mapping[PlaybookStep, str] = {"note": "notes", "promised_call": "promised calls", "later_call": "later calls"}


def missing_step(lead: Lead, playbook: Playbook) -> PlaybookStep | None:
    """Return the step of *lead* that *playbook* lacks, None when it has it."""
    if lead.state in ("note_due", "note_sent") and not playbook.capacity.notes:
        return "note"
    if lead.state == "call_due" and not (playbook.capacity.calls if lead.promised else playbook.capacity.follow_up_touches):
        return "promised_call" if lead.promised else "later_call"
    return None


def onto_possible(lead: Lead, playbook: Playbook, onto: StepOnto | UnsetType) -> bool:
    """Tell whether *lead* can go on there: anybody in the queue; at the promised call who was written to, if there are any."""
    return onto == "queue" or (onto == "promised_call" and lead.state == "note_sent" and bool(playbook.capacity.calls))


def moved_timers(facts: Facts) -> dict[str, datetime]:
    """Return the timers that run another time under the new playbook, and when they are due then; no earlier than now."""
    leaving = facts.context.leaving
    if leaving is None:
        return {}
    return timers_under(facts.lead, leaving, facts.playbook, facts.calendar, facts.now)


def timers_under(lead: Lead, old: Playbook, new: Playbook, calendar: Calendar, now: datetime) -> dict[str, datetime]:
    """Return when those timers of *lead* are due under *new* that *old* gave another length.

    What is left of a promised day stays: a call goes to the day that the note named. A frozen timer keeps its remainder.
    """
    moved = {}
    for name, timer in lead.timers.items():
        spec = TIMERS.get(name)
        if spec is None or spec.clock == "day" or name == "nurture_touch":
            continue
        longer = spec.length(new) - spec.length(old)
        if longer == 0:
            continue
        due = timer.due_at + timedelta(days=longer)
        if spec.clock == "working_days":
            day = horizon.local_day(calendar, timer.due_at)
            day = horizon.after(calendar, day, longer) if longer > 0 else horizon.before(calendar, day, -longer)
            due = at_its_hour(name, day, calendar)
        moved[name] = max(due, now)
    return moved
