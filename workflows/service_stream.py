"""The service's own stream: the heads of all streams, and what operators did. It is no lead's, and no message carries it."""

from datetime import datetime
from uuid import UUID

from workflows.codec import derived_id
from workflows.events import SCHEMA, Effects, HeadsRecorded, Recorded
from workflows.operations import Operation

#: The stream of the service itself.
SERVICE_ID = derived_id("service")


def service_event(
    data: HeadsRecorded | Operation, version: int, *, now: datetime, actor: str, correlation_id: UUID | None = None
) -> Recorded:
    """Return *data* as the event *version* of the service's own stream, recorded at *now* for *actor*.

    Its message id is derived from its place, so that there is one event of that version at most.
    """
    message_id = derived_id(SERVICE_ID, version)
    return Recorded(
        stream_id=SERVICE_ID,
        version=version,
        schema=SCHEMA,
        occurred_at=now,
        recorded_at=now,
        message_id=message_id,
        actor=actor,
        correlation_id=correlation_id or message_id,
        causation_id=None,
        playbook=None,
        row=None,
        state="service",
        effects=Effects(),
        data=data,
        command=None,
        used=None,
    )
