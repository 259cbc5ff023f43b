"""Cold deals: open, and standing still. Nobody can count on what does not move through the sales process (A0-2)."""

from datetime import UTC, datetime

from workflows.campaign_commands import ProposeCold
from workflows.campaign_events import ColdProposed
from workflows.context import Facts, Refused
from workflows.lead import Lead
from workflows.sentences import spoken

#: Where no deal is open any more, whatever the CRM says.
_OVER = frozenset({"declined", "won", "dropped", "do_not_contact"})


def idle_since(lead: Lead) -> datetime:
    """Return when a deal last moved: its last step forward, else the last two-way contact, else since when it is known."""
    return lead.stage_moved_at or lead.last_contact_at or lead.entered_at


def idle_days(lead: Lead, now: datetime) -> int:
    """Return for how many whole days a deal has not moved."""
    return max(0, (now - idle_since(lead)).days)


def planned(lead: Lead, now: datetime) -> bool:
    """Tell whether something is to happen: a meeting, a dated next step, a note or a call."""
    today = now.astimezone(UTC).date()
    days = (lead.next_step_on, lead.note_on, lead.call_on)
    return (lead.meeting_at is not None and lead.meeting_at > now) or any(day is not None and day >= today for day in days)


def is_cold(lead: Lead, after_days: int, now: datetime) -> bool:
    """Tell whether an open deal did not move for more than *after_days*, with nothing planned."""
    open_ = lead.open_opportunity and lead.state not in _OVER
    return open_ and idle_days(lead, now) > after_days and not planned(lead, now)


def idle(facts: Facts, command: ProposeCold) -> Refused | None:
    """Refuse to call a deal cold that is not open, moved lately, or has something planned."""
    lead, now = facts.lead, facts.now
    if is_cold(lead, command.after_days, now):
        return None
    days = idle_days(lead, now)
    if not lead.open_opportunity or lead.state in _OVER:
        reason = "There is no open deal with this lead."
    elif planned(lead, now):
        reason = "Something is planned with this lead."
    else:
        moved = spoken(idle_since(lead).date())
        reason = f"It moved on {moved}, {days} days ago; cold is what stands for more than {command.after_days}."
    return Refused(rule="idle", reason=reason, inputs={"idle_days": days, "after_days": command.after_days})


def cold_proposed(facts: Facts, _: ProposeCold) -> ColdProposed:
    """Return what is recorded of a proposal."""
    return ColdProposed(idle_since=idle_since(facts.lead), idle_days=idle_days(facts.lead, facts.now))
