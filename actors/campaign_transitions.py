"""The transitions of campaigns and of sales events as Dramatiq actors, one each; see `actors.transitions`."""

from actors.transitions import _apply, transition


@transition
def approval_revoked(message: str, stream: str, ring: int = 1) -> None:
    """A host takes back that observers may come."""
    _apply("approval_revoked", message, stream, ring)


@transition
def audience_drawn(message: str, stream: str, ring: int = 1) -> None:
    """The whole log is asked who belongs to a campaign's audience."""
    _apply("audience_drawn", message, stream, ring)


@transition
def campaign_planned(message: str, stream: str, ring: int = 1) -> None:
    """A campaign begins."""
    _apply("campaign_planned", message, stream, ring)


@transition
def campaign_started(message: str, stream: str, ring: int = 1) -> None:
    """A campaign's letters leave from here on."""
    _apply("campaign_started", message, stream, ring)


@transition
def company_excluded(message: str, stream: str, ring: int = 1) -> None:
    """A host does not want observers from a company."""
    _apply("company_excluded", message, stream, ring)


@transition
def event_cancelled(message: str, stream: str, ring: int = 1) -> None:
    """A sales event does not take place."""
    _apply("event_cancelled", message, stream, ring)


@transition
def event_described(message: str, stream: str, ring: int = 1) -> None:
    """A sales event gets its brief description."""
    _apply("event_described", message, stream, ring)


@transition
def event_invitation_sent(message: str, stream: str, ring: int = 1) -> None:
    """A campaign's letter leaves for one person."""
    _apply("event_invitation_sent", message, stream, ring)


@transition
def event_listed(message: str, stream: str, ring: int = 1) -> None:
    """A campaign's letters name a sales event."""
    _apply("event_listed", message, stream, ring)


@transition
def event_rsvp_received(message: str, stream: str, ring: int = 1) -> None:
    """Somebody answers about an event."""
    _apply("event_rsvp_received", message, stream, ring)


@transition
def event_texts_erased(message: str, stream: str, ring: int = 1) -> None:
    """What people wrote about a sales event is removed."""
    _apply("event_texts_erased", message, stream, ring)


@transition
def event_withdrawn(message: str, stream: str, ring: int = 1) -> None:
    """Letters named an event that may not be attended any more."""
    _apply("event_withdrawn", message, stream, ring)


@transition
def invitee_told(message: str, stream: str, ring: int = 1) -> None:
    """Somebody who was invited knows that the event was withdrawn."""
    _apply("invitee_told", message, stream, ring)


@transition
def letter_recorded(message: str, stream: str, ring: int = 1) -> None:
    """A campaign hears what became of one letter."""
    _apply("letter_recorded", message, stream, ring)


@transition
def letters_released(message: str, stream: str, ring: int = 1) -> None:
    """A day's letters may leave."""
    _apply("letters_released", message, stream, ring)


@transition
def observers_approved(message: str, stream: str, ring: int = 1) -> None:
    """A host agrees to outside observers."""
    _apply("observers_approved", message, stream, ring)


@transition
def sales_event_announced(message: str, stream: str, ring: int = 1) -> None:
    """A sales event becomes known."""
    _apply("sales_event_announced", message, stream, ring)


@transition
def seat_given_back(message: str, stream: str, ring: int = 1) -> None:
    """A seat at a sales event is free again."""
    _apply("seat_given_back", message, stream, ring)


@transition
def seat_lost(message: str, stream: str, ring: int = 1) -> None:
    """A campaign hears that somebody has no seat any more."""
    _apply("seat_lost", message, stream, ring)


@transition
def seat_taken(message: str, stream: str, ring: int = 1) -> None:
    """Somebody wants a seat at a sales event."""
    _apply("seat_taken", message, stream, ring)


@transition
def stage_moved(message: str, stream: str, ring: int = 1) -> None:
    """The CRM says how far the sale has come."""
    _apply("stage_moved", message, stream, ring)


@transition
def cold_proposed(message: str, stream: str, ring: int = 1) -> None:
    """An open deal stands still."""
    _apply("cold_proposed", message, stream, ring)
