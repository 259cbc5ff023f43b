"""Verify finds what was changed behind the service's back, and rebuild makes the projections again, byte for byte."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from models.database import transaction
from models.pauses import pause, set_aside_due
from models.rebuild import rebuild
from models.replay import parts
from models.verify import MOST, Verified, verify
from models.verify_messages import _same_command
from models.verify_part import verify_part
from models.verify_since import verify_since
from tests.desk import CALL_ON, NOTE_ON, Desk
from tests.workflows.make_golden import GOLDEN
from workflows.codec import canonical
from workflows.commands import Command, MarkNoteSent, OptOut, RecordCall, SetCalendar
from workflows.events import CalendarFrozen, decode_recorded

CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")


#: What somebody makes of the message of a timer, which then never acts, or does something else.
CHANGED_TIMERS = (
    "due_at = due_at + interval '100 years'",
    "due_at = 'infinity'",
    "due_at = due_at - interval '1 second'",
    "stream_id = gen_random_uuid()",
    "actor_name = 'nonsense'",
    "asked_by = 'rep:eve'",
    "body = ''",
    "body = replace(body, 'call_after_note', 'lapse')",
    "ring_again_at = 'infinity'",
    "ring_again_at = now() + interval '100 years'",
    """"then" = '[{"command":"opt_out"}]'""",
)


#: A body that is nested deeper than anybody reads, in the newest event of a stream, behind its chain.
DEEP = "repeat('{\"data\":', 100000)".replace(":", "\\:")
HASH_BEFORE = "(SELECT hash FROM events b WHERE b.stream_id = events.stream_id AND b.version = events.version - 1)"
LAST = "WHERE type = 'note_sent'"


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """Return a desk with five leads in several states, one refusal among their events."""
    first, second, third, _, _ = desk.note_due(5)
    desk.do(first, MarkNoteSent(medium="hand_written", attested=CHECKS))
    desk.do(second, RecordCall(outcome="voicemail"))
    desk.do(third, OptOut())
    return desk


def check(desk: Desk) -> Verified:
    """Verify all streams at once, and in parts: it comes to the same."""
    with transaction(desk.engine) as connection:
        verified = verify(connection)
        apart = [verify_part(connection, ids, most=MOST) for ids in parts(5)]
        assert verified == verify(connection, parts=apart)
    return verified


def tamper(desk: Desk, statement: str, **parameters: object) -> None:
    """Do what somebody with all rights on the database could do."""
    with desk.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement), parameters)


def codes(verified: Verified) -> list[str]:
    return [finding.code for finding in verified.findings]


def test_nothing_is_wrong_with_what_was_lived(lived: Desk) -> None:
    """An untouched database verifies."""
    assert [] == check(lived).findings


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("hash_differs", "UPDATE events SET body = replace(body, 'hand_written', 'typed')"),
        ("hash_differs", "UPDATE events SET hash = decode(repeat('00', 32), 'hex') WHERE type = 'note_sent'"),
        ("copy_differs", "UPDATE events SET type = 'call_due' WHERE type = 'note_sent'"),
        ("copy_differs", "UPDATE events SET actor = 'rep:eve' WHERE type = 'note_sent'"),
        ("position_missing", "DELETE FROM events WHERE type = 'note_scheduled'"),
        ("head_differs", "DELETE FROM events WHERE position = (SELECT max(position) FROM events)"),
        ("projection_differs", "UPDATE leads SET state = 'won' WHERE state = 'note_sent'"),
        ("projection_differs", "UPDATE leads SET body = replace(body, 'dan', 'eve')"),
        ("projection_differs", "UPDATE leads SET body = '{}' WHERE state = 'note_sent'"),
        ("projection_differs", "DELETE FROM leads WHERE state = 'note_sent'"),
        ("projection_differs", "UPDATE leads SET call_by = 'eve' WHERE state = 'note_sent'"),
        ("projection_differs", "UPDATE reps SET calendar = 'other'"),
        ("slot_differs", "DELETE FROM slots WHERE kind = 'promised_call' AND ordinal = 1"),
        ("slot_differs", "UPDATE slots SET ordinal = 9 WHERE kind = 'note' AND ordinal = 1"),
        ("slot_differs", "UPDATE slots SET lead_id = (SELECT id FROM reps) WHERE kind = 'note' AND ordinal = 1"),
        ("slot_differs", "INSERT INTO slots VALUES ('eve', 'note', '2026-01-07', 1, gen_random_uuid())"),
        # What Python holds no moment, no day and no tree for is named all the same.
        ("copy_differs", "UPDATE events SET occurred_at = 'infinity' WHERE type = 'note_sent'"),
        ("copy_differs", "UPDATE events SET recorded_at = '4000-01-01 BC' WHERE type = 'note_sent'"),
        ("body_unreadable", f"UPDATE events SET body = {DEEP}, hash = sha256({HASH_BEFORE} || CAST({DEEP} AS bytea)) {LAST}"),
        ("projection_differs", "UPDATE leads SET next_due_at = 'infinity' WHERE state = 'note_sent'"),
        ("projection_differs", "UPDATE leads SET call_on = '-infinity' WHERE state = 'note_sent'"),
        ("projection_differs", f"UPDATE leads SET body = {DEEP} WHERE state = 'note_sent'"),
        ("projection_differs", "INSERT INTO pauses VALUES ('lapse', 'infinity', 'ops:tom', gen_random_uuid(), 1)"),
        ("slot_differs", "UPDATE slots SET day = 'infinity' WHERE kind = 'note' AND ordinal = 1"),
        ("forgotten", "DELETE FROM messages WHERE settled_at IS NULL AND actor_name = 'call_due'"),
        *(("timer_differs", f"UPDATE messages SET {change} WHERE actor_name = 'call_due'") for change in CHANGED_TIMERS),
    ],
)
def test_each_change_from_outside_is_found(lived: Desk, code: str, statement: str) -> None:
    """A change to the log or to a projection has a finding of its kind."""
    tamper(lived, statement)
    assert code in codes(check(lived))


def test_the_log_is_not_read_again_for_the_slots_of_a_stream_with_a_wrong_event(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no saying what slots it takes, so that is no reason to look who has which."""
    tamper(lived, "UPDATE events SET body = replace(body, 'hand_written', 'typed')")
    assert [(0,)] != lived.ask("SELECT count(*) FROM slots s JOIN events e ON stream_id = lead_id WHERE e.type = 'note_sent'")
    again: list[object] = []
    monkeypatch.setattr("models.verify._slots_one_by_one", lambda *given: again.append(given))
    assert ["hash_differs"] == codes(check(lived))
    assert not again


