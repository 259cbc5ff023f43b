"""What a restored backup brought back of what was erased: the ledger held against the database, at each start."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from models import erasure
from models.database import Engine, ModelError, transaction
from models.erasure import Standing, TextsStanding
from service.ledger import Entry, Ledger
from service.settings import Settings
from service.wording import count


class ErasuresPendingError(ModelError):
    """What was erased is back in the database; the message names the command that erases it again."""


def compare(engine: Engine, entries: dict[UUID, Entry]) -> dict[UUID, Standing]:
    """Return how the leads of *entries* stand in the database."""
    with transaction(engine) as connection:
        return erasure.standings(connection, entries)


def compare_texts(engine: Engine, entries: Sequence[Entry]) -> list[tuple[Entry, TextsStanding]]:
    """Return how the erasures of sales events' texts in *entries* stand in the database."""
    with transaction(engine) as connection:
        return [
            (
                entry,
                erasure.texts_standing(
                    connection,
                    entry.line.lead_id,
                    message_id=entry.line.message_id,
                    receipt=bytes.fromhex(entry.line.event),
                ),
            )
            for entry in entries
        ]


def is_back(entry: Entry, standing: TextsStanding) -> bool:
    """Tell whether there are texts to erase again; what still waits is the workers'."""
    return not standing.receipt and standing.left and (entry.done or standing.asked is None)


def refuse_if_pending(settings: Settings, engine: Engine) -> None:
    """Do nothing when all whom the ledger knows to be erased are erased here; note the receipts of those that it lacks.

    Raises
    ------
    ErasuresPendingError
        When some are back: the database was restored from before their erasure, or that never came to its end.
    LedgerError
        When the ledger cannot be read or written.
    """
    ledger = Ledger(settings)
    entries = ledger.entries()
    standings = compare(engine, entries) if entries else {}
    if any(standings[lead_id].erased_at and not entry.done for lead_id, entry in entries.items()):
        complete(ledger, engine)
    back = sum(standing.is_back for standing in standings.values())
    texts = ledger.texts()
    compared = compare_texts(engine, texts) if texts else []
    if any(not entry.done and standing.asked not in (None, "waits", "dead") for entry, standing in compared):
        complete(ledger, engine)
    events = len({entry.line.lead_id for entry, standing in compared if is_back(entry, standing)})
    written = f"what was written about {count(events, 'sales event')}"
    restored = (
        "it was restored from an older backup, or an erasure was interrupted. Nothing is served until `thaw erasures reapply` "
        "has seen to it"
    )
    if events and not back:
        raise ErasuresPendingError(f"{written} and erased, as {ledger.path} says, is in this database again: {restored}")
    if back:
        people = "person whose erasure stands" if back == 1 else "people whose erasures stand"
        raise ErasuresPendingError(
            f"{back} {people} in {ledger.path} {'is' if back == 1 else 'are'} in this database"
            f"{f', and {written} and erased' if events else ''}: {restored}"
        )


def complete(ledger: Ledger, engine: Engine) -> int:
    """Note the receipts of all erasures in the database that the ledger lacks; return how many there were."""
    with ledger.writing() as book, transaction(engine) as connection:
        entries = book.entries()
        lacking = [
            receipt
            for lead_id, receipt in erasure.receipts(connection).items()
            if lead_id not in entries or entries[lead_id].line.event != receipt.hash.hex()
        ]
        known = book.receipts()
        lacking += [receipt for receipt in erasure.texts_receipts(connection) if receipt.hash.hex() not in known]
        for receipt in lacking:
            book.close_with(receipt)
        for entry in book.texts():
            line = entry.line
            standing = erasure.texts_standing(connection, line.lead_id, message_id=line.message_id, receipt=b"")
            if not entry.done and not standing.receipt and standing.asked not in (None, "waits", "dead"):
                book.append(msgspec.structs.replace(line, kind="withdrawn"))
    return len(lacking)
