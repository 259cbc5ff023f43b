"""Log lines of a worker carry the ids of the message that they belong to."""

from typing import Any

import dramatiq
from dramatiq.middleware import Middleware
from structlog.contextvars import bind_contextvars, clear_contextvars

_BOUND = ("correlation_id",)


class Correlation(Middleware):
    """Bind message, lead, actor and correlation ids to structlog's context while a message is processed."""

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        """Bind the ids."""
        clear_contextvars()
        bind_contextvars(
            message_id=message.message_id,
            actor=message.actor_name,
            lead_id=message.kwargs.get("stream"),
            ring=message.kwargs.get("ring"),
            **{key: message.options[key] for key in _BOUND if key in message.options},
        )

    def after_process_message(
        self, broker: dramatiq.Broker, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Unbind them."""
        clear_contextvars()

    def after_skip_message(self, broker: dramatiq.Broker, message: Any) -> None:
        """Unbind them."""
        clear_contextvars()
