"""A lead's score as it stands: worked out on entering the queue, and anew by whatever changes one of its parts."""

from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from workflows.changes import CHANGES, Changes
from workflows.context import Facts
from workflows.events import AnyEvent, PlaybookMigrated
from workflows.lead import Lead, State, basis_of
from workflows.playbooks import Playbook
from workflows.priority import Score, ScoreBasis, ScoreInputs, score
from workflows.transitions import Row

#: Reasons for queueing that speak for now (a change at the prospect's side), and so raise the score.
TRIGGERS = frozenset({"revisit", "job_change", "event"})

#: States in which somebody goes by the score: the queue waits by it, and the silent are tried again by it.
SCORED: frozenset[State] = frozenset({"queued", "call_due", "no_response"})


def entering(facts: Facts, reason: str) -> tuple[Score, ScoreBasis]:
    """Score the lead for the queue, with *reason* as what brings it there, and return what only this event knows of it."""
    lead = facts.lead
    revisit = lead.revisit_on is not None and lead.revisit_on <= facts.today
    earlier = lead.score_basis.unanswered if lead.score_basis else 0
    basis = ScoreBasis(trigger=reason in TRIGGERS or revisit, unanswered=earlier + lead.attempts)
    # The new pursuit counts its own attempts from none.
    return score(inputs_of(replace(lead, score_basis=basis, attempts=0), facts.playbook), facts.playbook.weights), basis


def score_of(lead: Lead, facts: Facts) -> Score:
    """Score a lead that has been in the queue, as *lead* stands."""
    return score(inputs_of(lead, facts.playbook), facts.playbook.weights)


def rescored(facts: Facts, row: Row, data: AnyEvent) -> Score | UnsetType:
    """Return the score after the event *data* of *row*, where that changes it for whoever goes by it; unset otherwise."""
    lead, state = facts.lead, row.target or facts.lead.state
    if state not in SCORED or lead.score is None or not facts.context.rescores:
        return UNSET
    changes = changed(lead, facts, data)
    after = replace(lead, **changes) if changes else lead
    # Whoever comes back among those who go by the score brings along what happened meanwhile.
    stays = lead.state in SCORED and not isinstance(data, PlaybookMigrated)
    if stays and (after is lead or inputs_of(after, facts.playbook) == inputs_of(lead, facts.playbook)):
        return UNSET
    points = score_of(after, facts)
    return UNSET if points == after.score else points


def changed(lead: Lead, facts: Facts, data: AnyEvent) -> Changes:
    """Return the fields of *lead* that the event *data* changes."""
    changes: dict[str, Any] = {}
    if change := CHANGES.get(type(data)):
        change(lead, facts.occurred_at, data, changes)
    return changes


def inputs_of(lead: Lead, playbook: Playbook) -> ScoreInputs:
    """Return what the score of a lead that has been in the queue is made of, by *playbook*."""
    basis = basis_of(lead)
    return ScoreInputs(
        stage_depth=lead.stage_depth,
        value_band=lead.value_band,
        minutes_invested=lead.minutes_invested,
        importance=lead.importance or playbook.importance.usual,
        trigger=basis.trigger,
        has_connector=lead.has_connector,
        unanswered=basis.unanswered + lead.attempts,
        structural=lead.decline is not None and lead.decline.real_reason in playbook.reason.structural,
    )
