"""The two halves of a merge, of which somebody with all rights on the database changes or removes one."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import text

from models.database import Connection
from models.verify_beside import verify_beside
from models.verify_merges import verify_merges
from tests.desk import Desk
from workflows.commands import EraseLead, OptOut, Reference
from workflows.merge_commands import MergeLead

WORDS = Reference(document_id=UUID(int=7), commitment="a" * 64)


class Merged:
    """A desk with one duplicate that was taken in, and one that is on its way to the same lead."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.lead, self.duplicate, self.coming, self.other = desk.queued(4)
        desk.do(self.duplicate, OptOut(channel="email"))
        desk.do(self.duplicate, MergeLead(into=self.lead), who="manager:ann")
        desk.committer.apply_all(desk.submit(self.coming, MergeLead(into=self.lead), who="manager:ann"))

    def found(self, *statements: str) -> list[str]:
        """Return what is found after *statements*, which are taken back, and see that each half finds it by itself."""
        with self.desk.engine.connect() as connection, tampered(connection, *statements):
            found = list(verify_merges(connection))
            assert all(each in verify_beside(connection) for each in found)
            alone = [list(verify_merges(connection, [each])) for each in (self.lead, self.duplicate, self.coming)]
        assert sorted(found) == sorted(each for some in alone for each in some)
        assert {"merge_differs"} >= {each.code for each in found}
        return [each.sentence.partition("): ")[2] for each in found]


@contextmanager
def tampered(connection: Connection, *statements: str) -> Iterator[None]:
    """Do what nobody may, and take it back at the end of the block."""
    savepoint = connection.begin_nested()
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        assert connection.exec_driver_sql(statement).rowcount, statement
    yield
    savepoint.rollback()


@pytest.fixture
def merged(desk: Desk) -> Merged:
    return Merged(desk)


def test_a_merge_of_which_the_message_waits_is_whole(merged: Merged) -> None:
    """Or is dead: it can be tried again. So is one that was taken in, and one that was refused because of an erasure."""
    assert [] == merged.found()
    dead = (
        "UPDATE messages SET outcome = 'dead', settled_at = now() WHERE actor_name = 'duplicate_taken_in' AND outcome IS NULL"
    )
    assert [] == merged.found(dead)
    merged.desk.committer.apply_all(merged.desk.submit(merged.lead, EraseLead(reason=WORDS), who="operator:pia"))
    assert [] == merged.found()
    merged.desk.work()
    assert [] == merged.found()
    refused = f"DELETE FROM events WHERE type = 'command_refused' AND stream_id = '{merged.lead}'"
    assert [f"lead {merged.lead} never took it in, and no message says that it will"] == merged.found(refused)


def test_a_duplicate_that_was_never_taken_in_is_found(merged: Merged) -> None:
    """The event is gone, with its message or without; or the message that was to bring it."""
    gone = f"DELETE FROM events WHERE type = 'duplicate_taken_in' AND stream_id = '{merged.lead}'"
    message = "DELETE FROM messages WHERE actor_name = 'duplicate_taken_in' AND outcome IS {} NULL"
    never = f"lead {merged.lead} never took it in, and no message says that it will"
    assert [never] == merged.found(gone)
    assert [never] == merged.found(gone, message.format("NOT"))
    assert [never] == merged.found(message.format(""))
    elsewhere = f"UPDATE events SET body = replace(body, '{merged.lead}', '{merged.other}') WHERE type = 'lead_merged'"
    assert sorted(merged.found(elsewhere)) == sorted(
        [
            *[f"lead {merged.other} never took it in, and no message says that it will"] * 2,
            f"the history of {merged.duplicate} says otherwise",
        ]
    )


def test_a_duplicate_that_never_said_so_is_found(merged: Merged) -> None:
    """Its merge is gone, or was told otherwise than it was taken in."""
    gone = f"DELETE FROM events WHERE type = 'lead_merged' AND stream_id = '{merged.duplicate}'"
    assert [f"the history of {merged.duplicate} knows of no such merge"] == merged.found(gone)
    for type_ in ("lead_merged", "duplicate_taken_in"):
        told = f"UPDATE events SET body = replace(body, '\"won\":false', '\"won\":true') WHERE type = '{type_}'"
        assert [f"the history of {merged.duplicate} says otherwise"] == merged.found(told)


def test_a_body_that_cannot_be_read_is_no_half(merged: Merged) -> None:
    """The chain names it; here nothing of it is known."""
    torn = "UPDATE events SET body = '{' || body WHERE type = 'duplicate_taken_in'"
    assert [f"lead {merged.lead} never took it in, and no message says that it will"] == merged.found(torn)
