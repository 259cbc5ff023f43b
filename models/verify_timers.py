"""Does every timer that acts on its own have its message, and does that say what its stream waits for? Design invariant 4."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from models.findings import Finding
from models.timers import messages_of, pending
from workflows.lead import RESTING, State, Timer


class Waiting(NamedTuple):
    """A stream with its timers."""

    id: UUID
    state: State | None
    """Of a lead; None for other streams, which need not wait for anything."""
    timers: Mapping[str, Timer]


def verify_timers(connection: Connection, streams: Sequence[Waiting]) -> Iterator[Finding]:
    """Yield the streams that are forgotten, and the messages of timers that are not what their streams wait for."""
    expected = {stream.id: messages_of(stream.id, stream.timers) for stream in streams}
    found = pending(connection, [message for messages in expected.values() for message in messages])
    for stream in streams:
        messages = expected[stream.id]
        missing = [message.timer for message in messages if message.id not in found]
        if missing:
            sentence = f"{stream.id} has no pending message for {', '.join(sorted(missing))}"
            yield Finding("forgotten", None, stream.id, sentence)
        elif stream.state not in RESTING and stream.state is not None and not messages:
            yield Finding("forgotten", None, stream.id, f"lead {stream.id} is {stream.state} and no timer moves it on")
        for message in messages:
            if how := found.get(message.id):
                sentence = (
                    f"the message {message.id} of the timer {message.timer} of {stream.id} {how}: `thaw rebuild` makes it anew"
                )
                yield Finding("timer_differs", None, stream.id, sentence)
