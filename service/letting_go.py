"""What to type before somebody may be let go: for each point of the checklist that is still open, and for no other."""

from collections.abc import Iterator, Sequence

from models.database import Connection
from models.playbooks import playbooks_by_digest
from models.views import calendar_of
from service.times import zone_of
from workflows.changes import INTRODUCTION
from workflows.cut_bait import checklist, for_one_more, needs_manager, to_try, undone
from workflows.events import Recorded
from workflows.law import lawful_modes
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.pursuit_facts import Checklist

#: Before each of them where it is shown with the choices.
FIRST = "first, or with --override: {}"


def first_steps(lead: Lead, playbook: Playbook, done: Checklist, key: str) -> tuple[str, ...]:
    """Return the steps that *playbook* wants before *lead*, of whom so much is *done*, is let go; *key* is typed for it."""
    return tuple(dict.fromkeys(step for name in undone(done, playbook) for step in _steps(name, lead, done, key)))


def choices(lead: Lead, playbook: Playbook, steps: Sequence[str]) -> list[str]:
    """Return what may be chosen on the card of *lead*, with what it takes while *steps* are still to be done."""
    why = "--reason TEXT --override TEXT" if steps else "--reason TEXT"
    why += " --as manager:NAME" if needs_manager(lead, playbook) else ""
    # Once decided, a breakup that comes too early would be refused, and nobody would plan the lead again.
    found = [f"breakup {why}"] if lead.attempts >= playbook.attempts.min_before_breakup else []
    found += ["one_more_try"] if all(for_one_more(lead, playbook)) else []
    return [*found, f"nurture {why}"]


def steps_before(connection: Connection, lead: Lead, refused: Recorded, key: str) -> tuple[str, ...]:
    """Return the steps that came before letting *lead* go at the moment at which that was *refused*."""
    pin, moment = lead.playbook, refused.recorded_at
    found = playbooks_by_digest(connection, [pin.digest]).get(pin.digest) if pin else None
    if found is None:
        return ()
    day = moment.astimezone(zone_of(calendar_of(connection, lead.owner))).date()
    modes = to_try(lead, found, lawful_modes(lead, day, CURRENT), day)
    return first_steps(lead, found, checklist(lead, found, modes), key)


def to_try_first(modes_open: tuple[str, ...], key: str) -> Iterator[str]:
    """Yield what to type for modes in which nobody tried the lead yet: modes, ways within them, and an introduction."""
    if INTRODUCTION in modes_open:
        yield f"thaw introduction {key} 1"
    modes = [mode for mode in modes_open if mode != INTRODUCTION]
    if modes:
        mode = modes[0] if len(modes) == 1 else "MODE"
        yield f"wait for the next attempt, which takes another mode, or thaw breakup waive {key} --mode {mode} --reason TEXT"


def _steps(name: str, lead: Lead, done: Checklist, key: str) -> Iterator[str]:
    match name:
        case "modes_tried":
            yield from to_try_first(done.modes_open, key)
        case "value_offered":
            yield f"thaw touch {key} --mode MODE --value-item WORD --attest-all"
        case "connector_tried" if lead.connectors:
            yield f"thaw introduction {key} 1"
        case "connector_tried":
            denied = "" if lead.has_connector else f", or thaw no-connector {key}"
            yield f"thaw connector {key} --who TEXT{denied}"
        case "importance_answered":
            yield f"thaw importance {key} NUMBER"
        case "nurture_in_place":
            yield "put an address into the CRM, and take it in with thaw import FILE"
