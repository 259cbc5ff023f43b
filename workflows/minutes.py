"""A rep's minutes beside the slots: what answers, next steps and breakups take of a day, and what finished work took."""

from collections.abc import Iterable
from datetime import date

from workflows import horizon
from workflows.calendars import Calendar
from workflows.capacity import MinuteCosts
from workflows.events import BreakupEmailSent, BreakupVoicemailLeft, NoteSent, Recorded, TouchSent
from workflows.lead import Lead
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


def spent(recorded: Recorded, costs: MinuteCosts) -> int:
    """Return the minutes that an event took of its rep: those that were logged, else the usual ones."""
    data = recorded.data
    logged: int = getattr(data, "minutes", 0)
    if logged:
        return logged
    if recorded.row in CALL_ROWS:
        return costs.follow_up if any(slot.kind == "follow_up" for slot in recorded.effects.used) else costs.call
    match data:
        case NoteSent():
            return costs.note
        case TouchSent():
            return costs.follow_up
        case BreakupVoicemailLeft():
            return _voicemail(costs)
        case BreakupEmailSent():
            return _email(costs)
    return 0
