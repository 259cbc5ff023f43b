"""What commands of the pursuit and of letting go put into the log."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from workflows import commands as c
from workflows import events as e
from workflows import pursuit_commands as p
from workflows import pursuit_events as pe
from workflows.context import Facts
from workflows.cut_bait import NURTURE_MODES, card, checklist
from workflows.homework import is_studied
from workflows.pursuit_guards import modes_to_try


def decided(facts: Facts, command: c.ConfirmCutBait) -> e.CutBaitConfirmed:
    """Return a person's decision with the card that it was made on; before there were cards there is none."""
    pursuit, queue = facts.playbook.pursuit, facts.context.queue
    shown = card(facts.lead, facts.playbook, pursuit, queue, modes_to_try(facts)) if pursuit and queue else UNSET
    return e.CutBaitConfirmed(choice=command.choice, reason=command.reason, card=shown, override=command.override)


def dropped(facts: Facts, command: c.Drop) -> e.LeadDropped:
    """Return the end of a lead, with what had been done for it."""
    shown = checklist(facts.lead, facts.playbook, modes_to_try(facts)) if facts.playbook.pursuit else UNSET
    return e.LeadDropped(reason=command.reason, words=command.words, checklist=shown)


def touch_due(facts: Facts, _: Any) -> e.NurtureTouchDue:
    """Return that a touch is owed, and why the month before went by without one if it did."""
    gap: Literal["account_not_studied", "no_permitted_mode", "not_sent"] | UnsetType = UNSET
    if facts.playbook.pursuit and facts.lead.nurture_touch_owed:
        gap = "not_sent" if any(mode in NURTURE_MODES for mode in facts.lead.modes) else "no_permitted_mode"
        if not is_studied(facts.lead, facts.playbook, "touch"):
            gap = "account_not_studied"
    return e.NurtureTouchDue(gap=gap)


def _requested(facts: Facts, command: p.RequestIntroduction) -> pe.IntroductionRequested:
    connectors = facts.lead.connectors or ()
    return pe.IntroductionRequested(connector=connectors[command.connector - 1], minutes=command.minutes)


BUILDERS: dict[str, Callable[[Facts, Any], e.AnyEvent]] = {
    "connector_denied": lambda _facts, _: pe.ConnectorDenied(),
    "introduction_requested": _requested,
    "mode_waived": lambda _, command: pe.ModeWaived(mode=command.mode, reason=command.reason),
    "nurture_touch_skipped": lambda _, command: pe.NurtureTouchSkipped(reason=command.reason, words=command.words),
}
