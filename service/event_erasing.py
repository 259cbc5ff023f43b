"""Erasing what was written about a sales event: noted in the ledger, and repeated where a restored backup brought it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import msgspec

from actors.submit import Submission, stage
from models import erasure, messages
from models.database import DatabaseUnavailableError, transaction
from models.erasure import Receipt
from models.messages import Ring
from service.erasing import TRIES, Erased
from service.ledger import Entry, Ledger, Line, first_erased_at
from service.restored import compare_texts, is_back
from service.wiring import Service
from workflows.campaign_commands import EraseEventTexts
from workflows.campaign_events import EventTextsErased
from workflows.codec import derived_id

#: Told what is to be staged and when, within the transaction that stages it.
Note = Callable[[Submission, datetime], None]


@contextmanager
def noting(service: Service, message_id: UUID) -> Iterator[Note]:
    """Yield what notes the intention to erase in the ledger; behind the block, note what came of it so far.

    A worker may be slower than whoever waits for it: then the next start notes the receipt.
    """
    ledger = Ledger(service.settings)
    noted: list[Line] = []

    def note(submission: Submission, now: datetime) -> None:
        command = submission.command
        if not isinstance(command, EraseEventTexts):
            raise TypeError(f"{type(command).__name__} erases nothing that was written about an event")
        stream_id = submission.stream_id
        line = Line(of="event", kind="intended", lead_id=stream_id, message_id=message_id, at=now, reason=command.reason)
        # Before the commit: should this process end right behind it, the next start knows what to look for.
        with ledger.writing() as book:
            book.append(line)
        noted.append(line)

    try:
        yield note
    except DatabaseUnavailableError:
        # Nobody knows on which side of the commit: the intention stands.
        raise
    except BaseException:
        _end(service, ledger, noted)
        raise
    _end(service, ledger, noted)


def _end(service: Service, ledger: Ledger, noted: list[Line]) -> None:
    """Note what became of the intentions *noted*: a receipt, or that nothing came of it; nothing while they wait."""
    for line in noted:
        with transaction(service.engine) as connection:
            message = messages.find(connection, line.message_id)
        receipt = _receipt(service, line.message_id)
        with ledger.writing() as book:
            if receipt and receipt.hash.hex() not in book.receipts():
                book.close_with(receipt)
            elif not receipt and (message is None or message.outcome not in (None, "dead")):
                book.append(msgspec.structs.replace(line, kind="withdrawn"))


def _receipt(service: Service, message_id: UUID) -> Receipt | None:
    with transaction(service.engine) as connection:
        found = erasure.texts_receipts(connection)
    return next((each for each in found if each.recorded.message_id == message_id), None)


def reapply_texts(service: Service, asked_by: str) -> list[Erased]:
    """Erase again what was written about sales events where the ledger says that it was erased and it is in this database.

    `service.erasing.reapply` has noted before what the ledger lacked. Raises as `service.erasing.erase` does.
    """
    ledger, answers = Ledger(service.settings), []
    for event_id, entry in _back(service, ledger).items():
        line = entry.line
        command = EraseEventTexts(reason=line.reason, first_erased_at=line.at)
        id_ = derived_id("erase again", event_id, line.event, line.message_id)
        with transaction(service.engine) as connection:
            (ring,) = stage(
                connection,
                [Submission(id=id_, stream_id=event_id, command=command, asked_by=asked_by)],
                now=service.now(),
            )
        answers.append(_carry_out(service, ledger, ring))
    return answers


def _back(service: Service, ledger: Ledger) -> dict[UUID, Entry]:
    """Return the newest erasure of each sales event of which texts are back."""
    compared = compare_texts(service.engine, ledger.texts())
    return {entry.line.lead_id: entry for entry, standing in compared if is_back(entry, standing)}


def _carry_out(service: Service, ledger: Ledger, ring: Ring) -> Erased:
    """Apply the command of *ring* in this process, as a worker would, and note the receipt."""
    for _ in range(TRIES):
        service.runtime.committer.apply_all([ring])
        if receipt := _receipt(service, ring.message_id):
            with ledger.writing() as book:
                book.close_with(receipt)
            return _answer(receipt)
    with transaction(service.engine) as connection:
        message = messages.find(connection, ring.message_id)
    waits = (message.reason or message.error if message else None) or "somebody else holds the event"
    return Erased(lead_id=ring.stream_id, of="event", waits=waits)


def _answer(receipt: Receipt) -> Erased:
    recorded, data = receipt.recorded, receipt.recorded.data
    assert isinstance(data, EventTextsErased)  # noqa: S101  # what a receipt holds
    return Erased(
        lead_id=recorded.stream_id,
        of="event",
        erased_at=first_erased_at(recorded.command) or recorded.recorded_at,
        position=receipt.position,
        version=recorded.version,
        hash=receipt.hash.hex(),
        documents=len(data.documents),
        reapplied=True,
    )
