"""The cut-bait card: what one more hour on a silent lead brings, against what it brings in the queue, and what was tried.

All of it follows from the lead, its playbook and the queue that the decision names, in integers, so that it can be made again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import UNSET, UnsetType

from workflows.books import in_turn
from workflows.changes import INTRODUCTION
from workflows.commands import Mode
from workflows.homework import value_items
from workflows.lead import Lead
from workflows.playbook_sections import Done
from workflows.playbooks import Playbook
from workflows.priority import BASIS_POINTS, ReturnWeights, return_per_hour
from workflows.pursuit_facts import Alike, Card, Checklist, ConnectorAnswer, Ground, Owed, Queue
from workflows.pursuit_playbook import Pursuit

#: By which somebody is kept in touch with.
NURTURE_MODES: tuple[Mode, ...] = ("email", "post")


class Kind(NamedTuple):
    """All that a queued lead's return per hour is worked out from."""

    stage_depth: int
    value_band: int
    important: bool


def kind_of(lead: Lead, playbook: Playbook) -> Kind:
    """Return which queued leads *lead* is alike, as whoever decides by *playbook* parts them."""
    return Kind(lead.stage_depth, lead.value_band, is_important(lead.importance, playbook))


def is_important(importance: int | None, playbook: Playbook) -> bool:
    """Tell whether an answered importance earns the larger budget of attempts."""
    return importance is not None and importance >= playbook.importance.high_from


def queue_of(
    team: Iterable[Lead],
    owner: str,
    position: int,
    playbook: Playbook,
    owed: tuple[Owed, ...] | UnsetType = UNSET,
    room: int | UnsetType = UNSET,
) -> Queue:
    """Return the queue of the *team*'s leads as *owner* sees it, who decides by *playbook*; held ones do not wait."""
    queued = [lead for lead in team if lead.hold is None]
    counts: dict[Kind, int] = {}
    for lead in queued:
        kind = kind_of(lead, playbook)
        counts[kind] = counts.get(kind, 0) + 1
    own = in_turn([lead for lead in queued if lead.owner == owner])
    return queue(counts, own[0].id if own else None, position, owed, room)


def queue(
    counts: dict[Kind, int],
    next_lead: UUID | None,
    position: int,
    owed: tuple[Owed, ...] | UnsetType = UNSET,
    room: int | UnsetType = UNSET,
) -> Queue:
    """Return the queue in which so many leads of each kind wait."""
    alike = (
        Alike(stage_depth=kind.stage_depth, value_band=kind.value_band, important=kind.important, leads=count)
        for kind, count in sorted(counts.items())
    )
    return Queue(position=position, alike=tuple(alike), next_lead=next_lead, owed=owed, room=room)


def owed_of(silent: Iterable[Lead], playbooks: Mapping[str, Playbook], now: datetime) -> tuple[Owed, ...]:
    """Return what the *silent* leads of a rep bring whose next attempt is due at *now*; *playbooks* are by digest."""
    counts: Counter[int] = Counter()
    for lead in silent:
        playbook = playbooks.get(lead.playbook.digest) if lead.playbook else None
        if playbook and playbook.pursuit and _is_owed(lead, playbook, now):
            counts[_brings(lead, playbook, playbook.pursuit)] += 1
    return tuple(Owed(return_per_hour=returns, leads=leads) for returns, leads in sorted(counts.items()))


def _is_owed(lead: Lead, playbook: Playbook, now: datetime) -> bool:
    ready = lead.timers.get("next_attempt")
    ended = lead.cut_bait in ("breakup", "nurture") or lead.breakup_voicemail_at or lead.breakup_email_at
    due = ready is None or ready.due_at <= now
    return lead.hold is None and not ended and due and lead.attempts < most_attempts(lead, playbook)


def room_of(called: Iterable[Lead], followed: Playbook) -> int:
    """Return how many further attempts the coming days of a rep hold beside those *called* who were promised nothing."""
    days = (followed.pursuit or Pursuit()).days_ahead
    return max(0, days * followed.capacity.follow_up_touches - sum(not lead.promised for lead in called))


