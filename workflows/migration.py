"""Moving a lead from one playbook to another: what forbids it, and which of its timers move."""

from datetime import datetime, timedelta

from workflows import horizon
from workflows.calendars import Calendar
from workflows.commands import Command, MigratePlaybook
from workflows.context import Facts, Refused
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


def step_kept(facts: Facts, _: Command) -> Refused | None:
    """Refuse a playbook in which the step that the lead stands on does not exist."""
    missing = missing_step(facts.lead, facts.playbook)
    if missing is None:
        return None
    pin = facts.playbook.pin
    reason = f"It is {words(facts.lead.state)}, and {pin.id}@{pin.version} has no {missing}: let it finish this step first."
    return Refused(rule="step_kept", reason=reason, inputs={"state": facts.lead.state, "missing": missing})


def missing_step(lead: Lead, playbook: Playbook) -> str | None:
    """Return the step of *lead* that *playbook* lacks, None when it has it."""
    if lead.state in ("note_due", "note_sent") and not playbook.capacity.notes:
        return "notes"
    if lead.state == "call_due" and not (playbook.capacity.calls if lead.promised else playbook.capacity.follow_up_touches):
        return "promised calls" if lead.promised else "later calls"
    return None


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
