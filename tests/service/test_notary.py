"""The notary: a checkpoint when one is due, by one notary at a time, sent until it has arrived, and never a lie."""

import errno
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models import checkpoints, heads, tree
from models.database import Connection, transaction
from models.head_proofs import prove_from_nodes
from models.heads import Measured
from models.verify import verify
from models.verify_tree import verify_tree
from service import notary as notary_module
from service.destinations import Destination, DestinationError, FileDestination, WebhookDestination
from service.keys import KeyFileError, KeyFiles, opened, signed
from service.notary import ContradictionError, Notary
from service.settings import Settings
from tests.desk import Desk
from tests.workflows.heads_tree import HeadsTree
from workflows.heads import verify_head
from workflows.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from workflows.notes import NOTE_BYTES_MAX, Checkpoint, split_notes
from workflows.service_stream import SERVICE_ID


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    """Return key files with a key."""
    files = KeyFiles(Settings(home=str(tmp_path)))
    files.init("thaw/test")
    return files


class Shelf:
    """A destination that keeps what it gets, and fails while it is *closed*."""

    name = "file"

    def __init__(self, seconds_between: float = 0.0) -> None:
        self.seconds_between = seconds_between
        self.notes: list[str] = []
        self.closed = False

    def send(self, note: str) -> None:
        if self.closed:
            raise DestinationError("closed")
        self.notes.append(note)

    def newest(self) -> str | None:
        return self.notes[-1] if self.notes else None


def notary_of(desk: Desk, keys: KeyFiles, *destinations: Destination) -> Notary:
    return Notary(desk.service, desk.clock, keys, destinations)


def head(desk: Desk) -> int:
    position = desk.ask("SELECT position FROM log_head")[0][0]
    assert isinstance(position, int)
    return position


def test_without_a_key_nothing_is_done(desk: Desk, tmp_path: Path) -> None:
    """There is neither checkpoint nor event of the service before somebody made a key."""
    before = head(desk)
    assert notary_of(desk, KeyFiles(Settings(home=str(tmp_path)))).tick() is None
    assert before == head(desk)


