"""Guards on who may enter the queue, and on the homework that comes before any contact with somebody who said no."""

from datetime import datetime, timedelta

from workflows import horizon
from workflows.commands import Command, CompleteHomework, FireTimer, QueueRevival, RecordReason
from workflows.context import Facts, Refused
from workflows.homework import holds_up
from workflows.sentences import coded, spoken, words


def no_open_opportunity(facts: Facts, _: Command) -> Refused | None:
    """Refuse an active prospect: reviving is for older leads only."""
    if facts.playbook.audience.exclude_open_opportunity and facts.lead.open_opportunity:
        reason = "There is an open opportunity with this lead: this is not a system for active prospects (A4-1)."
        return Refused(rule="active_prospect", reason=reason, inputs={"open_opportunity": True})
    return None


def stale(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse a lead that we were in contact with lately; an unknown last contact is a stale one."""
    days = facts.playbook.audience.stale_after_days
    last = facts.lead.last_contact_at
    if last is None or last <= facts.now - timedelta(days=days):
        return None
    reason = f"You were in contact on {_on(facts, last)}; a lead counts as old after {days} days without any."
    return Refused(rule="stale", reason=reason, inputs={"last_contact_at": last.isoformat(), "stale_after_days": days})


def rotation(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse a lead that was queued or called a short while ago, so that it is always other people's turn."""
    days = facts.playbook.audience.rotation_days
    turns = [moment for moment in (facts.lead.queued_at, facts.lead.called_at) if moment]
    last = max(turns, default=None)
    if last is None or last <= facts.now - timedelta(days=days):
        return None
    reason = f"This lead had its turn on {_on(facts, last)}; nobody comes round again within {days} days."
    return Refused(rule="rotation", reason=reason, inputs={"last_turn_at": last.isoformat(), "rotation_days": days})


def qualified(facts: Facts, command: QueueRevival) -> Refused | None:
    """Refuse a lead of which nobody has said that it was good to begin with, unless the reason for that is given (A1-2)."""
    if facts.lead.qualified or command.override:
        return None
    known = "was found not to be qualified" if facts.lead.qualified is False else "has not been qualified yet"
    reason = f"This lead {known}: only leads that were good to begin with are pursued; others go to nurture."
    return Refused(rule="qualified", reason=reason, inputs={"qualified": facts.lead.qualified})


def qualified_if_required(facts: Facts, command: QueueRevival) -> Refused | None:
    """Ask for a qualified lead only where the playbook does."""
    return qualified(facts, command) if facts.playbook.audience.require_qualified else None


def reason_probed(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse while nobody has found out why the prospect really said no; what they stated is not yet why (A2-6)."""
    if facts.lead.reason_probed_at:
        return None
    reason = "Nobody has found out yet why they really said no; record the real reason, in their words, first."
    return Refused(rule="reason_probed", reason=reason, inputs={"reason_probed_at": None})


def homework_fresh(facts: Facts, _: object) -> Refused | None:
    """Refuse while the homework on the account is missing or old."""
    days = facts.playbook.homework.fresh_for_days
    done = facts.lead.homework_at
    if not holds_up(facts.playbook, "note"):
        return None
    if done and done > facts.now - timedelta(days=days):
        return None
    reason = f"The homework was done on {_on(facts, done)}; " if done else "The homework on this account is not done; "
    reason += f"it may be {days} days old at most when somebody who said no is contacted again."
    inputs = {"homework_at": done.isoformat() if done else None, "fresh_for_days": days}
    return Refused(rule="homework_fresh", reason=reason, inputs=inputs)


def homework_refreshed(facts: Facts, command: object) -> Refused | None:
    """Ask for fresh homework only of leads that said no."""
    return homework_fresh(facts, command) if facts.lead.decline else None


def strategy_recorded(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse a contact without a strategy of its own."""
    if facts.lead.strategy_at or not holds_up(facts.playbook, "note"):
        return None
    reason = "There is no strategy for this account yet; say how you will go about it and what was missed last time."
    return Refused(rule="strategy_recorded", reason=reason, inputs={"strategy_at": None})


def importance_answered(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse until the rep has said how important the sale is, unless the playbook does not ask."""
    if facts.lead.importance or not facts.playbook.ask.importance:
        return None
    reason = "Say first how important this sale is, from 1 to 5."
    return Refused(rule="importance_answered", reason=reason, inputs={"importance": None})


def connector_answered(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse until the rep has said who knows them, or that nobody does, where the playbook asks (A3-6)."""
    lead = facts.lead
    if not facts.playbook.ask.connector or lead.has_connector or lead.connectors or lead.connector_denied:
        return None
    reason = "Say first who knows them and could introduce us, or that nobody does."
    return Refused(rule="connector_answered", reason=reason, inputs={"connectors": 0})


def rested(facts: Facts, _: QueueRevival) -> Refused | None:
    """Refuse before the day that the prospect named, or with none before the decline is as old as a stale contact."""
    decline, days = facts.lead.decline, facts.playbook.audience.stale_after_days
    if decline is None:
        return None
    ready = facts.lead.revisit_on or horizon.local_day(facts.calendar, decline.at) + timedelta(days=days)
    if facts.today >= ready:
        return None
    reason = f"They said no on {_on(facts, decline.at)}; leave them in peace until {spoken(ready)}."
    return Refused(rule="rested", reason=reason, inputs={"declined_at": decline.at.isoformat(), "ready_on": str(ready)})


def mode_left(facts: Facts, _: QueueRevival | FireTimer) -> Refused | None:
    """Refuse a lead that cannot or must not be reached in any way."""
    if facts.lead.modes:
        return None
    reason = "There is no way left to reach this lead: no address, number or permission is known."
    return Refused(rule="mode_left", reason=reason, inputs={"modes": ""})


def homework_answered(facts: Facts, command: CompleteHomework) -> Refused | None:
    """Refuse homework with an unanswered question."""
    missing = [field for field in facts.playbook.homework.fields if field not in command.answers]
    if not missing:
        return None
    reason = f"The homework has no answer to: {', '.join(words(field) for field in missing)}."
    return Refused(rule="homework_answered", reason=reason, inputs={"missing": " ".join(missing)})


def homework_sources(facts: Facts, command: CompleteHomework) -> Refused | None:
    """Refuse homework that rests on too few recent sources."""
    homework = facts.playbook.homework
    oldest = facts.today - timedelta(days=homework.source_max_age_days)
    recent = sum(oldest <= source <= facts.today for source in command.sources)
    if recent >= homework.min_sources:
        return None
    reason = (
        f"The homework needs {homework.min_sources} source(s) from the last {homework.source_max_age_days} days, "
        f"such as a press release or an annual report; it names {recent}."
    )
    return Refused(rule="homework_sources", reason=reason, inputs={"recent": recent, "needed": homework.min_sources})


def reason_evidence(_: Facts, command: RecordReason) -> Refused | None:
    """Refuse a real reason that is only our guess."""
    if command.evidence and command.words:
        return None
    reason = "A real reason needs the call or mail that it comes from, and the prospect's own words."
    inputs = {"evidence": coded(command.evidence), "words": command.words is not None}
    return Refused(rule="reason_evidence", reason=reason, inputs=inputs)


def _on(facts: Facts, moment: datetime) -> str:
    return spoken(horizon.local_day(facts.calendar, moment))
