"""A rep's minutes beside the slots: what answers and breakups take of a day, what work took, and what letting go frees."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Literal, get_args

from workflows import horizon
from workflows.calendars import Calendar
from workflows.capacity import Capacity, MinuteCosts
from workflows.cut_bait import most_attempts
from workflows.events import (
    BreakupEmailSent,
    BreakupVoicemailLeft,
    HomeworkCompleted,
    NoteSent,
    NurtureTouchSent,
    Recorded,
    TouchSent,
)
from workflows.homework_events import DeclineReviewed, WhyAsked
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.transitions import CALL_ROWS


def beside_slots(engaged: Iterable[Lead], parting: Iterable[Lead], day: date, calendar: Calendar, costs: MinuteCosts) -> int:
    """Return the minutes of *day* that go to people who answered and to breakups; those on hold take none.

    Parameters
    ----------
    engaged
        The rep's leads in ``re_engaged``.
    parting
        Those in ``no_response`` and in ``breakup_sent``: a half that was done on the day stays counted.
    """
    answers = sum(_answer_due(lead, day, calendar) for lead in engaged if not lead.hold)
    return answers * costs.follow_up + sum(_halves(lead, day, calendar, costs) for lead in parting if not lead.hold)


def kept_for_probes(probed: Iterable[Lead], day: date, calendar: Calendar, capacity: Capacity) -> int:
    """Return the minutes of *day* that are kept for asking why, of the *probed* who are not on hold and due by its end."""
    due = sum(_probe_due(lead, day, calendar) for lead in probed if not lead.hold)
    return min(due, capacity.reason_probes) * capacity.minutes.reason


def _probe_due(lead: Lead, day: date, calendar: Calendar) -> bool:
    armed = lead.timers.get("reason_probe")
    return armed is not None and horizon.local_day(calendar, armed.due_at) <= day


#: Work that gets what notes, calls, answers and follow-ups leave of a day, in the order in which it is taken (methods.md 6.4).
LeftOver = Literal["reason", "homework", "review", "nurture"]


def that_fit(waiting: Mapping[str, int], minutes: int, costs: MinuteCosts) -> dict[LeftOver, int]:
    """Return how much of the work that waits, by kind, fits into the *minutes* that are left of a day."""
    found: dict[LeftOver, int] = {}
    for kind in get_args(LeftOver):
        cost: int = getattr(costs, kind)
        count = waiting.get(kind, 0)
        found[kind] = min(count, max(0, minutes) // cost) if cost else count
        minutes -= found[kind] * cost
    return found


def _answer_due(lead: Lead, day: date, calendar: Calendar) -> bool:
    """Tell whether we owe somebody the next word on *day*: nothing is agreed, the agreed day is here, or they wrote since."""
    armed = lead.timers.get("next_step")
    due = armed is not None and horizon.local_day(calendar, armed.due_at) <= day
    wrote = lead.last_contact_at is not None and lead.last_contact_at > lead.entered_at
    return due or wrote or lead.next_step_on is None


def _halves(lead: Lead, day: date, calendar: Calendar, costs: MinuteCosts) -> int:
    """Return the minutes of the halves of a breakup, voicemail and email, that were done on *day* or are to be done."""
    halves = (lead.breakup_voicemail_at, _voicemail(costs)), (lead.breakup_email_at, _email(costs))
    begun = lead.cut_bait == "breakup" or any(at for at, _ in halves)
    open_ = lead.state == "no_response" and begun
    return sum(cost for at, cost in halves if (open_ if at is None else horizon.local_day(calendar, at) == day))


def _voicemail(costs: MinuteCosts) -> int:
    return costs.breakup // 2


def _email(costs: MinuteCosts) -> int:
    """Return what is left of a breakup's minutes, so that both halves come to all of them."""
    return costs.breakup - _voicemail(costs)


#: Rows by which a silent lead is let go: by a breakup, or without one.
LET_GO_ROWS = frozenset({"T27", "T28"})


def released(before: Lead, recorded: Recorded, playbook: Playbook) -> int:
    """Return the minutes that nobody spends any more since *recorded* let a lead go that stood as *before*, by its playbook.

    They are those of the attempts that it might still have got, and of what is not made of a breakup.
    """
    if recorded.row not in LET_GO_ROWS:
        return 0
    costs = playbook.capacity.minutes
    attempts = max(0, most_attempts(before, playbook) - before.attempts) * costs.follow_up
    halves = (before.breakup_voicemail_at, _voicemail(costs)), (before.breakup_email_at, _email(costs))
    return attempts + sum(cost for at, cost in halves if at is None)


def spent(recorded: Recorded, costs: MinuteCosts) -> int:
    """Return the minutes that an event took of its rep: those that were logged, else the usual ones."""
    data = recorded.data
    logged: int = getattr(data, "minutes", 0)
    if logged:
        return logged
    if recorded.row in CALL_ROWS:
        return costs.follow_up if any(slot.kind == "follow_up" for slot in recorded.effects.used) else costs.call
    usual = _USUAL.get(type(data))
    return usual(costs) if usual else 0


#: What work takes of which nobody logged the minutes.
_USUAL: dict[type, Callable[[MinuteCosts], int]] = {
    NoteSent: lambda costs: costs.note,
    TouchSent: lambda costs: costs.follow_up,
    WhyAsked: lambda costs: costs.reason,
    HomeworkCompleted: lambda costs: costs.homework,
    DeclineReviewed: lambda costs: costs.review,
    NurtureTouchSent: lambda costs: costs.nurture,
    BreakupVoicemailLeft: _voicemail,
    BreakupEmailSent: _email,
}