def test_a_key_that_is_gone_is_no_reason_to_be_silent(desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once something was signed and something came since, the clock is to say that it signs no more."""
    desk.queued()
    notary = notary_of(desk, keys)
    assert notary.tick()
    keys.path.unlink()
    monkeypatch.setattr(notary_module, "SECONDS_MOST", 0.0)
    assert notary.tick() is None
    desk.queued()
    with pytest.raises(KeyFileError, match="thaw/test was signed with it"):
        notary.tick()


def test_a_checkpoint_commits_to_the_log_and_is_signed(desk: Desk, keys: KeyFiles) -> None:
    """The note is one of the known key, and its root proves each event of the log and nothing that is not there."""
    desk.note_due(3)
    made = notary_of(desk, keys).tick()
    assert made
    checkpoint = opened(made.note, keys.known())
    assert ("thaw/test", head(desk), made.root) == (checkpoint.origin, checkpoint.size, checkpoint.root)
    with transaction(desk.engine) as connection:
        for position, body in desk.ask("SELECT position, body FROM events"):
            assert isinstance(position, int)
            proof = tree.inclusion_proof(connection, position, made.size)
            leaf = leaf_hash(str(body).encode())
            assert verify_inclusion(position - 1, made.size, leaf, proof, made.root)
            assert not verify_inclusion(position - 1, made.size, leaf_hash(b"other"), proof, made.root)


def test_a_checkpoint_is_due_after_a_minute_or_a_thousand_events(
    desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With something new and neither passed there is none; with either there is; with nothing new there never is."""
    notary = notary_of(desk, keys)
    first = notary.tick()
    assert first
    desk.queued()
    assert notary.tick() is None
    monkeypatch.setattr(notary_module, "EVENTS_MOST", 2)
    second = notary.tick()
    assert second
    monkeypatch.setattr(notary_module, "SECONDS_MOST", 0.0)
    assert notary.tick() is None
    with transaction(desk.engine) as connection:
        proof = tree.consistency_proof(connection, first.size, second.size)
    assert verify_consistency(first.size, first.root, second.size, second.root, proof)


def test_a_clock_that_went_back_puts_off_neither_checkpoints_nor_those_who_want_one_now_and_then(
    desk: Desk, keys: KeyFiles
) -> None:
    """The last one was made, and arrived, a day ahead of PostgreSQL's clock: the next one is due at once."""
    shelf = Shelf(seconds_between=3600.0)
    notary = notary_of(desk, keys, shelf)
    assert notary.tick()
    for table, column in (("checkpoints", "made_at"), ("checkpoint_deliveries", "delivered_at")):
        desk.ask(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        desk.ask(f"UPDATE {table} SET {column} = {column} + interval '1 day'")
    desk.queued()
    made = notary.tick()
    assert made
    assert made.note == shelf.newest()
    assert 2 == len(shelf.notes)


def test_two_notaries_do_not_make_two(desk: Desk, keys: KeyFiles) -> None:
    """While another transaction holds the lock a notary makes nothing, and afterwards what is due."""
    desk.queued()
    notary = notary_of(desk, keys)
    with transaction(desk.engine) as other:
        checkpoints.lock(other, wait=True)
        assert notary.tick() is None
        assert notary.record_heads("clock", wait=False) is None
    assert notary.tick()
    assert 1 == len(desk.ask("SELECT 1 FROM checkpoints"))


@pytest.mark.parametrize("streams", [2, 80])
def test_who_waited_for_another_to_record_the_same_heads_takes_these(
    desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch, streams: int
) -> None:
    """Each size is recorded once, whether there are so many streams that nodes are kept, or not; later heads are recorded."""
    desk.queued(streams)
    notary = notary_of(desk, keys)
    positions: list[int | None] = []
    measured = heads.measured

    def overtaken(connection: Connection, size: int) -> Measured:
        found = measured(connection, size)
        if not positions:
            positions.append(None)
            positions.append(notary.record_heads("other", wait=True))
        return found

    monkeypatch.setattr(heads, "measured", overtaken)
    assert notary.record_heads("test", wait=True) == positions[1] == head(desk)
    assert notary.record_heads("test", wait=True) == head(desk) == (positions[1] or 0) + 1
    with transaction(desk.engine) as connection:
        assert [] == verify_tree(connection).findings


def test_heads_are_recorded_once_a_day_while_there_is_something_new(desk: Desk, keys: KeyFiles) -> None:
    """The first day and each later one with new events has one heads_recorded; a day without any has none."""
    notary = notary_of(desk, keys)
    recorded = "SELECT position FROM events WHERE type = 'heads_recorded' ORDER BY position"
    for _ in range(2):
        notary.tick()
        assert 1 == len(desk.ask(recorded))
    desk.clock.moment += timedelta(days=1)
    notary.tick()
    assert 1 == len(desk.ask(recorded))
    desk.queued()
    notary.tick()
    assert 2 == len(desk.ask(recorded))
    with transaction(desk.engine) as connection:
        assert [] == verify(connection).findings


def test_a_clock_that_was_ahead_leaves_neither_heads_nor_checkpoints_out(
    desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours by years, and the database's by a day: until they are there again, heads come after a thousand events, and a
    checkpoint at once.
    """
    monkeypatch.setattr(notary_module, "EVENTS_MOST", 4)
    notary, now = notary_of(desk, keys), desk.clock.moment
    desk.clock.moment = now + timedelta(days=3_000)
    assert notary.tick()
    desk.clock.moment = now
    recorded = "SELECT count(*) FROM events WHERE type = 'heads_recorded'"
    desk.queued()
    notary.tick()
    assert [(1,)] == desk.ask(recorded)
    desk.queued()
    desk.queued()
    notary.tick()
    assert [(2,)] == desk.ask(recorded)
    desk.queued()
    assert notary.tick() is None
    desk.ask(
        "SET LOCAL session_replication_role = replica; UPDATE checkpoints SET made_at = made_at + interval '1 day' RETURNING 1"
    )
    assert notary.tick()


def test_the_history_of_one_lead_is_proved_complete(desk: Desk, keys: KeyFiles) -> None:
    """From the checkpoint to the recorded heads, from these to the lead's head, and from it by hashes to its first event."""
    lead = desk.note_due(4)[2]
    desk.clock.moment += timedelta(days=1)
    made = notary_of(desk, keys).tick()
    assert made
    ((body,),) = desk.ask("SELECT body FROM events WHERE stream_id = :id AND type = 'heads_recorded'", id=SERVICE_ID)
    with transaction(desk.engine) as connection:
        recorded = heads.newest(connection)
        assert recorded
        path = tree.inclusion_proof(connection, recorded.position, made.size)
        every = list(heads.heads_in_order(connection, recorded.data.size))
        own = next(head for head in every if head.stream_id == lead)
        proof = prove_from_nodes(connection, lead, recorded.data)
    assert proof == HeadsTree(every).prove(lead)
    assert verify_inclusion(recorded.position - 1, made.size, leaf_hash(str(body).encode()), path, made.root)
    root = bytes.fromhex(recorded.data.root)
    assert verify_head(proof, own, streams=recorded.data.streams, root=root)
    earlier = own._replace(version=own.version - 1)
    assert not verify_head(proof, earlier, streams=recorded.data.streams, root=root)


def test_a_log_that_was_cut_is_not_signed_again(desk: Desk, keys: KeyFiles) -> None:
    """After a rollback the newest checkpoint, in the database or in the file outside, forbids another one."""
    shelf = Shelf()
    notary = notary_of(desk, keys, shelf)
    notary.tick()
    desk.queued(2)
    notary.make(wait=True)
    notary.send()
    with desk.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM events WHERE position = (SELECT position FROM log_head)"))
        connection.execute(text("UPDATE log_head SET position = position - 1"))
    with pytest.raises(ContradictionError, match="it was cut, or is an old backup"):
        notary.tick()
    with desk.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM checkpoints"))
    with pytest.raises(ContradictionError, match="it was cut, or is an old backup"):
        notary.tick()
    desk.queued(2)
    with pytest.raises(ContradictionError, match="is not of this log"):
        notary.tick()
    assert [] == desk.ask("SELECT 1 FROM checkpoints")


def test_a_checkpoint_is_sent_until_it_has_arrived(desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails stays unsent and is tried again after a while; what arrived is not sent again."""
    shelf = Shelf()
    notary = notary_of(desk, keys, shelf)
    shelf.closed = True
    notary.tick()
    shelf.closed = False
    notary.tick()
    assert [] == shelf.notes
    monkeypatch.setattr(notary_module, "RETRY_SECONDS", -1.0)
    notary._left_alone_until.clear()
    for _ in range(2):
        notary.tick()
    assert [desk.ask("SELECT note FROM checkpoints")[0][0]] == shelf.notes


def test_after_a_rotation_one_checkpoint_carries_both_signatures(desk: Desk, keys: KeyFiles) -> None:
    """The checkpoint after a rotation is signed by old and new key, the one after that by the new one alone."""
    notary = notary_of(desk, keys)
    old, new = keys.rotate()
    made = notary.make(wait=True)
    assert made
    assert opened(made.note, [old]) == opened(made.note, [new])
    desk.queued()
    notary.make(wait=True)
    assert not keys.retiring.exists()
    assert 2 == len(desk.ask("SELECT 1 FROM checkpoints"))


def test_the_thread_ends_when_it_is_told_to(desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop makes what is due, outlives an error and stops."""
    monkeypatch.setattr(notary_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(notary_module, "SECONDS_MOST", 0.002)
    stopping = threading.Event()
    shelf = Shelf()
    send = shelf.send

    def send_once(note: str) -> None:
        if not shelf.notes:
            shelf.notes.append("")
            raise OSError("the moon is full")
        send(note)
        stopping.set()

    monkeypatch.setattr(shelf, "send", send_once)
    monkeypatch.setattr(shelf, "newest", lambda: None)
    notary_of(desk, keys, shelf).run(stopping)
    assert 2 == len(shelf.notes)


@pytest.mark.parametrize(
    "forged", ["body = 'x' WHERE type = 'key_in_force'", "body = 'x' WHERE type = 'heads_recorded'", "version = -version"]
)
def test_the_thread_outlives_what_somebody_wrote_into_the_log(
    desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch, forged: str
) -> None:
    """It waits, and says so; what can be sent is sent once the log is right again."""
    monkeypatch.setattr(notary_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(notary_module, "SECONDS_MOST", 0.002)
    notary = notary_of(desk, keys)
    notary.tick()
    desk.queued()
    desk.honest = False
    desk.clock.moment += timedelta(days=1)
    desk.ask(f"SET LOCAL session_replication_role = replica; UPDATE events SET {forged} RETURNING 1")
    stopping, errors = threading.Event(), list[BaseException]()
    tick = notary.tick

    def ticked() -> None:
        try:
            tick()
        except BaseException as error:
            errors.append(error)
            if len(errors) == 2:
                stopping.set()
            raise

    monkeypatch.setattr(notary, "tick", ticked)
    notary.run(stopping)
    assert len(errors) == 2


def test_two_notaries_and_two_rotations_leave_no_key_without_both_signatures(
    desk: Desk, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waited while another finished a rotation and the next began signs with the keys of that one."""
    notary, lock = notary_of(desk, keys), checkpoints.lock
    keys.rotate()
    pairs = []

    def waited(*given: Any, **options: Any) -> bool:
        monkeypatch.setattr(checkpoints, "lock", lock)
        notary_of(desk, keys).make(wait=True)
        desk.queued()
        pairs.append(keys.rotate())
        return lock(*given, **options)

    monkeypatch.setattr(checkpoints, "lock", waited)
    made = notary.make(wait=True)
    assert made
    ((old, new),) = pairs
    assert opened(made.note, [old]) == opened(made.note, [new])
    assert not keys.retiring.exists()


def test_the_file_holds_one_note_behind_the_other(tmp_path: Path, desk: Desk, keys: KeyFiles) -> None:
    """Notes are appended; the newest whole one is found, also behind a cut-off one."""
    path = tmp_path / "notes"
    file = FileDestination(path)
    assert file.newest() is None
    notary = notary_of(desk, keys, file)
    notary.tick()
    desk.queued()
    notary.make(wait=True)
    notary.send()
    notes = [str(row[0]) for row in desk.ask("SELECT note FROM checkpoints ORDER BY size")]
    assert notes == split_notes(path.read_text())
    path.write_text(path.read_text() + "thaw/test\n12")
    assert notes[-1] == file.newest()


def test_what_is_no_note_of_ours_is_left_in_the_file(tmp_path: Path) -> None:
    """Somebody named a file of another kind, or another log sends its notes there: nothing is taken away."""
    for before in (
        "minutes of a meeting",
        "other/log\n12\n",
        "thaw/testing\n1",
        "x" * NOTE_BYTES_MAX + "\nthaw/test\n12",
        "\n\n",
    ):
        path = tmp_path / "notes"
        path.write_text(before)
        FileDestination(path).send("thaw/test\n1\nroot\n\n— thaw/test sig\n")
        assert path.read_text() == f"{before}thaw/test\n1\nroot\n\n— thaw/test sig\n\n"
    with pytest.raises(DestinationError, match="No such file"):
        FileDestination(tmp_path / "none" / "notes").send("")


def test_a_new_file_of_notes_is_on_the_disk_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its folder a loss of power would take back the file that a note was said to have arrived in."""
    synced: list[tuple[Path, str]] = []
    path = tmp_path / "notes"
    monkeypatch.setattr("service.destinations.sync_folder", lambda folder: synced.append((folder, path.read_text())))
    for _ in range(2):
        FileDestination(path).send("thaw/test\n1\nroot\n\n— thaw/test sig\n")
    assert synced == [(tmp_path, "thaw/test\n1\nroot\n\n— thaw/test sig\n\n")]


def test_a_note_that_was_cut_off_is_in_the_way_of_none(tmp_path: Path, keys: KeyFiles) -> None:
    """Wherever the power went or the disk was full, the next note stands whole behind the last one that was whole."""
    path = tmp_path / "notes"
    file = FileDestination(path)
    first, second = (str(signed(Checkpoint("thaw/test", size, EMPTY_ROOT), keys.signing())) for size in (1, 2))
    for kept in ("", f"{first}\n", first):
        for cut in range(len(second)):
            path.write_text(kept + second[:cut])
            file.send(second)
            assert [*([first] if kept else []), second] == split_notes(path.read_text())
            assert second == file.newest()


def test_a_note_that_was_cut_off_in_its_second_signature_keeps_the_first(tmp_path: Path, keys: KeyFiles) -> None:
    """Two keys sign after a rotation: with one signature it is a note as well, and the whole one comes behind it."""
    keys.rotate()
    path = tmp_path / "notes"
    whole = str(signed(Checkpoint("thaw/test", 1, EMPTY_ROOT), keys.signing()))
    once = whole[: whole.rindex("— ")].encode()
    for cut in range(len(once), len(whole.encode())):
        path.write_bytes(whole.encode()[:cut])
        FileDestination(path).send(whole)
        assert [once.decode(), whole] == split_notes(path.read_text())


def test_a_medium_without_locks_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is best on a machine of others, and what is mounted from there may know none."""

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    FileDestination(tmp_path / "notes").send("note")
    assert (tmp_path / "notes").read_text() == "note\n"


def test_an_address_of_no_host_is_an_error_of_sending() -> None:
    """A host that has no name in the net's alphabet ends no thread."""
    for address in ("http://a..b/notes", "http://127.0.0.1:1/nötes"):
        with pytest.raises(DestinationError):
            WebhookDestination(address).send("")


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[bytes], list[int]]]:
    """Yield an address, what was posted there, and the answers that it is to give, 204 when there is none."""
    got: list[bytes] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.path.encode() + b" " + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers.pop(0) if answers else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/notes?to=us", got, answers
        server.shutdown()
        thread.join()


def test_a_webhook_gets_the_note_and_its_answer_counts(webhook: tuple[str, list[bytes], list[int]]) -> None:
    """The note is posted as it is; any answer but 200 to 299, a redirection too, and silence mean that it did not arrive."""
    url, got, answers = webhook
    destination = WebhookDestination(url)
    destination.send("— ")
    assert ["/notes?to=us — "] == [each.decode() for each in got]
    for status in (302, 404, 500):
        answers.append(status)
        with pytest.raises(DestinationError, match=f"127.0.0.1 answered {status}"):
            destination.send("x")
    with pytest.raises(DestinationError, match=r"127\.0\.0\.1: "):
        WebhookDestination("http://127.0.0.1:1/").send("x")
