"""Handing in and the answer to it: applied, refused, dead, accepted; the same again; and what is wrong with the input."""

import json
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from models import attempts, contacts, messages
from models.database import DatabaseUnavailableError, transaction
from service.cli import answers
from tests.service.world import MONDAY, World
from workflows.codec import derived_id
from workflows.events import CommandRefused, NoteSent

TUESDAY = MONDAY + timedelta(days=1)

#: As little as a note may say.
SHORT = "Dear Ada, your tomatoes had won! I'll call you."
NOTE = ("note-sent", "V-0000", "--attest-all")


@pytest.fixture
def noted(world: World) -> World:
    """A Tuesday morning on which dan has notes to write to V-0000 and V-0001."""
    world.rep()
    world.register(2)
    world.at(TUESDAY)
    return world


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.0)


def test_what_is_applied_is_told_with_the_state_and_what_comes_next(noted: World) -> None:
    with noted.worker():
        said = noted.ok(*NOTE)
    expected = "Ada Amberfield is note_sent now; next: the call that the note promised on Tue 2026-01-13."
    assert said == f"applied: note_sent. {expected}\n"


def test_json_is_one_object_on_the_last_line(noted: World) -> None:
    with noted.worker():
        answer = noted.said(*NOTE)
    assert answer["outcome"] == "applied"
    assert answer["events"] == ["note_sent"]
    assert answer["state"] == "note_sent"
    assert answer["next"]["when"] == "on Tue 2026-01-13"
    assert answer["stream_id"] == str(noted.leads[0])


def test_a_refusal_names_the_rule_and_the_reason_and_ends_with_1(noted: World) -> None:
    with noted.worker():
        said = noted.refused(1, "note-sent", "V-0000")
    assert said.startswith("refused (check.personal_fact): Nobody has confirmed that ")
    sentence, way_out = said.splitlines()
    assert sentence.endswith("Ada Amberfield stays note_due.")
    assert way_out == (
        "to go on: --attest personal_fact, or --attest-all, or --text TEXT, which is then read for it, or --override TEXT with "
        "why it is sent all the same"
    )


def test_a_program_is_told_the_way_out_apart_from_what_the_log_says(noted: World) -> None:
    """The log keeps the sentence of the rule alone."""
    with noted.worker():
        result = noted.thaw("offer", "V-0000", "--solution", "A second garage", "--benefit", "Room", "--json")
        assert json.loads(result.stdout)["way_out"] is None
        answer = json.loads(noted.thaw("call", "V-0000", "--outcome", "connected", "--json").stdout)
    assert answer["way_out"].startswith("thaw note-sent V-0000 --attest-all; ")
    assert "thaw " not in answer["reason"]
    assert answer["reason"] == getattr(noted.events(noted.leads[0])[-1].data, "reason", "")


def test_the_outcome_of_a_call_that_was_never_due_is_refused(noted: World) -> None:
    with noted.worker():
        said = noted.refused(1, "call", "V-0000", "--outcome", "voicemail")
    assert said.startswith("refused (no_transition): A lead that is note due does not take “record call”. Possible now:")


@pytest.mark.usefixtures("impatient")
def test_without_a_worker_it_is_accepted(noted: World) -> None:
    id_ = uuid4()
    said = noted.ok(*NOTE, "--id", id_)
    why = "no worker has taken it yet; it is applied once one does, and `thaw status` says whether any runs"
    assert said == f"accepted as {id_}; {why}\n"
    noted.work()
    assert noted.ok(*NOTE, "--id", id_).startswith("applied: note_sent.")


def test_no_wait_hands_in_and_returns(noted: World) -> None:
    assert noted.said(*NOTE, "--no-wait")["outcome"] == "accepted"
    noted.work()
    assert noted.lead(noted.leads[0]).state == "note_sent"


