"""The way in: what no worker could read is refused at the door, and nothing of its company is taken."""

from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.submit import Submission, UnsoundCommandError
from models.database import transaction
from models.playbooks import newest_playbook, publish
from tests.desk import Desk
from tests.workflows.life import CALENDAR, PLAYBOOK, life_in
from tests.workflows.strategies import commands
from workflows.codec import canonical
from workflows.commands import (
    AnyCommand,
    Command,
    Hold,
    MarkNoteSent,
    MigratePlaybook,
    RecordCall,
    Release,
    SendTouch,
    SetCalendar,
    decode_command,
)
from workflows.layers import merged
from workflows.limits import Layers
from workflows.rep import rep_id
from workflows.slotting import slot_days


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (MarkNoteSent(medium="hand_written", minutes=-1), "mark_note_sent was not accepted: minutes is wrong, expected"),
        (RecordCall(outcome="voicemail", minutes=100_000), "record_call was not accepted: minutes is wrong, expected"),
        (SendTouch(mode="pigeon", value_item="report"), "send_touch was not accepted: mode is wrong, invalid enum value"),  # type: ignore[arg-type]
        (Hold(reason="manual", occurred_at=datetime(2026, 1, 5)), "hold was not accepted: occurred_at is wrong, expected"),  # noqa: DTZ001
        (SetCalendar(rep="dan", calendar=CALENDAR, playbook="a\0"), "set_calendar was not accepted: playbook is wrong"),
    ],
)
def test_what_no_worker_could_read_is_refused_with_a_sentence(desk: Desk, command: Command, sentence: str) -> None:
    """The sound command beside it is not accepted either: a submission is taken whole or not at all."""
    (lead_id,) = desk.queued()
    before = desk.ask("SELECT count(*) FROM messages")
    with pytest.raises(UnsoundCommandError, match=sentence):
        desk.submit(lead_id, Release(), command)
    assert before == desk.ask("SELECT count(*) FROM messages")


def test_days_and_leads_follow_what_is_published_as_it_is_named(desk: Desk) -> None:
    """Who names a playbook that is not there, or another one, or one made for a rep, is told at the door; it used to fail ten
    times and end as dead.
    """
    (lead_id,) = desk.queued()
    with transaction(desk.engine) as connection:
        base = newest_playbook(connection, "five-five-five")
        assert base
        made = merged(base, Layers(base=base.id, digest=base.pin.digest), playbook_id="five-five-five.of.dan", version="1.0.0")
        publish(connection, made)
    five, of_dan, nobody = base.pin.digest, made.pin.digest, "0" * 64
    days = partial(SetCalendar, rep="dan", calendar=CALENDAR)
    moved = partial(MigratePlaybook, version="1.0.0")
    for stream, command, says in (
        (rep_id("dan"), days(playbook="nobodys"), "set_calendar was not accepted: no playbook called nobodys is published"),
        (rep_id("dan"), days(playbook=base.id, digest=nobody), f"no playbook with the digest {nobody} is published"),
        (rep_id("dan"), days(playbook=base.id, digest=of_dan), f"{of_dan} is the digest of five-five-five.of.dan, not of five"),
        (rep_id("dan"), days(playbook=made.id, digest=of_dan), "made for one rep, and nothing says what of"),
        (lead_id, moved(playbook=base.id, digest=nobody), "migrate_playbook was not accepted: no playbook with the digest 0"),
        (lead_id, moved(playbook=made.id, digest=of_dan), "made for the days of one rep, and no lead follows it"),
        (lead_id, moved(playbook="keep-in-touch", digest=five), "is the digest of five-five-five@1.0.0, not of keep-in"),
    ):  # fmt: skip
        before = desk.ask("SELECT count(*) FROM messages")
        with pytest.raises(UnsoundCommandError, match=says):
            desk.submit(stream, Release(), command, who="manager:ann")
        assert before == desk.ask("SELECT count(*) FROM messages")
    assert "applied" == desk.do(rep_id("dan"), days(playbook=base.id, digest=five)).outcome


@pytest.mark.parametrize("moment", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_moment_that_cannot_be_right_is_an_answer_and_no_failure(desk: Desk, moment: datetime) -> None:
    """A release of the year 9999 is refused by its rule; it used to fail ten times and end as dead."""
    (lead_id,) = desk.note_due()
    for command in (Release(occurred_at=moment), Hold(reason="manual", until=moment.date(), occurred_at=moment)):
        message = desk.do(lead_id, command)
        assert ("refused", "plausible_date", 0) == (message.outcome, message.rule, message.attempts)


@given(command=commands(), state=st.sampled_from(["note_due", "note_sent", "call_due", "no_response"]), now=st.datetimes(
    min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # fmt: skip
def test_every_command_has_days_of_slots(command: AnyCommand, state: str, now: datetime) -> None:
    """Which days a command may take slots of has an answer for any command whatever."""
    days = slot_days(life_in(state).lead, command, CALENDAR, PLAYBOOK.capacity, now)
    assert all(day.year for day in days)


@given(command=commands())
def test_what_a_command_may_hold_is_accepted(command: AnyCommand) -> None:
    """Every command that its types allow is read back as it was."""
    submission = Submission(id=uuid4(), stream_id=uuid4(), command=command, asked_by="rep:dan")
    assert decode_command(canonical(submission.command)) == command
