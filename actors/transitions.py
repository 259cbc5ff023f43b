"""The transitions as Dramatiq actors, one each. All are thin: the row in ``messages`` says what to do, and `_apply` does it.

The six that everybody names come first. Each takes ids only: *message* and *stream* as UUID strings, and *ring*, how often the
message has been rung. Start workers with ``thaw worker``, or with ``dramatiq service.worker:broker``.
"""

from functools import partial
from uuid import UUID

import dramatiq
import structlog
from dramatiq.middleware import CurrentMessage

from actors.broker import QUEUE, broker
from actors.runtime import current
from models.database import DatabaseUnavailableError
from models.messages import Ring

transition = partial(dramatiq.actor, broker=broker, queue_name=QUEUE, max_retries=0)

log = structlog.get_logger()


def _apply(actor_name: str, message: str, stream: str, ring: int) -> None:
    """Apply one message together with those that wait; return, and so acknowledge, once that is committed."""
    carried = CurrentMessage.get_current_message()
    correlation_id = carried.options.get("correlation_id", message) if carried else message
    try:
        current().committer.apply(Ring(UUID(message), UUID(stream), actor_name, UUID(correlation_id), ring))
    except DatabaseUnavailableError as error:
        # Acknowledged all the same: the row is unsettled, so the clock rings it again when PostgreSQL is back.
        log.error("database_unavailable", error=str(error))


@transition
def decline(message: str, stream: str, ring: int = 1) -> None:
    """The prospect said no, held, cancelled or went silent."""
    _apply("decline", message, stream, ring)


@transition
def note_sent(message: str, stream: str, ring: int = 1) -> None:
    """The rep posted the hand-written note; the call is promised."""
    _apply("note_sent", message, stream, ring)


@transition
def call_due(message: str, stream: str, ring: int = 1) -> None:
    """The promised day has come."""
    _apply("call_due", message, stream, ring)


@transition
def no_response(message: str, stream: str, ring: int = 1) -> None:
    """An attempt went unanswered, or a next step lapsed."""
    _apply("no_response", message, stream, ring)


@transition
def breakup_sent(message: str, stream: str, ring: int = 1) -> None:
    """Voicemail and mail are out; the next move is the prospect's."""
    _apply("breakup_sent", message, stream, ring)


@transition
def nurture(message: str, stream: str, ring: int = 1) -> None:
    """Long-term value touches begin."""
    _apply("nurture", message, stream, ring)


@transition
def breakup_email_sent(message: str, stream: str, ring: int = 1) -> None:
    """The second half of a breakup is done."""
    _apply("breakup_email_sent", message, stream, ring)


@transition
def breakup_voicemail_left(message: str, stream: str, ring: int = 1) -> None:
    """The first half of a breakup is done."""
    _apply("breakup_voicemail_left", message, stream, ring)


@transition
def calendar_frozen(message: str, stream: str, ring: int = 1) -> None:
    """A rep's working calendar is put in force."""
    _apply("calendar_frozen", message, stream, ring)


@transition
def call_connected(message: str, stream: str, ring: int = 1) -> None:
    """A two-way conversation took place."""
    _apply("call_connected", message, stream, ring)


@transition
def call_promise_expired(message: str, stream: str, ring: int = 1) -> None:
    """The promise is stale; a fresh note is needed."""
    _apply("call_promise_expired", message, stream, ring)


@transition
def call_promise_missed(message: str, stream: str, ring: int = 1) -> None:
    """The promised call is late."""
    _apply("call_promise_missed", message, stream, ring)


@transition
def call_rescheduled(message: str, stream: str, ring: int = 1) -> None:
    """A call moves to another day."""
    _apply("call_rescheduled", message, stream, ring)


@transition
def call_scheduled(message: str, stream: str, ring: int = 1) -> None:
    """A call gets its slot in the follow-up class."""
    _apply("call_scheduled", message, stream, ring)


@transition
def channel_opted_out(message: str, stream: str, ring: int = 1) -> None:
    """The person wants no contact in one mode."""
    _apply("channel_opted_out", message, stream, ring)


@transition
def playbook_migrated(message: str, stream: str, ring: int = 1) -> None:
    """The lead follows another published version of a playbook."""
    _apply("playbook_migrated", message, stream, ring)


@transition
def connector_introduced(message: str, stream: str, ring: int = 1) -> None:
    """Someone who knows the prospect was named."""
    _apply("connector_introduced", message, stream, ring)


