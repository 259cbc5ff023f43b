"""The demonstration's leads: 700 invented people who once visited and went quiet. Nothing here is about anybody real."""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

COLUMNS = (
    "id", "rep", "name", "company", "street", "city", "postcode", "country", "phone", "email", "time_zone",
    "fact_1", "fact_2", "fact_3", "last_meeting_place", "last_meeting_date", "last_meeting_topic", "interested_in",
    "last_contact_date", "stage", "lost_on", "lost_reason", "call_again_on", "keep_in_touch", "minutes", "value", "qualified",
)  # fmt: skip

_FIRST = (
    "Ada", "Bela", "Cora", "Dirk", "Edda", "Finn", "Gita", "Hugo", "Ines", "Jonas", "Kira", "Lars", "Mina", "Nils", "Olga",
    "Piet", "Runa", "Sven", "Tilda", "Ugo", "Vera", "Wim", "Xenia", "Yann", "Zora",
)  # fmt: skip
_LAST = (
    "Amberfield", "Brookhollow", "Cinderwell", "Dunmarsh", "Eastlock", "Fernholt", "Greywater", "Hazelcroft", "Ivorsen",
    "Juniperdale", "Kestrelby", "Larkmoor", "Mistlebury", "Northquill", "Oakenshade", "Pinerow", "Quillfeather", "Ravenscar",
    "Stonebeck", "Thistlewood", "Umberley", "Valebrook", "Willowmere", "Yarrowgate",
)  # fmt: skip
_FACTS = (
    "your daughter had just started college", "the dog had eaten the floor plan", "you were restoring an old canoe",
    "your tomatoes had won at the county fair", "you were training for a first marathon", "your son was learning the cello",
    "you had promised to finish the tree house by spring", "you were about to retire from teaching",
    "your mother was moving in with you", "you kept bees on the roof", "you had a trip along the coast planned",
    "you were looking for room for the piano", "your twins had turned ten", "you were taking up baking bread",
)  # fmt: skip
_PLACES = ("the Oakwood open house", "the spring home show", "our Lakeside office", "the Harbor Court model home")
_ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


def write_sample(path: Path, *, leads: int, seed: int, before: date, rep: str) -> None:
    """Write *leads* invented leads of *rep* as CSV to *path*, whose last contact lies 100 to 900 days before *before*.

    The columns are those of ``mappings/leads.toml``.
    """
    dice = random.Random(seed)  # noqa: S311  # a sample, no secret
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(_row(dice, number, before, rep) for number in range(1, leads + 1))


def _row(dice: random.Random, number: int, before: date, rep: str) -> dict[str, object]:
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    facts = dice.sample(_FACTS, 2)
    met_on = before - timedelta(days=dice.randint(100, 900))
    return {
        "id": f"V-{number:04}",
        "rep": rep,
        "name": f"{first} {last}",
        "street": f"{dice.randint(1, 999)} {dice.choice(_LAST)} Lane",
        "city": "Springfield",
        "postcode": dice.randint(10000, 99999),
        "country": "US",
        # 555-01xx numbers are set aside for fiction.
        "phone": f"+1{dice.randint(201, 989)}55501{dice.randint(0, 99):02}",
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "time_zone": dice.choice(_ZONES),
        "fact_1": facts[0],
        "fact_2": facts[1],
        "last_meeting_place": dice.choice(_PLACES),
        "last_meeting_date": met_on,
        "last_meeting_topic": "the two-bedroom plan",
        "interested_in": "the south terrace",
        "last_contact_date": met_on,
        "stage": "Old",
        "minutes": dice.choice([30, 60, 120, 300]),
        "value": dice.choice([180_000, 240_000, 320_000, 450_000]),
        "qualified": "yes",
    }
