"""The actor that talks to the world: mail, on a queue of its own, started only by messages that a decision staged."""

from uuid import UUID

import dramatiq
import structlog
from dramatiq.middleware import CurrentMessage

from actors.broker import DELIVERIES_QUEUE, broker
from actors.runtime import current
from models.database import ModelError
from models.messages import Ring

#: Above all that a conversation may take, in milliseconds; a mail server may think for a minute.
TIME_LIMIT_MS = 300_000

log = structlog.get_logger()


@dramatiq.actor(broker=broker, queue_name=DELIVERIES_QUEUE, max_retries=0, time_limit=TIME_LIMIT_MS)
def mail_sending(message: str, stream: str, ring: int = 1) -> None:
    """A mail goes out, if it still may."""
    carried = CurrentMessage.get_current_message()
    correlation_id = carried.options.get("correlation_id", message) if carried else message
    runtime = current()
    try:
        runtime.deliverer.deliver(Ring(UUID(message), UUID(stream), "mail_sending", UUID(correlation_id), ring))
    except ModelError as error:
        # Acknowledged all the same: the row is unsettled, so the clock rings it again.
        log.error("mail_put_off", error=str(error))
