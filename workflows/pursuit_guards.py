"""Guards on how far somebody is pursued, and on letting go. Those that came with ``[pursuit]`` ask only where it is there."""

from workflows.commands import (
    AnswerImportance,
    Command,
    ConfirmCutBait,
    Mode,
    RecordReply,
    SendNurtureTouch,
    SendTouch,
)
from workflows.context import Facts, Refused
from workflows.cut_bait import NURTURE_MODES, checklist, for_one_more, needs_manager, open_modes, to_try, undone
from workflows.events import Scalar
from workflows.law_guards import lawful_now
from workflows.playbook_sections import Done
from workflows.pursuit_commands import RequestIntroduction, WaiveMode
from workflows.sentences import words


def modes_to_try(facts: Facts) -> tuple[Mode, ...]:
    """Return the modes in which the lead may be tried today."""
    return to_try(facts.lead, facts.playbook, lawful_now(facts), facts.today)


def importance_allows(facts: Facts, command: Command) -> Refused | None:
    """Refuse to let go what is so important that only a manager may, or anybody where the playbook leaves it to one (A3-7)."""
    importance = facts.lead.importance
    if facts.context.actor.startswith("manager:") or (isinstance(command, ConfirmCutBait) and command.choice == "one_more_try"):
        return None
    if not needs_manager(facts.lead, facts.playbook):
        return None
    if facts.playbook.drop.decides == "manager":
        reason = "This playbook leaves it to a manager to let a lead go."
        return Refused(rule="manager_lets_go", reason=reason, inputs={"decides": "manager", "actor": facts.context.actor})
    reason = f"This sale has the importance {importance}: only a manager can let it go."
    return Refused(rule="importance_allows", reason=reason, inputs={"importance": importance, "actor": facts.context.actor})


def everything_tried(facts: Facts, command: ConfirmCutBait) -> Refused | None:
    """Refuse to let go of somebody before everything on the checklist was done, unless the reason for that is given (A3-8)."""
    if not facts.playbook.pursuit or command.choice == "one_more_try" or command.override:
        return None
    done = checklist(facts.lead, facts.playbook, modes_to_try(facts))
    nobody = done.connector == "unasked"
    said: dict[Done, str] = {
        "modes_tried": f"try or waive {', '.join(map(words, done.modes_open))}",
        "value_offered": "bring something of value",
        "connector_tried": "say who knows them, or that nobody does" if nobody else "ask for an introduction",
        "importance_answered": "say how important it is",
        "nurture_in_place": "have an address for keeping in touch",
    }
    missing = [said[name] for name in undone(done, facts.playbook)]
    if not missing:
        return None
    reason = f"Not everything was done yet: {'; '.join(missing)}; or let go with an override."
    inputs: dict[str, Scalar] = {"modes_open": " ".join(done.modes_open), "missing": len(missing)}
    return Refused(rule="everything_tried", reason=reason, inputs=inputs)


def cut_bait_reason(facts: Facts, command: ConfirmCutBait) -> Refused | None:
    """Refuse a decision to let go of which nobody could say later why it was made (A3-12)."""
    if not facts.playbook.pursuit or command.choice == "one_more_try" or command.reason:
        return None
    return Refused(rule="cut_bait_reason", reason="Say why: it is a decision that somebody will ask about.", inputs={})


def one_more_is_new(facts: Facts, command: ConfirmCutBait) -> Refused | None:
    """Refuse one more try that could only repeat what was tried: it takes a mode to try it in and something new to bring."""
    if not facts.playbook.pursuit or command.choice != "one_more_try":
        return None
    fresh, modes = for_one_more(facts.lead, facts.playbook)
    if fresh and modes:
        return None
    lacking = "another mode to try" if fresh else "anything new to bring"
    return Refused(
        rule="one_more_is_new",
        reason=f"One more try needs a new mode and something new; there is not {lacking}.",
        inputs={"value_items": len(fresh), "modes": " ".join(modes)},
    )


