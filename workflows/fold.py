"""The fold: a lead is what its events leave. It reads events only, never the transition table, a playbook or a calendar."""

from typing import cast

from msgspec.structs import replace

from workflows import events as e
from workflows.changes import CHANGES, Changes, moment_of
from workflows.events import Effects, Recorded
from workflows.lead import ENDS_HOLD, Lead, State, Timer

#: States in which a note or call is planned; leaving them for another forgets the plan.
_TOUCH_PLANNED = frozenset({"note_due", "note_sent", "call_due"})
_NO_PLAN = {"note_on": None, "call_on": None, "promised_on": None, "promised": False, "value_item": None}


class FoldError(ValueError):
    """An event does not fit the lead: the log that it comes from is not one lead's."""


def fold(lead: Lead | None, recorded: Recorded) -> Lead:
    """Return the lead after *recorded*, the next event of its stream.

    Raises
    ------
    FoldError
        When there is no lead yet and *recorded* does not register one.
    """
    data = recorded.data
    if lead is None:
        if not isinstance(data, e.LeadRegistered):
            raise FoldError(f"a lead's first event is lead_registered, not {e.event_type(data)}")
        return _registered(recorded, data)
    changes: Changes = {"version": recorded.version, "recorded_at": recorded.recorded_at}
    change = CHANGES.get(type(data))
    if change:
        change(lead, recorded.occurred_at, data, changes)
    if type(data) in _PINS:
        # A lead pins its playbook on entering the queue; a version published later applies to those who enter later, and to
        # others only by an event of its own.
        changes["playbook"] = recorded.playbook
    if recorded.state != lead.state:
        changes["state"] = recorded.state
        changes["entered_at"] = recorded.occurred_at
        if lead.call_on and recorded.state not in _TOUCH_PLANNED:
            changes |= _NO_PLAN
        if lead.hold and recorded.state in ENDS_HOLD:
            changes["hold"] = None
    if recorded.effects != _NOTHING:
        _move(lead, recorded, changes)
    return replace(lead, **changes)


_NOTHING = Effects()

#: Events whose playbook becomes the lead's.
_PINS = frozenset({e.RevivalQueued, e.PlaybookMigrated})


def _move(lead: Lead, recorded: Recorded, changes: Changes) -> None:
    """Move timers and slots as the event's effects say."""
    effects = recorded.effects
    if effects.armed or effects.cancelled:
        timers = lead.timers.copy()
        for name in effects.cancelled:
            timers.pop(name, None)
        version = recorded.version
        for name, due_at in effects.armed.items():
            timers[name] = Timer(due_at=due_at, armed_version=version)
        changes["timers"] = timers
    if effects.reserved or effects.released or effects.used:
        # A lead holds two or three slots at most: comparing them is faster than hashing them for a set.
        gone = effects.released + effects.used
        changes["slots"] = tuple([slot for slot in lead.slots if slot not in gone]) + effects.reserved
    if effects.frozen is not None and lead.hold:
        changes["hold"] = replace(lead.hold, remaining=effects.frozen)


def _registered(recorded: Recorded, data: e.LeadRegistered) -> Lead:
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
    )