@transition
def connector_denied(message: str, stream: str, ring: int = 1) -> None:
    """Nobody is known who knows the prospect."""
    _apply("connector_denied", message, stream, ring)


@transition
def introduction_requested(message: str, stream: str, ring: int = 1) -> None:
    """A connector was asked for an introduction."""
    _apply("introduction_requested", message, stream, ring)


@transition
def mode_waived(message: str, stream: str, ring: int = 1) -> None:
    """A pursuit does without a mode."""
    _apply("mode_waived", message, stream, ring)


@transition
def nurture_touch_skipped(message: str, stream: str, ring: int = 1) -> None:
    """A month goes by without its value touch, for a reason."""
    _apply("nurture_touch_skipped", message, stream, ring)


@transition
def consent_regranted(message: str, stream: str, ring: int = 1) -> None:
    """Contact is allowed again, with evidence."""
    _apply("consent_regranted", message, stream, ring)


@transition
def contact_updated(message: str, stream: str, ring: int = 1) -> None:
    """The contact's data changed."""
    _apply("contact_updated", message, stream, ring)


@transition
def cut_bait_confirmed(message: str, stream: str, ring: int = 1) -> None:
    """A person decided on the cut-bait card."""
    _apply("cut_bait_confirmed", message, stream, ring)


@transition
def day_planned(message: str, stream: str, ring: int = 1) -> None:
    """A rep's day is planned."""
    _apply("day_planned", message, stream, ring)


@transition
def dropped(message: str, stream: str, ring: int = 1) -> None:
    """The lead is cut loose."""
    _apply("dropped", message, stream, ring)


@transition
def merged(message: str, stream: str, ring: int = 1) -> None:
    """The lead is a duplicate of another, which goes on alone."""
    _apply("merged", message, stream, ring)


@transition
def duplicate_taken_in(message: str, stream: str, ring: int = 1) -> None:
    """Another lead was merged into this one."""
    _apply("duplicate_taken_in", message, stream, ring)


@transition
def erased(message: str, stream: str, ring: int = 1) -> None:
    """All personal data of the lead goes, for good."""
    _apply("erased", message, stream, ring)


@transition
def held(message: str, stream: str, ring: int = 1) -> None:
    """The timers freeze."""
    _apply("held", message, stream, ring)


@transition
def hold_review_due(message: str, stream: str, ring: int = 1) -> None:
    """A hold without an end has lasted long."""
    _apply("hold_review_due", message, stream, ring)


@transition
def homework_completed(message: str, stream: str, ring: int = 1) -> None:
    """The account was researched."""
    _apply("homework_completed", message, stream, ring)


@transition
def importance_answered(message: str, stream: str, ring: int = 1) -> None:
    """How important this sale is."""
    _apply("importance_answered", message, stream, ring)


@transition
def consent_expired(message: str, stream: str, ring: int = 1) -> None:
    """The consent to mail that a purchase or an inquiry implied is over."""
    _apply("consent_expired", message, stream, ring)


@transition
def law_recorded(message: str, stream: str, ring: int = 1) -> None:
    """What contact law asks about the person was answered."""
    _apply("law_recorded", message, stream, ring)


@transition
def mail_bounced(message: str, stream: str, ring: int = 1) -> None:
    """A mail came back."""
    _apply("mail_bounced", message, stream, ring)


@transition
def mail_queued(message: str, stream: str, ring: int = 1) -> None:
    """A mail was checked and waits to be sent."""
    _apply("mail_queued", message, stream, ring)


@transition
def mail_reported(message: str, stream: str, ring: int = 1) -> None:
    """What came of a mail is known."""
    _apply("mail_reported", message, stream, ring)


@transition
def meeting_booked(message: str, stream: str, ring: int = 1) -> None:
    """A meeting is in the calendar."""
    _apply("meeting_booked", message, stream, ring)


@transition
def meeting_outcome_missed(message: str, stream: str, ring: int = 1) -> None:
    """Nobody said what came of the meeting."""
    _apply("meeting_outcome_missed", message, stream, ring)


@transition
def note_returned(message: str, stream: str, ring: int = 1) -> None:
    """The note came back; the promise is void."""
    _apply("note_returned", message, stream, ring)


@transition
def note_scheduled(message: str, stream: str, ring: int = 1) -> None:
    """A note and its call get their slots."""
    _apply("note_scheduled", message, stream, ring)


