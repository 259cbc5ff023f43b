"""The floor of keeping in touch: who rests or waits hears from us twice in any year, and never waits half of one (A1-12)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from workflows.events import Recorded, event_type
from workflows.lead import State
from workflows.transitions import CALL_ROWS, ROWS

#: States for which the floor holds: nobody of ours is at work on the lead just then.
FLOOR_STATES: tuple[State, ...] = ("queued", "nurture")

#: The year in which there have to be so many touches.
FLOOR_YEAR = timedelta(days=365)
FLOOR_TOUCHES = 2

#: Events by which somebody turned to the prospect, or the prospect to us.
TOUCH_EVENTS = frozenset({
    "note_sent", "call_connected", "meeting_booked", "touch_sent", "nurture_touch_sent", "breakup_voicemail_left",
    "breakup_email_sent", "reply_received", "re_engaged", "why_asked", "event_invitation_sent",
})  # fmt: skip


#: Events that a call may have led to, and something else as well; the row says which.
CALL_EVENTS = frozenset(row.event for row in ROWS if row.id in CALL_ROWS) - TOUCH_EVENTS


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """How the floor is broken for a lead at a moment."""

    since: datetime
    """From which on it was broken."""
    silent_days: int
    """Whole days since the last touch, or since the lead is known if there was none."""
    in_a_year: int
    """Touches of the last 365 days."""
    too_long: bool
    """The silence alone is too long; else there was too little in the year."""


def is_touch(recorded: Recorded) -> bool:
    """Tell whether somebody turned to the prospect with this event, or the prospect to us."""
    return event_type(recorded.data) in TOUCH_EVENTS or recorded.row in CALL_ROWS


def breach(known: datetime, touches: Iterable[datetime], now: datetime, longest_days: int) -> Breach | None:
    """Return how the floor is broken at *now* for a lead that we have known since *known*; None when it holds.

    *touches* in any order; those before *known* were somebody else's. The silence of somebody whom we never turned to counts
    from *known*, and a year is too poor once the whole of it was ours.
    """
    ours = sorted(at for at in touches if known <= at <= now)
    last, longest = ours[-1] if ours else known, timedelta(days=longest_days)
    in_a_year = sum(at > now - FLOOR_YEAR for at in ours)
    too_long = now - last > longest
    too_few = in_a_year < FLOOR_TOUCHES and now - known > FLOOR_YEAR
    if not too_long and not too_few:
        return None
    since = [last + longest] if too_long else []
    if too_few:
        since.append((ours[-FLOOR_TOUCHES] if len(ours) >= FLOOR_TOUCHES else known) + FLOOR_YEAR)
    return Breach(since=min(since), silent_days=(now - last).days, in_a_year=in_a_year, too_long=too_long)
