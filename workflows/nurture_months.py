"""Keeping in touch month by month: what was sent in each calendar month, or the recorded reason why nothing was (A3-4)."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Literal

import msgspec

from workflows import events as e
from workflows.fold import fold
from workflows.lead import Lead
from workflows.pursuit_events import NurtureTouchSkipped

Why = Literal[
    "sent", "skipped", "account_not_studied", "no_permitted_mode", "not_sent", "sent_late", "on_hold", "began", "left",
    "not_over", "unexplained",
]  # fmt: skip


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One calendar month of a lead in nurture."""

    month: str
    """Such as ``2026-05``."""
    why: Why
    detail: str = ""
    """What was sent, or the reason for which a touch was left out."""


class _Kept(msgspec.Struct, kw_only=True):
    sent: dict[int, str]
    skipped: dict[int, str]
    gaps: dict[int, Why]
    stays: list[list[int | None]]
    held: list[list[int | None]]
    owed: int | None = None
    """The month of the touch that is owed."""


def nurture_months(history: Iterable[e.Recorded], now: datetime, zone: tzinfo) -> list[Month]:
    """Return every calendar month that had a day in nurture, oldest first, by the clock in *zone*.

    A month that is ``unexplained`` would be one in which somebody was forgotten.
    """

    def number(moment: datetime) -> int:
        day = moment.astimezone(zone)
        return day.year * 12 + day.month - 1

    kept, lead = _Kept(sent={}, skipped={}, gaps={}, stays=[], held=[]), None
    for recorded in history:
        before, lead = lead, fold(lead, recorded)
        _take(kept, before, lead, recorded, number(recorded.occurred_at))
    this = number(now)
    covered = sorted({month for begin, end in kept.stays for month in range(begin or 0, (this if end is None else end) + 1)})
    return [_month(kept, month, this) for month in covered]


def _take(kept: _Kept, before: Lead | None, lead: Lead, recorded: e.Recorded, month: int) -> None:
    data = recorded.data
    owed = kept.owed
    if isinstance(data, e.NurtureTouchSent):
        kept.sent[month], kept.owed = data.asset, None
        if owed is not None and owed < month:
            kept.gaps[owed] = "sent_late"
    elif isinstance(data, NurtureTouchSkipped):
        kept.skipped[month if owed is None else owed], kept.owed = data.reason, None
    elif isinstance(data, e.NurtureTouchDue):
        kept.owed = month
        if data.gap and owed is not None:
            kept.gaps[owed] = data.gap
    elif lead.state != "nurture" and owed is not None:
        kept.gaps[owed], kept.owed = "left", None
    for spans, was, is_ in (
        (kept.stays, before is not None and before.state == "nurture", lead.state == "nurture"),
        (kept.held, before is not None and before.hold is not None, lead.hold is not None),
    ):
        if is_ and not was:
            spans.append([month, None])
        elif was and not is_:
            spans[-1][1] = month


def _month(kept: _Kept, month: int, this: int) -> Month:
    name = f"{month // 12:04}-{month % 12 + 1:02}"
    if month in kept.sent:
        return Month(month=name, why="sent", detail=kept.sent[month])
    if month in kept.skipped:
        return Month(month=name, why="skipped", detail=kept.skipped[month])
    why: Why = "unexplained"
    if month in kept.gaps:
        why = kept.gaps[month]
    elif any(begin is not None and begin <= month <= (this if end is None else end) for begin, end in kept.held):
        why = "on_hold"
    elif any(begin == month for begin, _ in kept.stays):
        why = "began"
    elif any(end == month for _, end in kept.stays):
        why = "left"
    elif month == this:
        why = "not_over"
    return Month(month=name, why=why)