@transition
def note_slot_released(message: str, stream: str, ring: int = 1) -> None:
    """The note was not written in time."""
    _apply("note_slot_released", message, stream, ring)


@transition
def nurture_floor_reached(message: str, stream: str, ring: int = 1) -> None:
    """The longest allowed silence is over."""
    _apply("nurture_floor_reached", message, stream, ring)


@transition
def nurture_touch_due(message: str, stream: str, ring: int = 1) -> None:
    """The month's value touch is owed."""
    _apply("nurture_touch_due", message, stream, ring)


@transition
def nurture_touch_sent(message: str, stream: str, ring: int = 1) -> None:
    """A value touch went out."""
    _apply("nurture_touch_sent", message, stream, ring)


@transition
def offer_recorded(message: str, stream: str, ring: int = 1) -> None:
    """Solution and benefit are agreed on."""
    _apply("offer_recorded", message, stream, ring)


@transition
def opted_out(message: str, stream: str, ring: int = 1) -> None:
    """The person wants no contact at all."""
    _apply("opted_out", message, stream, ring)


@transition
def qualified(message: str, stream: str, ring: int = 1) -> None:
    """Whether the lead was good to begin with."""
    _apply("qualified", message, stream, ring)


@transition
def re_engaged(message: str, stream: str, ring: int = 1) -> None:
    """A meeting took place."""
    _apply("re_engaged", message, stream, ring)


@transition
def reason_recorded(message: str, stream: str, ring: int = 1) -> None:
    """A stated or real reason is known."""
    _apply("reason_recorded", message, stream, ring)


@transition
def reassigned(message: str, stream: str, ring: int = 1) -> None:
    """Another rep owns the lead."""
    _apply("reassigned", message, stream, ring)


@transition
def register(message: str, stream: str, ring: int = 1) -> None:
    """A lead becomes known."""
    _apply("register", message, stream, ring)


@transition
def released(message: str, stream: str, ring: int = 1) -> None:
    """The timers run again."""
    _apply("released", message, stream, ring)


@transition
def reply_received(message: str, stream: str, ring: int = 1) -> None:
    """The prospect wrote or rang first."""
    _apply("reply_received", message, stream, ring)


@transition
def response_window_closed(message: str, stream: str, ring: int = 1) -> None:
    """Nobody answered within the window."""
    _apply("response_window_closed", message, stream, ring)


@transition
def revival_queued(message: str, stream: str, ring: int = 1) -> None:
    """The lead waits for capacity."""
    _apply("revival_queued", message, stream, ring)


@transition
def strategy_recorded(message: str, stream: str, ring: int = 1) -> None:
    """There is a strategy for this account."""
    _apply("strategy_recorded", message, stream, ring)


@transition
def timer_fired(message: str, stream: str, ring: int = 1) -> None:
    """A timer of another release fired; it is answered, and does nothing."""
    _apply("timer_fired", message, stream, ring)


@transition
def touch_scheduled(message: str, stream: str, ring: int = 1) -> None:
    """A touch in another mode gets its slot in the follow-up class."""
    _apply("touch_scheduled", message, stream, ring)


@transition
def touch_sent(message: str, stream: str, ring: int = 1) -> None:
    """A touch in another mode went out."""
    _apply("touch_sent", message, stream, ring)


@transition
def won(message: str, stream: str, ring: int = 1) -> None:
    """The deal was won."""
    _apply("won", message, stream, ring)


@transition
def history_opened(message: str, stream: str, ring: int = 1) -> None:
    """Somebody read the history of an account."""
    _apply("history_opened", message, stream, ring)


@transition
def why_asked(message: str, stream: str, ring: int = 1) -> None:
    """They were asked why they said no."""
    _apply("why_asked", message, stream, ring)


@transition
def opportunity_uncovered(message: str, stream: str, ring: int = 1) -> None:
    """A conversation showed that there is something to sell."""
    _apply("opportunity_uncovered", message, stream, ring)


@transition
def need_anticipated(message: str, stream: str, ring: int = 1) -> None:
    """Something that they will need was foreseen."""
    _apply("need_anticipated", message, stream, ring)


@transition
def decline_reviewed(message: str, stream: str, ring: int = 1) -> None:
    """A no was looked at again."""
    _apply("decline_reviewed", message, stream, ring)
