"""Guards on what a note promised: that it arrived, and that whoever promised was there to keep it."""

from workflows import horizon, timers
from workflows.commands import Command, FireTimer
from workflows.context import Facts, Refused
from workflows.events import Effects
from workflows.sentences import spoken


def owner_was_present(facts: Facts, command: FireTimer) -> Refused | None:
    """Refuse to call a promise late, or void, for days on which its owner turned out to be away.

    Its terms count by the calendar of today, in which an absence may stand that nobody knew of when they were armed.
    """
    lead = facts.lead
    if lead.promised_on is None:
        return None
    base = lead.term_on or max(lead.promised_on, horizon.local_day(facts.calendar, lead.entered_at))
    due = timers.due(command.timer, base, facts.playbook, facts.calendar)
    if due <= facts.now:
        return None
    reason = f"{facts.rep} was away since {spoken(base)}; what was promised is not overdue before then is made up for."
    return Refused(
        rule="owner_was_present",
        reason=reason,
        inputs={"since": str(base), "due_at": due.isoformat()},
        effects=Effects(armed={command.timer: due}),
    )


def note_promised(facts: Facts, _: Command) -> Refused | None:
    """Refuse a returned note where the call that is due was not promised by one."""
    if facts.lead.state == "note_sent" or facts.lead.promised:
        return None
    reason = "The call that is due was not promised by a note, so that none can void it; record the new address instead."
    return Refused(rule="note_promised", reason=reason, inputs={"promised": False})


def note_was_sent(facts: Facts, _: Command) -> Refused | None:
    """Refuse the return of a note that never went out."""
    if facts.lead.note_sent_at:
        return None
    return Refused(rule="note_was_sent", reason="No note was sent to this lead, so that none can come back.")
