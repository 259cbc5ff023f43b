"""Two folds of one lead beside each other: the fields that differ, in words for people."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from service.times import shown_day, shown_moment
from service.wording import plain, score_line, words
from workflows.commands import Reference
from workflows.events import PlaybookPin, Slot
from workflows.lead import Decline, HoldState, Lead, MailState, TakenIn, Timer
from workflows.priority import Score

#: Fields that say how far a lead was folded, not how it stands.
_BOOKKEEPING = frozenset({"id", "version", "recorded_at"})


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is not the same in both."""

    field: str
    """Its name; of a timer, ``timers.`` and the timer's name, and so of all that has names of its own."""
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """The difference on one line."""
        timer = self.field.removeprefix("timers.")
        name = words(self.field).replace(".", " ") if timer == self.field else f"timer {timer}"
        return f"{name:<23} {self.before} -> {self.after}"


def differences(before: Lead, after: Lead, zone: ZoneInfo, days: Collection[datetime] = ()) -> tuple[Difference, ...]:
    """Return the fields in which *before* and *after* differ, in the order in which a lead has them; times are in *zone*.

    A last contact at one of *days* (see `service.history.days_said`) is shown as a day: nobody knows its hour.
    """
    found: list[Difference] = []
    for field in Lead.__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if old == new or field in _BOOKKEEPING:
            continue
        if field == "timers":
            found += _timers(old, new, zone)
        elif field == "last_contact_at":
            old, new = (at.date() if at in days else at for at in (old, new))
            found.append(Difference(field=field, before=shown(old, zone), after=shown(new, zone)))
        else:
            found.append(Difference(field=field, before=shown(old, zone), after=shown(new, zone)))
    return tuple(found)


def _timers(before: dict[str, Timer], after: dict[str, Timer], zone: ZoneInfo) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Difference(field=f"timers.{name}", before=shown(old, zone), after=shown(new, zone))


def shown(value: object, zone: ZoneInfo) -> str:
    """Return a field's *value* as words, ``none`` for an empty one."""
    match value:
        case None | "" | () | msgspec.UnsetType():
            return "none"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return shown_moment(value, zone)
        case date():
            return shown_day(value)
        case UUID():
            return f"[document {value.hex[:8]}]"
        case tuple():
            return ", ".join(shown(each, zone) for each in value)
        case msgspec.Struct():
            return _struct(value, zone)
    return plain(str(value), 200)


def _struct(value: msgspec.Struct, zone: ZoneInfo) -> str:
    match value:
        case Score():
            return score_line(value)
        case Reference():
            return shown(value.document_id, zone)
        case MailState():
            return f"{words(value.purpose)} mail {words(value.status)}, attempt {value.attempt}, {shown(value.text, zone)}"
        case PlaybookPin():
            return f"{value.id}@{value.version}"
        case Timer():
            return f"{shown_moment(value.due_at, zone)} (armed by event {value.armed_version})"
        case Slot():
            return f"{words(value.kind)} slot {value.ordinal} of {shown_day(value.day)} ({plain(value.rep, 80)})"
        case HoldState():
            until = f" until {shown_day(value.until)}" if value.until else ", no end set"
            frozen = ", ".join(left.timer for left in value.remaining) or "nothing"
            return f"{words(value.reason)} since {shown_moment(value.since, zone)}{until}, keeping {frozen}"
        case TakenIn():
            return f"lead {value.lead_id} (event {value.version})"
        case Decline():
            real = f", really {words(value.real_reason)}" if value.real_reason else ""
            return f"{words(value.kind)} on {shown_moment(value.at, zone)}: {words(value.stated_reason)}{real}"
    return plain(str(value), 200)
