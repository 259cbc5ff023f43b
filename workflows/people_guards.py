"""Guards on who decides, on holds, and on who owns a lead."""

from workflows import horizon
from workflows.commands import Command, Hold, Reassign
from workflows.context import Facts, Refused
from workflows.events import Effects
from workflows.sentences import spoken, words


def manager(facts: Facts, _: Command) -> Refused | None:
    """Refuse what only a manager may decide."""
    if facts.context.actor.startswith("manager:"):
        return None
    return Refused(rule="manager", reason="Only a manager can decide this.", inputs={"actor": facts.context.actor})


def person(facts: Facts, _: Command) -> Refused | None:
    """Refuse what a person must decide, and no machine."""
    if facts.context.actor.startswith(("manager:", "rep:")):
        return None
    return Refused(rule="person", reason="A person has to decide this.", inputs={"actor": facts.context.actor})


def not_held(facts: Facts, _: Command) -> Refused | None:
    """Refuse to plan with a lead that is on hold, to hold it twice, or to merge it: its hold would end unseen."""
    hold = facts.lead.hold
    if hold is None:
        return None
    until = f" until {spoken(hold.until)}" if hold.until else ""
    reason = f"This lead is on hold{until} ({words(hold.reason)}); release it first."
    return Refused(rule="not_held", reason=reason, inputs={"hold": hold.reason, "until": str(hold.until or "")})


def held(facts: Facts, _: Command) -> Refused | None:
    """Refuse to release a lead that is not on hold."""
    return None if facts.lead.hold else Refused(rule="held", reason="This lead is not on hold.")


def hold_ends_ahead(facts: Facts, command: Hold) -> Refused | None:
    """Refuse a hold that would be over already."""
    if command.until is None or command.until > facts.today:
        return None
    reason = f"A hold until {spoken(command.until)} would be over already; name a later day, or none."
    return Refused(rule="hold_ends_ahead", reason=reason, inputs={"until": str(command.until)})


def another_owner(facts: Facts, command: Reassign) -> Refused | None:
    """Refuse to give a lead to the rep who has it."""
    if command.owner != facts.lead.owner:
        return None
    return Refused(rule="another_owner", reason=f"{command.owner} has this lead already.", inputs={"owner": command.owner})


def owned(facts: Facts, _: Command) -> Refused | None:
    """Refuse a promised call that is nobody's."""
    return None if facts.lead.owner else Refused(rule="owned", reason="Nobody owns this lead; reassign it first.")


def owner_present(facts: Facts, _: Command) -> Refused | None:
    """Refuse a call on a day on which its owner is not there; it comes on the next working day."""
    if horizon.is_working(facts.calendar, facts.today):
        return None
    reason = f"{facts.rep} does not work on {spoken(facts.today)}; the call moves to the next working day."
    # Before that day's plan is made, which else would not know how much has gathered, and let notes promise more.
    again = horizon.moment(facts.calendar, horizon.after(facts.calendar, facts.today, 1), 0)
    return Refused(
        rule="owner_present",
        reason=reason,
        inputs={"owner": facts.rep, "day": str(facts.today)},
        effects=Effects(armed={"call_after_note": again}),
    )
