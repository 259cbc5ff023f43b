"""Why they said no, and what is found out before anybody contacts them again: guards, events and what they change."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from workflows import homework_events as e
from workflows.commands import Command, CompleteHomework, FireTimer, QueueRevival, RecordDecline
from workflows.context import Facts, Refused
from workflows.homework_commands import AnticipateNeed, AskWhy, ReviewDecline, UncoverOpportunity
from workflows.lead import Lead
from workflows.playbook_sections import Contact
from workflows.playbooks import Playbook
from workflows.sentences import words


def said_no(facts: Facts, _: Command) -> Refused | None:
    """Refuse to ask why, or to look again, where nobody said no."""
    if facts.lead.decline:
        return None
    return Refused(rule="said_no", reason="They never said no to us, so that there is no reason to look for.")


def questions_known(facts: Facts, command: AskWhy) -> Refused | None:
    """Refuse answers to questions that the playbook does not ask, and answers of somebody who was not reached."""
    known = facts.playbook.reason.questions
    unknown = sorted(set(command.answers) - set(known))
    if unknown:
        reason = f"The playbook does not ask {', '.join(map(words, unknown))}; it asks {', '.join(known)}."
        return Refused(rule="questions_known", reason=reason, inputs={"unknown": " ".join(unknown)})
    if command.answers and command.outcome == "not_reached":
        reason = "Whoever was not reached answered nothing: record it as answered, or leave the answers out."
        return Refused(rule="questions_known", reason=reason, inputs={"outcome": command.outcome})
    return None


def history_opened(facts: Facts, _: Command) -> Refused | None:
    """Refuse to say what was missed before anybody has looked: somebody who said no has a history (A2-3)."""
    if not facts.playbook.homework.study_first or facts.lead.decline is None or facts.lead.history_at:
        return None
    reason = "Nobody has opened the history of this account since they said no; read it first, with thaw history."
    return Refused(rule="history_opened", reason=reason, inputs={"history_at": None})


def holds_up(playbook: Playbook, contact: Contact) -> bool:
    """Tell whether *contact* with somebody who said no waits for homework and strategy; notes and calls wait together."""
    blocks = playbook.homework.blocks
    return "touch" in blocks if contact == "touch" else "note" in blocks or "call" in blocks


def is_studied(lead: Lead, playbook: Playbook, contact: Contact) -> bool:
    """Tell whether *contact* with *lead* need not wait: it never said no, or homework and a strategy are there."""
    asked = playbook.homework.study_first and lead.decline is not None and holds_up(playbook, contact)
    return not asked or (lead.strategy_at is not None and lead.homework_at is not None)


def account_studied(facts: Facts, command: Command) -> Refused | None:
    """Refuse a contact with somebody who said no before what was missed and a strategy are recorded (A2-3, A2-9)."""
    lead = facts.lead
    into_the_queue = isinstance(command, (QueueRevival, FireTimer))
    if is_studied(lead, facts.playbook, "note" if into_the_queue else "touch"):
        return None
    missing = [name for name, at in (("the homework", lead.homework_at), ("a strategy", lead.strategy_at)) if at is None]
    steps = [] if lead.history_at else ["thaw history"]
    steps += [name for name, at in (("thaw homework", lead.homework_at), ("thaw strategy", lead.strategy_at)) if at is None]
    verb = "are" if len(missing) > 1 else "is"
    reason = f"They said no, and {' and '.join(missing)} for this account {verb} missing; nobody contacts them before."
    reason += f" Next: {', then '.join(steps)}."
    return Refused(rule="account_studied", reason=reason, inputs={"missing": ", ".join(missing)})


def sources_cited(facts: Facts, command: CompleteHomework) -> Refused | None:
    """Refuse sources of which nobody could find again where they stand (A2-10)."""
    cited = tuple(source.published_on for source in command.cited) if command.cited else ()
    if not facts.playbook.homework.cite_sources or cited == command.sources:
        return None
    reason = "Say of each source where it stands, such as its address, and on which day it came out."
    return Refused(rule="sources_cited", reason=reason, inputs={"sources": len(command.sources), "cited": len(cited)})


def needs_anticipated(facts: Facts, _: CompleteHomework) -> Refused | None:
    """Refuse homework that foresees nothing they will need (A2-11)."""
    known, least = len(facts.lead.needs or ()), facts.playbook.homework.min_needs
    if known >= least:
        return None
    reason = f"{least} need(s) to come belong to the homework, each with why; {known} are recorded: see thaw need."
    return Refused(rule="needs_anticipated", reason=reason, inputs={"needs": known, "min": least})


def new_need(facts: Facts, command: AnticipateNeed) -> Refused | None:
    """Refuse to foresee the same need twice, or what they had before."""
    known = {*(facts.lead.needs or ()), *facts.lead.value_items_used, *facts.playbook.value_items}
    if command.item not in known:
        return None
    reason = f"{command.item} is a value item of this lead already; give a new need a word of its own."
    return Refused(rule="new_need", reason=reason, inputs={"item": command.item})


def real_reason_evidence(facts: Facts, command: RecordDecline) -> Refused | None:
    """Refuse a real reason given with the no without their words; what they say first is only what they state (A2-6)."""
    if not facts.playbook.reason.in_their_words or command.real_reason is None or command.words:
        return None
    reason = "A real reason needs the prospect's own words; without them record only the reason that they stated."
    return Refused(rule="reason_evidence", reason=reason, inputs={"real_reason": command.real_reason, "words": False})


def reason_unverified(lead: Lead, playbook: Playbook) -> bool:
    """Whether all that is known of why *lead* said no is one of the reasons behind which people hide (A2-6)."""
    decline = lead.decline
    return decline is not None and decline.real_reason is None and decline.stated_reason in playbook.reason.generic


def value_items(lead: Lead, playbook: Playbook) -> tuple[str, ...]:
    """Return what can be brought to *lead*: what its own needs gave first, then what the playbook has for everybody (A2-11)."""
    return (*(lead.needs or ()), *playbook.value_items)


def _asked(_: Facts, command: AskWhy) -> e.WhyAsked:
    return e.WhyAsked(
        outcome=command.outcome, mode=command.mode, answers=command.answers, words=command.words, minutes=command.minutes
    )


def _uncovered(_: Facts, command: UncoverOpportunity) -> e.OpportunityUncovered:
    return e.OpportunityUncovered(what=command.what, source=command.source, minutes=command.minutes)


def _foreseen(_: Facts, command: AnticipateNeed) -> e.NeedAnticipated:
    return e.NeedAnticipated(item=command.item, need=command.need, rationale=command.rationale, minutes=command.minutes)


def _reviewed(_: Facts, command: ReviewDecline) -> e.DeclineReviewed:
    return e.DeclineReviewed(changed=command.changed, finding=command.finding, minutes=command.minutes)


def told_why_at(lead: Lead) -> datetime | None:
    """Return when somebody who was asked why answered, as long as nobody has recorded the real reason since."""
    told, decline = lead.last_contact_at, lead.decline
    # Only an answer to that question is a touch and a contact in one.
    if decline is None or lead.reason_probed_at or told is None or told != lead.last_touch_at or told <= decline.at:
        return None
    return told


BUILDERS: dict[str, Callable[[Facts, Any], Any]] = {
    "history_opened": lambda facts, _: e.HistoryOpened(seen=facts.lead.version),
    "why_asked": _asked,
    "opportunity_uncovered": _uncovered,
    "need_anticipated": _foreseen,
    "decline_reviewed": _reviewed,
}

Changes = dict[str, Any]


def _spend(lead: Lead, _at: datetime, data: Any, changes: Changes) -> None:
    changes["minutes_invested"] = lead.minutes_invested + data.minutes


def _on_asked(lead: Lead, at: datetime, data: e.WhyAsked, changes: Changes) -> None:
    _spend(lead, at, data, changes)
    changes["last_touch_at"] = at
    if data.outcome == "answered":
        changes["last_contact_at"] = max(at, lead.last_contact_at or at)


def _on_uncovered(lead: Lead, at: datetime, data: e.OpportunityUncovered, changes: Changes) -> None:
    _spend(lead, at, data, changes)
    changes["opportunity_at"] = at


def _on_foreseen(lead: Lead, at: datetime, data: e.NeedAnticipated, changes: Changes) -> None:
    _spend(lead, at, data, changes)
    changes["needs"] = (*(lead.needs or ()), data.item)


def _on_opened(_lead: Lead, at: datetime, _data: e.HistoryOpened, changes: Changes) -> None:
    changes["history_at"] = at


#: As in `workflows.changes`.
CHANGES: dict[type[msgspec.Struct], Callable[[Lead, datetime, Any, Changes], None]] = {
    e.HistoryOpened: _on_opened,
    e.WhyAsked: _on_asked,
    e.OpportunityUncovered: _on_uncovered,
    e.NeedAnticipated: _on_foreseen,
    e.DeclineReviewed: _spend,
}
