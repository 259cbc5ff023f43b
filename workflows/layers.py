"""The layers of a rep's days put together: a playbook, what the team does otherwise, and what the rep does."""

from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from workflows.limits import Layers, Limits
from workflows.playbook_sections import ContactHours
from workflows.playbooks import MADE_FOR, Playbook

Where = Literal["playbook", "team", "rep"]

#: What a layer may set: the numbers of the day, and the hours, which it can only narrow.
NUMBERS = ("notes", "calls", "follow_up_touches", "catch_up_calls", "minutes")
HOURS = ("opens", "closes", "weekdays")


class LoosenedError(ValueError):
    """A layer would widen hours that are driven by law; the message is a sentence for whoever asked for it."""


class Said(NamedTuple):
    """The fields of each layer that somebody says now; the others stand as they did."""

    team: Collection[str] = ()
    own: Collection[str] = ()


NOTHING = Said()


class Number(NamedTuple):
    """A number in force, and which layer it comes from."""

    name: str
    value: int | tuple[int, ...]
    where: Where


def merged(base: Playbook, layers: Layers, *, playbook_id: str, version: str) -> Playbook:
    """Return the playbook that *layers* make of *base*: each number of the lowest layer that sets it, hours narrowed by all."""
    capacity = base.capacity
    for layer in (layers.of_team, layers.own):
        said = {name: value for name in NUMBERS[:-1] if (value := getattr(layer, name)) is not UNSET}
        capacity = replace(capacity, **said)
        if layer.minutes is not UNSET:
            capacity = replace(capacity, minutes=replace(capacity.minutes, budget=layer.minutes))
    return replace(
        base,
        id=playbook_id,
        version=version,
        extends=(f"{base.id}@{base.version}",),
        capacity=capacity,
        contact_hours=_hours(base, layers)[0],
    )


def is_made(playbook: Playbook) -> bool:
    """Tell whether *playbook* was made of another one for a rep, by its id and what it extends."""
    below, made_for, _ = playbook.id.rpartition(MADE_FOR)
    return bool(made_for) and [name.partition("@")[0][:40] for name in playbook.extends] == [below]


def narrowed(hours: ContactHours, other: ContactHours) -> ContactHours | None:
    """Return the hours that lie in both, None when none do."""
    opens, closes = max(hours.opens, other.opens), min(hours.closes, other.closes)
    weekdays = tuple(day for day in hours.weekdays if day in other.weekdays)
    return ContactHours(opens=opens, closes=closes, weekdays=weekdays) if opens < closes and weekdays else None


def check_narrower(base: Playbook, layers: Layers, said: Said | None = None) -> None:
    """Look whether what was *said* now, all of it by default, narrows the hours that the layers above leave.

    What was said before stands: a later version of the playbook, or the team, may have narrowed the hours further since.

    Raises
    ------
    LoosenedError
        When one widens them, or leaves no hour at all.
    """
    hours, above = base.contact_hours, dict.fromkeys(HOURS, f"{base.id}@{base.version}")
    now = [
        [name for name in names if getattr(layer, name) is not UNSET]
        for layer, names in zip((layers.of_team, layers.own), said or Said(HOURS, HOURS), strict=True)
    ]
    if not any(now):
        return
    for layer, names, whose in ((layers.of_team, now[0], f"team {layers.team}"), (layers.own, now[1], "the rep")):
        wanted = _hours_of(layer, hours)
        for name, wider in (("opens", wanted.opens < hours.opens), ("closes", wanted.closes > hours.closes)):
            if wider and name in names:
                asked, known = getattr(wanted, name), getattr(hours, name)
                raise LoosenedError(
                    f"{name} {_clock(asked)} of {whose} is wider than {_clock(known)} of {above[name]}: hours for calls "
                    "follow from law, and can only be narrowed"
                )
        more = [day for day in wanted.weekdays if day not in hours.weekdays]
        if more and "weekdays" in names:
            raise LoosenedError(
                f"weekday {more[0]} of {whose} is none of those of {above['weekdays']} "
                f"({', '.join(map(str, hours.weekdays))}): days for calls follow from law, and can only be narrowed"
            )
        left = narrowed(hours, wanted)
        if left is None:
            raise LoosenedError(f"{whose} would have no hour left in which anybody may be called")
        above |= {name: whose for name in HOURS if getattr(left, name) != getattr(hours, name)}
        hours = left


def said_since(before: Layers | UnsetType, layers: Layers) -> Said:
    """Return the hours that *layers* say otherwise than those *before* them."""
    known = before or Layers(base=layers.base, digest=layers.digest)
    pairs = ((known.of_team, layers.of_team), (known.own, layers.own))
    return Said(*([name for name in HOURS if getattr(old, name) != getattr(new, name)] for old, new in pairs))


def numbers(base: Playbook, layers: Layers) -> Iterator[Number]:
    """Yield each number that a layer may set, as it is in force, with where it comes from."""
    whole, hours_from = merged(base, layers, playbook_id=base.id, version=base.version), _hours(base, layers)[1]
    for name in (*NUMBERS, *HOURS):
        where: Where = hours_from.get(name, "playbook")
        if name in NUMBERS and getattr(layers.of_team, name) is not UNSET:
            where = "team"
        if name in NUMBERS and getattr(layers.own, name) is not UNSET:
            where = "rep"
        if name == "minutes":
            value: int | tuple[int, ...] = whole.capacity.minutes.budget
        else:
            value = getattr(whole.capacity if name in NUMBERS else whole.contact_hours, name)
        yield Number(name, value, where)


def _hours(base: Playbook, layers: Layers) -> tuple[ContactHours, dict[str, Where]]:
    """Return the hours that all layers leave, and which of them each comes from.

    Whatever a later version of the playbook has, nobody's hours become wider than it says; a layer that would leave none of
    them says nothing.
    """
    hours, comes_from = base.contact_hours, dict[str, Where]()
    named: tuple[tuple[Limits, Where], ...] = ((layers.of_team, "team"), (layers.own, "rep"))
    for layer, where in named:
        try:
            left = narrowed(hours, _hours_of(layer, hours))
        except LoosenedError:
            continue
        if left is None:
            continue
        for name in HOURS:
            if getattr(left, name) != getattr(hours, name) or getattr(left, name) == getattr(layer, name):
                comes_from[name] = where
        hours = left
    return hours, comes_from


def _hours_of(layer: Limits, above: ContactHours) -> ContactHours:
    opens = above.opens if layer.opens is UNSET else layer.opens
    closes = above.closes if layer.closes is UNSET else layer.closes
    if opens >= closes:
        raise LoosenedError(f"calls would open at {_clock(opens)} and close at {_clock(closes)}: they have to open first")
    weekdays = above.weekdays if layer.weekdays is UNSET else layer.weekdays
    if not weekdays:
        raise LoosenedError("weekdays must name at least one day, 1 (Monday) to 7 (Sunday)")
    return ContactHours(opens=opens, closes=closes, weekdays=weekdays)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
