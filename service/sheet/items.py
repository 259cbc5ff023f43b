"""The items of a day's sheet in their order, and what is blocked: the machine itself is asked what it would refuse."""

from collections.abc import Callable, Iterable

from service.sheet import calls, work
from service.sheet.desk import Desk
from service.sheet.found import Blocked, Found, Item, blocked, item, key
from service.times import shown_day
from service.way_out import way_out
from service.wording import words
from workflows.commands import command_kind
from workflows.lead import Lead
from workflows.priority import DayClass

_FINDERS: dict[DayClass, Callable[[Desk], Iterable[Found]]] = {
    DayClass.REPLIES: work.replies,
    DayClass.PROMISED_CALLS: calls.promised_calls,
    DayClass.HALF_DONE_BREAKUPS: work.breakups,
    DayClass.OVERDUE_NEXT_STEPS: work.next_steps,
    DayClass.NOTES: work.notes,
    DayClass.REASON_PROBES: work.reasons,
    DayClass.FOLLOW_UPS: calls.follow_ups,
    DayClass.HOMEWORK: lambda desk: (*work.homework(desk), *work.reviews(desk)),
    DayClass.NURTURE: work.nurture,
}


def items_of(desk: Desk) -> tuple[list[Item], list[Blocked]]:
    """Return what can be done on the day of *desk*, in the order of `DayClass`, and what cannot, with the rule."""
    items: list[Item] = []
    stopped = [_held(desk, lead) for lead in desk.held]
    for day_class in DayClass:
        for found in _FINDERS[day_class](desk):
            stop = _stop(desk, found)
            if stop:
                stopped.append(stop)
            else:
                items.append(item(desk, found))
    return items, stopped


def _held(desk: Desk, lead: Lead) -> Blocked:
    assert lead.hold is not None  # noqa: S101  # only held leads are asked about
    until = f" until {shown_day(lead.hold.until)}" if lead.hold.until else ""
    first = "put the new address into the CRM, then " if lead.hold.reason == "needs_address" else ""
    why = f"on hold{until}: {words(lead.hold.reason)}"
    return blocked(desk, lead, None, "not_held", why, f"{first}thaw release {key(desk, lead)}")


def _stop(desk: Desk, found: Found) -> Blocked | None:
    """Return why *found* cannot be done now: a rule of the machine, or the hour at the prospect's place."""
    if not desk.is_today:
        return None
    if found.lead.state == "note_sent":
        return calls.not_due(desk, found.lead)
    refused = desk.refusal(found.lead, found.tries) if found.tries else None
    if refused:
        tried = command_kind(found.tries) if found.tries else ""
        unblock = way_out(refused.rule, tried, refused.inputs, key(desk, found.lead), found.lead) or "see the reason"
        return blocked(desk, found.lead, found.kind, refused.rule, refused.reason, unblock)
    return calls.out_of_hours(desk, found)