@pytest.mark.parametrize("whose", [min, max])
def test_a_slot_that_two_hold_by_the_log_is_found(desk: Desk, whose: Callable[[list[UUID]], UUID]) -> None:
    """Whichever of the two the table names: with the events since alone, too."""
    desk.honest = False
    (first,) = desk.note_due()
    tamper(desk, "DELETE FROM slots")
    (second,) = desk.note_due()
    tamper(desk, "UPDATE slots SET lead_id = :lead", lead=whose([first, second]))
    said = [finding.sentence for finding in check(desk).findings]
    assert f"the note slot 1 of dan on {NOTE_ON} is held by two" in said
    assert f"the promised_call slot 1 of dan on {CALL_ON} is held by two" in said
    with transaction(desk.engine) as connection:
        assert set(said[:2]) <= {finding.sentence for finding in verify_since(connection, 0).findings}


def test_streams_that_nobody_read_are_found(lived: Desk) -> None:
    """Parts that leave some streams out do not make a whole: that is said of them, and not that all is well."""
    with transaction(lived.engine) as connection:
        apart = [verify_part(connection, ids, most=MOST) for ids in parts(5)]
        most_of_them = [part for part in apart if part != max(apart, key=lambda part: part.events)]
        found = verify(connection, parts=most_of_them).findings
    assert "events_unread" in [finding.code for finding in found]


def test_the_most_that_are_kept_are_the_first(lived: Desk) -> None:
    """Of more findings than are kept, parts and the whole keep the same ones: wrong events before rows, rows before timers."""
    tamper(lived, "UPDATE events SET body = body || ' ' WHERE position IN (7, 4, 9)")
    tamper(lived, "UPDATE leads SET owner = 'eve'")
    tamper(lived, "DELETE FROM messages WHERE settled_at IS NULL")
    everything = check(lived).findings
    for most in range(1, len(everything)):
        with transaction(lived.engine) as connection:
            kept = verify(connection, most=most, parts=[verify_part(connection, ids, most=most) for ids in parts(3)])
        assert everything[:most] == kept.findings
    assert sorted(codes(check(lived)), key=["hash_differs", "projection_differs", "forgotten"].index) == codes(check(lived))


def test_the_first_wrong_event_is_named_first(lived: Desk) -> None:
    """Of several changed events, the one with the lowest position comes first."""
    tamper(lived, "UPDATE events SET body = body || ' ' WHERE position IN (7, 4, 9)")
    assert 4 == check(lived).findings[0].position


def test_a_lead_without_history_is_found(lived: Desk) -> None:
    """A row that no event accounts for is a stranger."""
    tamper(lived, "DELETE FROM events WHERE stream_id = (SELECT id FROM leads WHERE state = 'do_not_contact')")
    assert "no_history" in codes(check(lived))


def test_rebuild_makes_the_same_rows_byte_for_byte(lived: Desk) -> None:
    """Invariant 2: dropping the projections and folding the log again changes nothing."""
    before = projections(lived)
    with transaction(lived.engine) as connection:
        rebuilt = rebuild(connection)
    assert before == projections(lived)
    assert (5, 1, 0) == (rebuilt.leads, rebuilt.reps, rebuilt.timers)


