"""A campaign at the command line: prospects who declined, clients, and events to invite them to."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from models.database import transaction
from models.verify import verify
from tests.desk import differing
from tests.service.world import MONDAY, World
from workflows.commands import MarkWon, RecordDecline

ANN = ("--as", "manager:ann")
ABOUT = "Two days in which a sales team learns to ask better questions."
TOPIC = "moving the service desk to the new building"


class Office:
    """One rep, some people, and the shell."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.rep()

    def declined(self, *, days_ago: int = 100, kind: str = "no", person: dict[str, Any] | None = None, **fields: Any) -> UUID:
        """Take in somebody who decided not to buy, so many days ago."""
        lead = self.world.take_in(queued=False, person={"last_meeting_topic": TOPIC} | (person or {}), **fields)
        declined_at = MONDAY - timedelta(days=days_ago)
        self.world.hand_in(lead, RecordDecline(kind=kind, stated_reason="no_budget", occurred_at=declined_at))  # type: ignore[arg-type]
        return lead

    def client(self, **fields: Any) -> UUID:
        """Take in an active client."""
        lead = self.world.take_in(queued=False, client=True, **fields)
        self.world.hand_in(lead, MarkWon())
        return lead

    def event(self, name: str = "spring-training", *, approved: bool = True, **options: Any) -> None:
        """Announce an event, described and approved unless said otherwise."""
        given = {
            "kind": "training", "starts": "2026-03-09T09:00", "seats": 12, "title": f"The {name} days", "host": "Harbour Mills",
            "description": ABOUT,
        } | options  # fmt: skip
        typed = [word for field, value in given.items() if value is not None for word in (f"--{field}", value)]
        self.world.ok("event", "add", name, *typed, *ANN)
        if approved:
            self.world.ok("event", "approve", name, "--by", "Jane Host", "--on", "2026-01-02", "--limits", "two each", *ANN)

    def start(self, name: str = "spring", *options: Any) -> None:
        """Plan a campaign, draw its audience, and start it."""
        self.world.ok("campaign", "plan", name, *options, *ANN)
        self.world.ok("campaign", "draw", name, *ANN)
        self.world.ok("campaign", "start", name, *ANN)
        self.world.work()

    def letters(self, name: str = "spring") -> dict[UUID, dict[str, Any]]:
        """Return everybody in the audience."""
        said = self.world.said("campaign", "letters", name)
        return {UUID(each["lead_id"]): each["letter"] for each in said["letters"]}

    def sound(self) -> None:
        """Fail unless log and projections agree and every decision of the log comes out the same again."""
        with transaction(self.world.engine) as connection:
            assert [] == verify(connection).findings
        assert [] == differing(self.world.engine)


def ask(world: World, question: str) -> list[tuple[object, ...]]:
    """Return the rows that answer a question in SQL."""
    with transaction(world.engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(question)]
