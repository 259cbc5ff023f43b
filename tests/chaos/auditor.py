"""The laws that hold after any chaos, checked from outside: plain SQL, and of our own code `verify` and `rederive` only."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from models.database import make_engine, transaction
from models.verify import verify
from tests.chaos.reader import Seen
from tests.desk import differing
from tests.stage import Stage

RESTING = ["registered", "won", "dropped", "do_not_contact"]


class Event(NamedTuple):
    """A row of ``events``, its body parsed."""

    position: int
    stream_id: UUID
    version: int
    body: str
    message_id: UUID
    hash: bytes
    type: str
    said: dict[str, Any]


class Message(NamedTuple):
    """A row of ``messages``."""

    id: UUID
    stream_id: UUID
    due_at: datetime
    outcome: str | None
    asked_by: str
    command: dict[str, Any]


class Audit:
    """What stands in the tables, read once."""

    def __init__(self, stage: Stage) -> None:
        self._url = stage.database_url
        self._ask = stage.asker.rows
        self._now = stage.clock()
        rows = self._ask("SELECT position, stream_id, version, body, message_id, hash, type FROM events ORDER BY position")
        self.events = [Event._make((*row, json.loads(row[3]))) for row in rows]
        rows = self._ask("SELECT id, stream_id, due_at, outcome, asked_by, body FROM messages")
        self.messages = {row[0]: Message._make((*row[:5], json.loads(row[5]))) for row in rows}
        self.decisions = [event for event in self.events if event.said["used"] is not None]

    def check(self, submitted: Sequence[UUID], seen: Sequence[Seen] | None, *, dead: Collection[UUID] = ()) -> None:
        """Assert all laws; *submitted* is what was handed in, *seen* what a reader saw, *dead* what was to be given up."""
        self.nothing_vanished(submitted, set(dead))
        self.each_message_decided_once()
        self.the_log_is_whole()
        self.nobody_is_forgotten(set(dead))
        self.timers_fired_once_and_never_early()
        self.slots_went_to_one_lead_each_and_within_capacity()
        if seen is not None:
            assert [Seen(e.position, e.stream_id, e.version, e.hash) for e in self.events] == seen
        engine = make_engine(self._url)
        with transaction(engine) as connection:
            found = verify(connection).findings
        derived = differing(engine)
        engine.dispose()
        assert found == []
        assert derived == [], "each decision follows from what was recorded with it"

    def nothing_vanished(self, submitted: Sequence[UUID], dead: set[UUID]) -> None:
        """Every command that was accepted is settled, and so is everything else that is due."""
        assert len(set(submitted)) == len(submitted)
        assert [id_ for id_ in submitted if id_ not in self.messages] == []
        open_ = [m for m in self.messages.values() if m.outcome is None and m.due_at <= self._now]
        assert open_ == []
        assert {m.id for m in self.messages.values() if m.outcome == "dead"} == dead

    def each_message_decided_once(self) -> None:
        """A message has exactly one decision when it was applied or refused, and no event otherwise."""
        decided = Counter(event.message_id for event in self.decisions)
        settled = {m.id: m.outcome for m in self.messages.values() if m.outcome in ("applied", "refused")}
        assert decided == Counter(settled.keys())
        carried = [event for event in self.events if event.said["state"] != "service"]  # what operators did: no message
        for message_id, events in groupby(carried, key=attrgetter("message_id")):
            message, caused = self.messages[message_id], list(events)
            assert {event.stream_id for event in caused} == {message.stream_id}
            assert [event.version for event in caused] == list(range(caused[0].version, caused[0].version + len(caused)))
            refusals = [event for event in caused if event.type == "command_refused"]
            assert (len(refusals), len(caused)) == (1, 1) if message.outcome == "refused" else not refusals
        # No message's events stand in two places of the log.
        assert len([key for key, _ in groupby(carried, key=attrgetter("message_id"))]) == len(settled)

    def the_log_is_whole(self) -> None:
        """Positions are 1..n, versions of each stream 1..n, their times never go back, and each hash covers its body and the
        hash before it.
        """
        assert [event.position for event in self.events] == list(range(1, len(self.events) + 1))
        assert self._ask("SELECT position FROM log_head") == [(len(self.events),)]
        heads: dict[UUID, tuple[int, bytes, datetime]] = {}
        for event in self.events:
            recorded_at = datetime.fromisoformat(event.said["recorded_at"])
            version, previous, earlier = heads.get(event.stream_id, (0, bytes(32), recorded_at))
            assert event.version == version + 1
            assert event.hash == hashlib.sha256(previous + event.body.encode()).digest()
            assert recorded_at >= earlier
            heads[event.stream_id] = event.version, event.hash, recorded_at

    def nobody_is_forgotten(self, dead: set[UUID]) -> None:
        """Whoever owes a next move, or is owed one, has a pending message."""
        forgotten = self._ask(
            "SELECT id, state FROM leads WHERE state <> ALL(%s) AND NOT EXISTS "
            "(SELECT FROM messages WHERE stream_id = leads.id AND settled_at IS NULL)",
            RESTING,
        )
        excused = {self.messages[id_].stream_id for id_ in dead}
        assert [row for row in forgotten if row[0] not in excused] == []

    def timers_fired_once_and_never_early(self) -> None:
        """A timer acts when its message is due or later, once for each time that it was armed."""
        fired = [event for event in self.decisions if (event.said["command"] or {}).get("command") == "fire_timer"]
        assert [e for e in fired if datetime.fromisoformat(e.said["used"]["now"]) < self.messages[e.message_id].due_at] == []
        armed = Counter((e.stream_id, e.said["command"]["timer"], e.said["command"]["armed_version"]) for e in fired)
        assert [timer for timer, times in armed.items() if times > 1] == []

    def slots_went_to_one_lead_each_and_within_capacity(self) -> None:
        """No slot lies above its day's capacity, and none is held or was used by two leads."""
        capacity = json.loads(self._ask("SELECT body FROM playbooks ORDER BY version DESC LIMIT 1")[0][0])["capacity"]
        most = {
            "note": capacity["notes"],
            "promised_call": capacity["calls"] + capacity["catch_up_calls"],
            "follow_up": capacity["follow_up_touches"],
        }
        holders: dict[tuple[str, str, str, int], UUID] = {}
        for event in self.events:
            effects = event.said["effects"]
            for slot in effects["released"]:
                assert holders.pop(_key(slot)) == event.stream_id
            for slot in effects["reserved"]:
                assert 1 <= slot["ordinal"] <= most[slot["kind"]]
                assert holders.setdefault(_key(slot), event.stream_id) == event.stream_id
        rows = self._ask("SELECT rep, kind, day::text, ordinal, lead_id FROM slots")
        assert {(row[0], row[1], row[2], row[3]): row[4] for row in rows} == holders


def _key(slot: dict[str, Any]) -> tuple[str, str, str, int]:
    return slot["rep"], slot["kind"], slot["day"], slot["ordinal"]
