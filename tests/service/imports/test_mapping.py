"""A mapping that is wrong says at which key; the ones that we ship are right."""

from pathlib import Path

import pytest

from service.imports.mapping_file import parse_mapping, read_mapping
from service.imports.problems import MappingError
from tests.service.imports.office import COLUMNS, MAPPING

MAPPINGS = Path(__file__).parents[3] / "mappings"


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_mappings_that_we_ship_are_right(path: Path) -> None:
    assert read_mapping(path).columns()


def test_the_columns_of_a_mapping_are_those_that_the_file_must_have() -> None:
    assert set(parse_mapping(MAPPING).columns()) == set(COLUMNS)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('external_id = "id"', 'external_id = "id"\nextrenal = 1', "top level: there is no key `extrenal`"),
        ('qualified = "good"', 'qualifed = "good"', "top level: there is no key `qualifed`. Did you mean qualified?"),
        ('phone = "phone"', 'fone = "phone"', "contact: there is no key `fone`. Did you mean phone?"),
        (
            'treat_as = "client"',
            'treat_as = "customer"',
            "stages.treat.Won.treat_as: invalid enum value 'customer'; it takes 'registered', 'declined', 'client' or 'open'.",
        ),
        ("[stages.treat.Old]", "[stages.treat.Old]\ntreatas = 1", "stages.treat.Old: there is no key `treatas`. Did you mean"),
        ("[stages.treat.Old]", "[stages.otherwise]\nkind = 'dead'\n[stages.treat.Old]", "stages.otherwise.kind: invalid enum"),
        ('name = "name"', "name = 7", "contact.name: expected `str`, got `int`"),
        ('source = "crm"', "", "missing key `source`"),
        ('column = "rep"', "", "wrong at owner: name the column"),
        ('column = "rep"', 'column = "rep"\nname = "dan"', "wrong at owner: name the column"),
        ('country = "US"', 'country = "XX"', "wrong at calendar: There is no country 'XX'"),
        ('timezone = "America/New_York"', 'timezone = "New York"', "wrong at calendar: There is no time zone"),
        ("[dates]", '[timezone]\nname = "Mars"\n[dates]', "wrong at timezone.name"),
        ("[dates]", '[timezone]\nname = "localtime"\n[dates]', "wrong at timezone.name"),
        ('column = "rep"', 'name = "dan\\u200b"', "wrong at owner.name: 'dan\\u200b' is no name for a rep: 1 to 80 printable"),
        ("[dates]", '[dates]\nformat = "%d.%m"', "wrong at dates.format"),
        ("bands = [1000, 5000]", "bands = [5000, 1000]", "wrong at value.bands: the amounts must ascend"),
        ("bands = [1000, 5000]", 'bands = [1]\nthousands = "."', "wrong at value.thousands"),
        ("[dates]", "[minutes]\nper_day = 5\n[dates]", "wrong at minutes: per_day needs"),
        (
            "[dates]",
            '[replace.nmae]\na = "b"\n[dates]',
            "replace.nmae: no key of the mapping uses that column. Did you mean name?",
        ),
        ("[dates]", '[replace.name]\na = "b\\u0000"\n[dates]', "replace.name: 'b\\x00' holds"),
        ('treat_as = "client"', 'treat_as = "client"\nqueue = true', "stages.treat.Won.queue: a client is not a cold lead"),
        ('treat_as = "open"', 'treat_as = "open"\non = "met_on"', "stages.treat.Open.on"),
        ("[stages.treat.Old]", "[stages.treat.OPEN]", "a stage is listed twice"),
        ('column = "stage"', "", "wrong at stages.column"),
        ('reasons = { price = "price", timing = "timing" }', "", "stages.treat.Lost.reasons"),
        ('price = "price"', 'price = "Too dear"', "stages.treat.Lost.reasons"),
        ("[dates]", "[dates", "is not TOML"),
        pytest.param("[dates]", f"a = {'[' * 5000}\n[dates]", "nested too deeply", id="deep"),
    ],
)
def test_a_mistake_is_named_with_its_key(before: str, after: str, complaint: str) -> None:
    assert before in MAPPING

    with pytest.raises(MappingError) as caught:
        parse_mapping(MAPPING.replace(before, after, 1))

    assert complaint in str(caught.value)


def test_a_mapping_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    binary = tmp_path / "mapping.toml"
    binary.write_bytes(b"\xff\xfe")

    for path, complaint in [(tmp_path / "none.toml", "No such file"), (tmp_path, "directory"), (binary, "not text in UTF-8")]:
        with pytest.raises(MappingError, match=complaint):
            read_mapping(path)
