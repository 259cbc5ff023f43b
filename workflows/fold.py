"""The fold: a lead is what its events leave. It reads events only, never the transition table, a playbook or a calendar."""

from collections.abc import Iterable
from typing import cast

from msgspec import UNSET
from msgspec.structs import force_setattr, replace

from workflows import events as e
from workflows.changes import CHANGES, Changes, moment_of
from workflows.events import Effects, Recorded
from workflows.lead import ENDS_HOLD, Lead, State, Timer, basis_of

#: States in which a note or call is planned; leaving them for another forgets the plan.
_TOUCH_PLANNED = frozenset({"note_due", "note_sent", "call_due"})
_NO_PLAN = {"note_on": None, "call_on": None, "promised_on": None, "promised": False, "value_item": None, "call_by": UNSET}


class FoldError(ValueError):
    """An event does not fit the lead: the log that it comes from is not one lead's."""


def fold(lead: Lead | None, recorded: Recorded) -> Lead:
    """Return the lead after *recorded*, the next event of its stream.

    Raises
    ------
    FoldError
        When there is no lead yet and *recorded* does not register one.
    """
    if lead is None:
        return _registered(recorded)
    return replace(lead, version=recorded.version, recorded_at=recorded.recorded_at, **_changes(lead, recorded))


def fold_all(lead: Lead | None, history: Iterable[Recorded]) -> Lead | None:
    """Return the lead after all of *history*, the next events of its stream: what `fold` makes of one after the other.

    Raises
    ------
    FoldError
        As `fold` does.
    """
    # A copy of our own, which nobody sees before the end; so no other one is needed for each event.
    draft = replace(lead) if lead else None
    last = None
    for recorded in history:
        if draft is None:
            draft = _registered(recorded)
            continue
        for name, value in _changes(draft, recorded).items():
            force_setattr(draft, name, value)
        last = recorded
    if draft and last:
        # No change rests on these two, which every event sets.
        force_setattr(draft, "version", last.version)
        force_setattr(draft, "recorded_at", last.recorded_at)
    return draft


#: Events whose playbook becomes the lead's.
_PINS = frozenset({e.RevivalQueued, e.PlaybookMigrated})


def _changes(lead: Lead, recorded: Recorded) -> Changes:
    """Return the fields of *lead* that *recorded* changes beside `version` and `recorded_at`, as they are afterwards."""
    changes: Changes = {}
    data, state = recorded.data, recorded.state
    kind = type(data)
    change = CHANGES.get(kind)
    if change:
        change(lead, recorded.occurred_at, data, changes)
    if kind in _PINS:
        # A lead pins its playbook on entering the queue; a version published later applies to those who enter later, and to
        # others only by an event of its own.
        changes["playbook"] = recorded.playbook
    if state != lead.state:
        changes["state"] = state
        changes["entered_at"] = recorded.occurred_at
        if lead.call_on and state not in _TOUCH_PLANNED:
            changes |= _NO_PLAN
        if lead.hold and state in ENDS_HOLD:
            changes["hold"] = None
    _move(lead, recorded.effects, recorded.version, changes)
    return changes


def _move(lead: Lead, effects: Effects, version: int, changes: Changes) -> None:
    """Move timers, slots and the score as the event's effects say."""
    armed, cancelled = effects.armed, effects.cancelled
    if armed or cancelled:
        timers = lead.timers.copy()
        for name in cancelled:
            timers.pop(name, None)
        for name, due_at in armed.items():
            timers[name] = Timer(due_at=due_at, armed_version=version)
        changes["timers"] = timers
    if effects.reserved or effects.released or effects.used:
        # A lead holds two or three slots at most: comparing them is faster than hashing them for a set.
        gone = effects.released + effects.used
        changes["slots"] = tuple([slot for slot in lead.slots if slot not in gone]) + effects.reserved
    if effects.frozen is not None and lead.hold:
        changes["hold"] = replace(lead.hold, remaining=effects.frozen)
    if effects.score:
        changes["score"] = effects.score
        if not lead.score_basis:
            changes["score_basis"] = basis_of(lead)


def _registered(recorded: Recorded) -> Lead:
    data = recorded.data
    if not isinstance(data, e.LeadRegistered):
        raise FoldError(f"a lead's first event is lead_registered, not {e.event_type(data)}")
    return Lead(
        id=recorded.stream_id,
        version=recorded.version,
        state=cast("State", recorded.state),
        owner=data.owner,
        source=data.source,
        playbook=recorded.playbook,
        recorded_at=recorded.recorded_at,
        entered_at=recorded.occurred_at,
        modes=data.modes,
        timezone=data.timezone,
        open_opportunity=data.open_opportunity,
        stage_depth=data.stage_depth,
        value_band=data.value_band,
        minutes_invested=data.minutes_invested,
        last_contact_at=moment_of(data.last_contact_on),
        qualified=data.qualified,
        law=data.law,
    )