def test_without_redis_it_is_accepted_and_nobody_waits(noted: World) -> None:
    noted.environ["THAW_REDIS_URL"] = "redis://127.0.0.1:1/0"
    said = noted.ok(*NOTE)
    assert said.startswith("accepted as ")
    assert "Redis is not reachable" in said
    assert said.endswith("; it is applied once Redis is back\n")
    noted.work()
    assert noted.lead(noted.leads[0]).state == "note_sent"


@pytest.mark.usefixtures("impatient")
def test_what_fails_and_is_tried_again_says_so(noted: World) -> None:
    id_ = uuid4()
    noted.ok(*NOTE, "--id", id_)
    with transaction(noted.engine) as connection:
        attempts.fail(connection, id_, error="OSError: the moon is full", traceback="", max_attempts=10)
    said = noted.ok(*NOTE, "--id", id_)
    assert said == f"accepted as {id_}; it failed 1 time so far and is tried again by itself: OSError: the moon is full\n"


@pytest.mark.usefixtures("impatient")
def test_what_is_dead_ends_with_1_and_says_where_to_look(noted: World) -> None:
    id_ = uuid4()
    noted.ok(*NOTE, "--id", id_)
    with transaction(noted.engine) as connection:
        attempts.fail(connection, id_, error="OSError: the moon is full", traceback="", max_attempts=1)
    said = noted.refused(1, *NOTE, "--id", id_)
    assert said == f"dead after 1 attempt: OSError: the moon is full\nSee `thaw dead show {id_}`.\n"


def test_the_same_again_gives_the_same_answer_and_changes_nothing(noted: World) -> None:
    """Whatever happened to the lead in the meantime, and however late it is."""
    again = (*NOTE, "--id", uuid4(), "--text", SHORT, "--minutes", 9)
    with noted.worker():
        first = noted.said(*again)
        noted.at(TUESDAY + timedelta(days=8))
        noted.ok("call", "V-0000", "--outcome", "voicemail")
        assert noted.said(*again) == first
    assert sum(isinstance(event.data, NoteSent) for event in noted.events(noted.leads[0])) == 1


def test_a_refused_entry_is_answered_alike_again(noted: World) -> None:
    again = ("note-sent", "V-0000", "--id", uuid4())
    with noted.worker():
        assert noted.refused(1, *again) == noted.refused(1, *again)
    assert sum(isinstance(event.data, CommandRefused) for event in noted.events(noted.leads[0])) == 1