def _brings(lead: Lead, playbook: Playbook, pursuit: Pursuit) -> int:
    """Return what one more hour on a silent lead is expected to bring."""
    minutes = minutes_left(lead.attempts, most_attempts(lead, playbook), playbook)
    return return_per_hour(pursuit.value_by_band[lead.value_band], lead.stage_depth, lead.attempts, minutes, pursuit.chance)


def most_attempts(lead: Lead, playbook: Playbook) -> int:
    """Return how many unanswered attempts this lead may get: the playbook's, or what a person granted."""
    usual = _budget(playbook, important=is_important(lead.importance, playbook))
    return max(usual, lead.attempts_granted or 0)


def _budget(playbook: Playbook, *, important: bool) -> int:
    return playbook.attempts.max_when_important if important else playbook.attempts.max


def to_try(lead: Lead, playbook: Playbook, lawful: tuple[Mode, ...], day: date) -> tuple[Mode, ...]:
    """Return the *lawful* modes in which *lead* may be tried on *day*: nobody gets a second note within the rotation (A4-6)."""
    sent, days = lead.note_sent_at, playbook.audience.rotation_days
    if sent is None or (day - sent.date()).days >= days:
        return lawful
    return tuple(mode for mode in lawful if mode != "handwritten_note")


def open_modes(lead: Lead, playbook: Playbook, lawful: tuple[Mode, ...]) -> tuple[str, ...]:
    """Return what is *lawful* and was neither tried nor waived: modes, the ways within them, and an introduction (A1-3)."""
    pursuit = playbook.pursuit or Pursuit()
    wanted: list[str] = []
    for mode in playbook.attempts.modes:
        if mode in lawful:
            wanted += [way for way, channel in pursuit.ways.items() if channel == mode] or [mode]
    if lead.connectors:
        wanted.append(INTRODUCTION)
    done = {*lead.modes_tried, *(lead.modes_waived or ())}
    return tuple(dict.fromkeys(mode for mode in wanted if mode not in done))


def untried_modes(lead: Lead, playbook: Playbook, lawful: tuple[Mode, ...]) -> tuple[Mode, ...]:
    """Return the *lawful* modes in which something is open, in the order of the playbook."""
    ways = (playbook.pursuit or Pursuit()).ways
    channels = {ways.get(name, name) for name in open_modes(lead, playbook, lawful)}
    return tuple(mode for mode in playbook.attempts.modes if mode in lawful and mode in channels)


def checklist(lead: Lead, playbook: Playbook, lawful: tuple[Mode, ...]) -> Checklist:
    """Return what was done for *lead* so far, of whose modes the *lawful* ones are left (A3-8)."""
    return Checklist(
        modes_tried=lead.modes_tried,
        modes_waived=lead.modes_waived or (),
        modes_open=open_modes(lead, playbook, lawful),
        value_items=len(lead.value_items_used),
        connector=_connector(lead),
        importance=lead.importance,
        nurture_modes=tuple(mode for mode in NURTURE_MODES if mode in lawful),
    )


def undone(done: Checklist, playbook: Playbook) -> tuple[Done, ...]:
    """Return what *playbook* wants done before somebody is let go, and is not *done* yet."""
    lacking: dict[Done, bool] = {
        "modes_tried": bool(done.modes_open),
        "value_offered": not done.value_items,
        "connector_tried": done.connector in ("unasked", "known"),
        "importance_answered": done.importance is None,
        "nurture_in_place": not done.nurture_modes,
    }
    return tuple(name for name, lacks in lacking.items() if lacks and name in playbook.drop.checklist)


def needs_manager(lead: Lead, playbook: Playbook) -> bool:
    """Tell whether only a manager may let *lead* go: it is so important, or the playbook leaves it to them (A3-7)."""
    pursuit = playbook.pursuit
    important = bool(pursuit and lead.importance and lead.importance >= pursuit.manager_from_importance)
    return important or playbook.drop.decides == "manager"


def for_one_more(lead: Lead, playbook: Playbook) -> tuple[list[str], list[Mode]]:
    """Return what one more try could bring that is new, and the modes in which it could be made."""
    fresh = [item for item in value_items(lead, playbook) if item not in lead.value_items_used]
    return fresh, [mode for mode in playbook.attempts.modes if mode in lead.modes and mode != lead.last_mode]