def actions_listed(facts: Facts, command: AnswerImportance) -> Refused | None:
    """Refuse a high importance for which nobody would do anything (A3-7)."""
    pursuit = facts.playbook.pursuit
    if not pursuit or command.importance < pursuit.actions_from_importance or command.actions:
        return None
    reason = f"Importance {command.importance}: what else are you willing to do for it? Name at least one action."
    return Refused(rule="actions_listed", reason=reason, inputs={"importance": command.importance, "actions": 0})


def way_known(facts: Facts, command: SendTouch) -> Refused | None:
    """Refuse a way that the playbook does not name for this mode."""
    if not command.way:
        return None
    ways = facts.playbook.pursuit.ways if facts.playbook.pursuit else {}
    if ways.get(command.way) == command.mode:
        return None
    known = ", ".join(way for way, mode in ways.items() if mode == command.mode) or "none"
    reason = f"The playbook has no way called {command.way} within {words(command.mode)}; it has {known}."
    return Refused(rule="way_known", reason=reason, inputs={"mode": command.mode, "way": command.way})


def mode_open(facts: Facts, command: WaiveMode) -> Refused | None:
    """Refuse to waive what is not open anyhow."""
    open_ = open_modes(facts.lead, facts.playbook, modes_to_try(facts))
    if command.mode in open_:
        return None
    left = ", ".join(open_) or "nothing"
    reason = f"{words(command.mode).capitalize()} need not be waived: {left} is open."
    return Refused(rule="mode_open", reason=reason, inputs={"mode": command.mode, "modes_open": " ".join(open_)})


def connector_known(facts: Facts, command: RequestIntroduction | RecordReply) -> Refused | None:
    """Refuse an introduction by somebody whom nobody named as a connector of this lead."""
    number = command.introduced_by if isinstance(command, RecordReply) else command.connector
    known = len(facts.lead.connectors or ())
    if not number or number <= known:
        return None
    reason = f"This lead has {known} connector(s), and not one with the number {number}; name who knows them first."
    return Refused(rule="connector_known", reason=reason, inputs={"connector": number, "known": known})


def asset_kind_known(facts: Facts, command: SendNurtureTouch) -> Refused | None:
    """Refuse a kind of thing that the playbook does not keep in touch with (A3-3)."""
    pursuit = facts.playbook.pursuit
    if not command.kind or not pursuit or command.kind in pursuit.asset_kinds:
        return None
    known = ", ".join(map(words, pursuit.asset_kinds))
    reason = f"{words(command.kind).capitalize()} is no kind of thing to keep in touch with; these are: {known}."
    return Refused(rule="asset_kind_known", reason=reason, inputs={"kind": command.kind})


def nurture_mode(facts: Facts, command: SendNurtureTouch) -> Refused | None:
    """Refuse to keep in touch by anything but mail and post (A3-3)."""
    if not facts.playbook.pursuit or command.mode in NURTURE_MODES:
        return None
    reason = f"Keeping in touch goes by mail or post, not by {words(command.mode)}."
    return Refused(rule="nurture_mode", reason=reason, inputs={"mode": command.mode})


def nurture_owed(facts: Facts, _: Command) -> Refused | None:
    """Refuse to leave out a touch that nobody owes."""
    if facts.lead.nurture_touch_owed:
        return None
    return Refused(rule="nurture_owed", reason="No value touch is owed at the moment.", inputs={"owed": False})


def nurtured_and_good(facts: Facts, command: Command) -> Refused | None:
    """Refuse to requeue from nurture what was never good to begin with, unless somebody says why (A1-2)."""
    lead, override = facts.lead, getattr(command, "override", None)
    asked = lead.decline is not None or facts.playbook.audience.require_qualified
    if not facts.playbook.pursuit or not asked or lead.qualified or override:
        return None
    known = "was found not to be qualified" if lead.qualified is False else "has not been qualified"
    reason = f"This lead {known}: it stays in nurture; only leads that were good to begin with are pursued."
    return Refused(rule="qualified", reason=reason, inputs={"qualified": lead.qualified})