@pytest.mark.parametrize(
    "other",
    [
        (*NOTE, "--minutes", 8),
        (*NOTE, "--at", "2026-01-06T09:00"),
        ("note-sent", "V-0001", "--attest-all"),
        ("importance", "V-0000", "3"),
        (*NOTE, "--text", "Dear Bela"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_the_same_id_for_something_else_changes_nothing(noted: World, other: tuple[object, ...]) -> None:
    id_ = uuid4()
    noted.ok(*NOTE, "--text", SHORT, "--id", id_)
    said = noted.refused(2, *other, "--id", id_)
    assert said.startswith(f"thaw: the id {id_} was used before ")
    assert "Use a new id, or repeat the first command word for word." in said


def test_texts_are_kept_outside_the_log(noted: World) -> None:
    with noted.worker():
        noted.ok(*NOTE, "--text", SHORT)
    (sent,) = (event.data for event in noted.events(noted.leads[0]) if isinstance(event.data, NoteSent))
    assert sent.text is not None
    with transaction(noted.engine) as connection:
        assert contacts.find_document(connection, sent.text.document_id) == SHORT
    with transaction(noted.engine) as connection:
        row = messages.find(connection, noted.events(noted.leads[0])[-1].message_id)
    assert row is not None
    assert "tomatoes" not in row.body


HOSTILE = {
    "quotes": """It's "quoted" \\ and 'quoted' $$; DROP TABLE events; --""",
    "newlines": "Dear Ada,\n\r\n\tthe tomatoes\n",
    "right to left": "שלום \u202egnol\u202c مرحبا",
    "emoji": "🍅👩‍👩‍👧‍👦 Grüße",
    "long": "tomatoes " * 2_200,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_text_is_kept_as_it_is(noted: World, tmp_path: Path, text: str) -> None:
    (tmp_path / "note.txt").write_text(text, encoding="utf-8", newline="")
    with noted.worker():
        noted.ok(*NOTE, "--text-file", tmp_path / "note.txt", "--override", "The text is not the point of this test.")
    sent = noted.events(noted.leads[0])[-1].data
    assert isinstance(sent, NoteSent)
    assert sent.text is not None
    with transaction(noted.engine) as connection:
        assert contacts.find_document(connection, sent.text.document_id) == text.rstrip("\r\n")


def test_what_is_no_text_is_refused(noted: World, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_bytes(b"\xff\xfe\x00")
    assert "note.txt is not UTF-8; is it the right file?" in noted.refused(2, *NOTE, "--text-file", file)
    file.write_text("a\x00b")
    assert "it holds a NUL character" in noted.refused(2, *NOTE, "--text-file", file)
    file.write_text("x" * 2_000_001)
    assert "it has 2000001 characters, and 2000000 are the most" in noted.refused(2, *NOTE, "--text-file", file)
    assert "cannot be read: No such file" in noted.refused(2, *NOTE, "--text-file", tmp_path / "nowhere")
    assert "it is empty; write something" in noted.refused(2, *NOTE, "--text", " ")
    assert "it is not UTF-8" in noted.refused(2, *NOTE, "--text", "\udcff")
    file.write_text("Dear Ada")
    assert "say the same thing twice" in noted.refused(2, *NOTE, "--text", "Dear Ada", "--text-file", file)


BAD_INPUTS: list[tuple[tuple[object, ...], str]] = [
    ((*NOTE, "--minutes", "-1"), "Invalid value for '--minutes'"),
    ((*NOTE, "--medium", "pen"), "'pen' is not one of 'hand_written', 'typed', 'printed', 'robot_pen'"),
    ((*NOTE, "--override", "ok"), "--override 'ok': say in at least 15 characters why"),
    (("note-sent", "V-0000", "--attest", "future"), "--attest future: "),
    (("note-sent", "V-0000", "--attest", "recalls_prior_interest"), "five-five-five@1.0.0 has no such check here; it has"),
    ((*NOTE, "--as", "ann"), "'ann' is nobody; write rep:NAME or manager:NAME"),
    ((*NOTE, "--id", "17"), "'17' is not a valid UUID"),
    ((*NOTE, "--at", "next week"), "--at: 'next week' is no time; write it like 2026-03-09, 2026-03-09T14:30 or today"),
    ((*NOTE, "--at", "2026-01-07"), "--at 2026-01-07: that is in the future, and it is Tue 2026-01-06 10:00 for the rep"),
    ((*NOTE, "--at", "20260-01-07"), "'20260-01-07' is no time"),
    ((*NOTE, "--at", "0001-01-01"), "'0001-01-01' lies outside 1970-01-01 to 2199-12-31"),
    (
        ("decline", "V-0000", "--kind", "no", "--stated-reason", "No Budget!"),
        "'No Budget!' is no short word: up to 80 small letters, digits and _ . : -, as in no_budget; did you mean no_",
    ),
    (
        ("decline", "V-0000", "--kind", "no", "--stated-reason", "price", "--revisit-on", "31.3.2026"),
        "'31.3.2026' is no day; write it like 2026-03-09",
    ),
    (("decline", "V-0000", "--kind", "no"), "Missing option '--stated-reason'"),
    (("homework", "V-0000", "--answer", "rank"), "'rank' has no =; write it like problems_this_year='two big"),
    (("homework", "V-0000", "--answer", "a=b", "--answer", "a=c"), "--answer a=…: a is answered twice"),
    (("importance", "V-0000", "6"), "6 is not in the range 1<=x<=5"),
    (("reassign", "V-0000", "dna"), "no rep is called 'dna'; did you mean dan?"),
    (("meeting", "book", "V-0000", "--at", "soon"), "--at: 'soon' is no time"),
]


def test_what_does_not_fit_is_said_in_a_sentence(noted: World) -> None:
    for arguments, expected in BAD_INPUTS:
        said = " ".join(noted.refused(2, *arguments).split())
        assert expected in said, said
        assert "Traceback" not in said


def test_when_it_happened_may_be_said_in_many_ways(noted: World) -> None:
    """A time without a zone is the rep's; today is now."""
    for typed, expected in (
        ("2026-01-06T09:30", "2026-01-06T14:30:00+00:00"),
        ("2026-01-06T09:30+01:00", "2026-01-06T08:30:00+00:00"),
        ("today", TUESDAY.isoformat()),
        ("2026-01-06", TUESDAY.isoformat()),
        ("yesterday", "2026-01-05T17:00:00+00:00"),
        ("2026-01-05", "2026-01-05T17:00:00+00:00"),
    ):
        with noted.worker():
            noted.ok("importance", "V-0000", "3", "--at", typed)
        assert noted.events(noted.leads[0])[-1].occurred_at.isoformat() == expected, typed


def test_friday_stays_friday_when_the_workers_are_away_until_monday(noted: World) -> None:
    noted.ok(*NOTE, "--no-wait")
    noted.clock.move(TUESDAY + timedelta(days=3))
    noted.work()
    assert noted.lead(noted.leads[0]).note_sent_at == TUESDAY


def test_who_did_it_is_the_owner_unless_said(noted: World) -> None:
    with noted.worker():
        noted.ok("importance", "V-0000", "3")
        noted.ok("importance", "V-0000", "2", "--as", "manager:ann")
    assert [event.actor for event in noted.events(noted.leads[0])[-2:]] == ["rep:dan", "manager:ann"]


def test_a_database_at_another_schema_says_what_to_run(noted: World) -> None:
    noted.sql("UPDATE alembic_version SET version_num = '0000'")
    assert "this release of Thaw does not know" in noted.refused(3, *NOTE)
    noted.sql("DELETE FROM alembic_version")
    assert noted.refused(3, *NOTE).endswith(": run `thaw migrate`\n")


def test_a_database_that_is_away_is_said_so(noted: World) -> None:
    noted.environ["THAW_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    assert noted.refused(3, *NOTE).startswith("thaw: PostgreSQL is not reachable: ")


def test_a_connection_that_breaks_while_handing_in_says_how_to_repeat(noted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the commit itself nobody knows on which side of it the connection broke: the same id makes sure."""

    def broken(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("PostgreSQL is not reachable: it went away")

    with monkeypatch.context() as patch:
        patch.setattr(answers, "stage", broken)
        said = noted.refused(3, *NOTE)
    found = re.search(r"Whether it was accepted is unknown: repeat it with --id ([0-9a-f-]{36})\n", said)
    assert found
    with noted.worker():
        assert noted.ok(*NOTE, "--id", found[1]).startswith("applied: ")


def test_a_connection_that_breaks_while_waiting_says_that_it_is_accepted(noted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise DatabaseUnavailableError("PostgreSQL is not reachable: it went away")

    id_ = uuid4()
    monkeypatch.setattr(answers, "messages", SimpleNamespace(find=broken))
    said = noted.refused(3, *NOTE, "--id", id_)
    assert said.startswith(f"thaw: accepted as {id_}; what became of it is not known yet: PostgreSQL is not reachable")
    noted.work()
    assert noted.lead(noted.leads[0]).state == "note_sent"


@pytest.mark.usefixtures("impatient")
def test_an_entry_whose_documents_fail_is_not_accepted_by_halves(noted: World) -> None:
    """The text and the message are one transaction."""
    id_ = uuid4()
    noted.ok(*NOTE, "--id", id_)
    noted.refused(2, *NOTE, "--id", id_, "--text", "Dear Ada")
    with transaction(noted.engine) as connection:
        assert contacts.find_document(connection, derived_id("document", id_, "text")) is None
