"""A week in the life of dan, and the sheet of his day."""

from datetime import date, timedelta

import pytest

from models.database import transaction
from service.sheet.found import Item
from service.today import Sheet, read_sheet
from tests.service.world import MONDAY, World


def sheet(world: World, rep: str = "dan", day: date | None = None) -> Sheet:
    with transaction(world.engine) as connection:
        return read_sheet(connection, rep, day, world.clock())


def kinds(items: tuple[Item, ...]) -> list[tuple[str, str]]:
    return [(item.kind, item.key) for item in items]


@pytest.fixture
def week(world: World) -> World:
    """The Tuesday on which dan owes V-0000 to V-0004 the calls that his notes of the week before promised."""
    world.rep()
    world.register(5)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for number in range(5):
            text = f"{number} tomatoes had won at your county fair, and I will call."
            reason = "They are five sisters who won together."
            world.ok("note-sent", f"V-000{number}", "--text", text, "--minutes", 9, "--override", reason)
    world.at(MONDAY + timedelta(days=8))
    return world