def test_rebuild_mends_changed_projections_and_missing_timers(lived: Desk) -> None:
    """After a rebuild, nothing is wrong with projections, slots and timers that were changed or deleted."""
    before = projections(lived)
    tamper(lived, "UPDATE leads SET state = 'won', owner = 'nobody', call_by = 'eve'")
    tamper(lived, "DELETE FROM slots")
    tamper(lived, "DELETE FROM calendars")
    tamper(lived, "DELETE FROM messages WHERE settled_at IS NULL AND asked_by = 'clock'")
    assert check(lived).findings
    with transaction(lived.engine) as connection:
        assert rebuild(connection).timers > 0
    assert [] == check(lived).findings
    assert before == projections(lived)


@pytest.mark.parametrize("change", [*CHANGED_TIMERS, "outcome = 'superseded', settled_at = now()"])
def test_rebuild_makes_timers_anew_that_say_something_else(lived: Desk, change: str) -> None:
    """Each acts then as if nobody had touched it: the call that was promised is due on its day."""
    before = messages_of_timers(lived)
    tamper(lived, f"UPDATE messages SET {change} WHERE actor_name = 'call_due'")
    assert check(lived).findings
    with transaction(lived.engine) as connection:
        assert 1 == rebuild(connection).timers
    assert [] == check(lived).findings
    assert before == messages_of_timers(lived)
    lived.clock.moment += timedelta(days=7)
    lived.work()
    assert [("call_due",)] == lived.ask("SELECT state FROM leads WHERE owner = 'dan' AND state LIKE 'call%'")


def test_a_timer_that_is_put_off_or_paused_is_as_it_should_be(lived: Desk) -> None:
    """Rung and failed again and again, or set aside while its actor is paused; the dead wait for `thaw dead retry`."""
    for change in ("rings = 20, ring_again_at = now() + interval '1 hour'", "deliveries = 3, attempts = 20"):
        tamper(lived, f"UPDATE messages SET {change} WHERE actor_name = 'call_due'")
        assert [] == check(lived).findings
    tamper(lived, "UPDATE messages SET ring_again_at = NULL WHERE actor_name = 'call_due'")
    with transaction(lived.engine) as connection:
        pause(connection, ["call_due"], reason="they asked", now=lived.now, by="ops:tom")
    lived.clock.moment += timedelta(days=7)
    with transaction(lived.engine) as connection:
        assert set_aside_due(connection, now=lived.now, limit=10)
    assert [] == check(lived).findings
    tamper(lived, "UPDATE messages SET outcome = 'dead', settled_at = now() WHERE actor_name = 'call_due'")
    assert ["forgotten"] == codes(check(lived))
    with transaction(lived.engine) as connection:
        assert 0 == rebuild(connection).timers
    assert [("dead",)] == lived.ask("SELECT outcome FROM messages WHERE actor_name = 'call_due'")


def messages_of_timers(desk: Desk) -> Sequence[tuple[object, ...]]:
    return desk.ask(
        "SELECT id, stream_id, actor_name, asked_by, body, due_at, ring_again_at, outcome, settled_at FROM messages "
        "WHERE asked_by = 'clock' ORDER BY id"
    )


def projections(desk: Desk) -> dict[str, Sequence[tuple[object, ...]]]:
    return {table: desk.ask(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") for table in ("leads", "reps", "slots")} | {
        "calendars": desk.ask("SELECT * FROM calendars ORDER BY 1")
    }


def test_days_of_the_note_and_its_call_are_those_of_the_sample(lived: Desk) -> None:
    """The slots that the samples above rest on are there."""
    days = lived.ask("SELECT DISTINCT kind, day FROM slots ORDER BY 1")
    assert [("note", NOTE_ON), ("promised_call", CALL_ON)] == days


def test_what_froze_a_calendar_is_held_against_what_was_asked_for() -> None:
    """The event repeats no command: of the message every field is compared with what the event says."""
    frozen = decode_recorded((GOLDEN / "calendar_frozen.json").read_bytes())
    assert isinstance(frozen.data, CalendarFrozen)
    assert frozen.playbook
    data, digest = frozen.data, frozen.playbook.digest
    asked = SetCalendar(rep=data.rep, calendar=data.calendar, playbook=data.playbook, layers=data.layers)
    others = (
        replace(asked, rep="eve"),
        replace(asked, calendar=replace(data.calendar, timezone="Europe/Vienna")),
        replace(asked, playbook="another"),
        replace(asked, digest="0" * 64),
        OptOut(),
    )

    def fits(command: Command) -> bool:
        return _same_command(canonical(command).decode(), canonical(frozen).decode())

    assert fits(asked)
    assert fits(replace(asked, digest=digest))
    assert not any(map(fits, others))