def _connector(lead: Lead) -> ConnectorAnswer:
    if lead.connectors or lead.has_connector:
        return "asked" if INTRODUCTION in {*lead.modes_tried, *(lead.modes_waived or ())} else "known"
    return "none" if lead.connector_denied else "unasked"


def card(lead: Lead, playbook: Playbook, pursuit: Pursuit, waiting: Queue, lawful: tuple[Mode, ...]) -> Card:
    """Return the card of a silent *lead* (methods.md 6.4)."""
    most = most_attempts(lead, playbook)
    value = pursuit.value_by_band[lead.value_band]
    chance = chance_left(lead.stage_depth, lead.attempts, pursuit.chance)
    minutes = minutes_left(lead.attempts, most, playbook)
    returns = _brings(lead, playbook, pursuit)
    middle = median(waiting, playbook, pursuit)
    return Card(
        value=value,
        chance=chance,
        attempts=lead.attempts,
        most=most,
        minutes_needed=minutes,
        minutes_spent=lead.minutes_invested,
        minutes_lost=lead.minutes_invested * (BASIS_POINTS - chance) // BASIS_POINTS,
        return_per_hour=returns,
        median=middle,
        queued=sum(alike.leads for alike in waiting.alike),
        grounds=(*_grounds(lead, most, returns, middle, pursuit), *_crowded_out(lead, most, returns, waiting)),
        next_lead=waiting.next_lead,
        checklist=checklist(lead, playbook, lawful),
    )


def _grounds(lead: Lead, most: int, returns: int, middle: int | None, pursuit: Pursuit) -> tuple[Ground, ...]:
    if lead.attempts < pursuit.propose_after:
        return ()
    found: list[Ground] = []
    if middle is not None and returns < middle:
        found.append("below_the_queue")
    if lead.attempts >= most:
        found.append("attempts_spent")
    if lead.importance is not None and lead.importance <= pursuit.low_importance:
        found.append("low_importance")
    return tuple(found)


def _crowded_out(lead: Lead, most: int, returns: int, waiting: Queue) -> tuple[Ground, ...]:
    """Return the ground of a lead that brings least where more are owed an attempt than the days hold, however few it had."""
    if not waiting.owed or lead.attempts >= most:
        return ()
    over = sum(owed.leads for owed in waiting.owed) - (waiting.room or 0)
    less = sum(owed.leads for owed in waiting.owed if owed.return_per_hour < returns)
    return ("over_capacity",) if less < over else ()


def chance_left(stage_depth: int, unanswered: int, weights: ReturnWeights) -> int:
    """Return the chance of a sale after so many unanswered attempts, in basis points, rounded down once."""
    whole: int = BASIS_POINTS**unanswered
    left: int = weights.by_stage[stage_depth] * weights.per_unanswered**unanswered
    return left // whole


def minutes_left(attempts: int, most: int, playbook: Playbook) -> int:
    """Return the rep time of the steps that are left to a silent lead, at least 1: its attempts, and the breakup."""
    costs = playbook.capacity.minutes
    return max(1, max(0, most - attempts) * costs.follow_up + costs.breakup)


def minutes_of_queued(most: int, playbook: Playbook) -> int:
    """Return the rep time of all steps of a lead that waits: its first touch, its later attempts, and the breakup."""
    costs = playbook.capacity.minutes
    first = costs.note + costs.call if playbook.first_touch == "handwritten_note" else costs.follow_up
    return max(1, first + (most - 1) * costs.follow_up + costs.breakup)


def median(waiting: Queue, playbook: Playbook, pursuit: Pursuit) -> int | None:
    """Return the return per hour in the middle of the queue, of an even number the mean of the two rounded down."""
    returns = sorted(
        (
            return_per_hour(
                pursuit.value_by_band[alike.value_band],
                alike.stage_depth,
                0,
                minutes_of_queued(_budget(playbook, important=alike.important), playbook),
                pursuit.chance,
            ),
            alike.leads,
        )
        for alike in waiting.alike
    )
    total = sum(leads for _, leads in returns)
    if not total:
        return None
    return (_nth(returns, (total - 1) // 2) + _nth(returns, total // 2)) // 2


def _nth(returns: list[tuple[int, int]], index: int) -> int:
    for each, leads in returns:
        index -= leads
        if index < 0:
            return each
    raise IndexError("the queue is shorter than its count")
