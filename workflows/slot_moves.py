"""Which slots an event moves: those that it takes, uses up and gives back."""

from workflows.commands import MarkNoteSent, Reassign, RescheduleCall, ScheduleCall, ScheduleNote, ScheduleTouch
from workflows.context import Facts
from workflows.events import Slot
from workflows.handover import handover
from workflows.slotting import call_slot_kind, offered, promise, resumed
from workflows.transitions import Row

#: Events that give back what the lead holds without leaving the state; the last takes a new slot for one that was not used.
_GIVES_BACK = frozenset({"lead_held", "lead_reassigned", "touch_scheduled"})


class SlotMoves:
    """The slots that one event moves."""

    def __init__(self, facts: Facts, row: Row) -> None:
        """Work out what *row* does with the lead's slots and those that are offered."""
        lead, command = facts.lead, facts.command
        entering = row.target is not None and row.target != lead.state
        self.reserved: tuple[Slot, ...] = tuple(slot for slot in _wanted(facts, row) if slot)
        self.used: tuple[Slot, ...] = tuple(slot for slot in lead.slots if slot.kind in row.uses)
        gone = entering or row.event in _GIVES_BACK or isinstance(command, RescheduleCall)
        kept = row.keeps if entering and not self.reserved else ()
        # Whoever was to call for the owner and gets the lead calls as was promised.
        own = command.owner if isinstance(command, Reassign) else None
        left = (slot for slot in lead.slots if slot not in self.used and slot.kind not in kept and slot.rep != own)
        self.released: tuple[Slot, ...] = tuple(left) if gone else ()


def _wanted(facts: Facts, row: Row) -> tuple[Slot | None, ...]:
    match facts.command:
        case ScheduleNote(note_on=note_on, call_on=call_on):
            return offered(facts, "note", note_on), offered(facts, "promised_call", call_on)
        case ScheduleCall(call_on=call_on):
            return (offered(facts, "follow_up", call_on),)
        case ScheduleTouch(touch_on=touch_on):
            return (offered(facts, "follow_up", touch_on),)
        case RescheduleCall(call_on=call_on):
            return (offered(facts, call_slot_kind(facts), call_on),)
        case MarkNoteSent():
            return (promise(facts)[1],)
        case Reassign(owner=owner):
            return handover(facts, owner).slots
    if row.event == "lead_released":
        return resumed(facts)[2]
    return ()
