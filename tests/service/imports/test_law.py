"""What an export says of a person's region, and whether it is a consumer, reaches the lead; what it does not say stays."""

from datetime import timedelta

import pytest
from msgspec import UNSET

from service.imports.mapping_file import parse_mapping
from service.imports.problems import MappingError, Unreadable
from service.imports.values import region
from tests.service.imports.office import NOW, Office, row
from workflows.commands import RegisterLead, UpdateContact
from workflows.events import decode_recorded
from workflows.law_facts import ImportedLawFacts
from workflows.operations import LeadsImported

STATE = 'region = "state"'


def test_region_and_consumer_come_from_the_file_and_change_with_it(office: Office) -> None:
    office.mapping = office.mapping.replace('qualified = "good"', 'consumer = "good"')
    office.run(row(state="us-fl", good="yes"))
    office.run(row(state="US-GA", good="yes"), now=NOW + timedelta(hours=1))
    office.run(row(state="US-GA", good="yes", name="Ada B. Amberfield"), now=NOW + timedelta(hours=2))
    said = [each.law for each in office.commands() if isinstance(each, (RegisterLead, UpdateContact))]
    assert [ImportedLawFacts(region="US-FL", consumer=True), ImportedLawFacts(region="US-GA"), UNSET] == said


def test_a_region_that_is_none_rejects_the_row(office: Office) -> None:
    office.mapping = office.mapping.replace('qualified = "good"', 'consumer = "good"')
    assert [(2, "state", "unknown_region")] == office.codes(row(state="Florida"))
    assert [(2, "state", "unknown_region")] == office.codes(row(state="FL"))
    with pytest.raises(Unreadable, match="There is no such region") as caught:
        region("fl")
    way_out = "Write US-FL, or say in the mapping which country's states the column holds: region_country."
    assert way_out == caught.value.suggestion


def told(office: Office, keys: str, *rows: dict[str, str]) -> list[tuple[str, bool]]:
    """Return the region of each row of a dry run with *keys* in the mapping, and whether the mapping alone says it."""
    office.mapping = office.mapping.replace(STATE, keys)
    office.run(*(row(number, **each) for number, each in enumerate(rows, 1)))
    commands = [office.commands(f"A-{number}")[0] for number in range(1, len(rows) + 1)]
    laws = [command.law for command in commands if isinstance(command, RegisterLead)]
    return [(law.region or "", bool(law.region_assumed)) if law else ("", False) for law in laws]


def warned(office: Office, *rows: dict[str, str]) -> dict[str, int]:
    report = office.report(*(row(number, **each) for number, each in enumerate(rows, 1)), dry_run=True)
    return {each.code: each.count for each in report.warnings if each.code.startswith("region")}


def test_ca_is_california_in_a_column_of_states_and_canada_in_one_of_countries(office: Office) -> None:
    """The mapping says which; where it does not, the code of a country is one, and the report says how it was read."""
    states = [{"state": "CA"}, {"state": "de"}, {"state": "US-CA"}, {"state": "CA-ON"}, {"state": ""}]
    assert {"region_may_be_state": 2, "region_unknown": 1} == warned(office, *states)
    read = told(office, 'region = "state"\nregion_country = "US"', *states)
    assert [("US-CA", False), ("US-DE", False), ("US-CA", False), ("CA-ON", False), ("", False)] == read
    assert {"region_unknown": 1} == warned(office, *states)
    assert [(2, "state", "unknown_region")] == office.codes(row(state="XX"))
    assert "US has no such state or province" in office.report(row(state="US"), dry_run=True).errors[0].message


def test_a_column_of_countries_holds_codes_and_names(office: Office) -> None:
    """It is the one that the contact's country comes from."""
    office.mapping = office.mapping.replace('address = ["street", "city"]', 'address = ["street"]\ncountry = "state"')
    rows = [{"state": "CA"}, {"state": "Canada"}, {"state": "Georgia"}, {"state": "DE"}, {"state": "PR"}]
    read = told(office, 'region = "state"', *rows)
    assert [("CA", False), ("CA", False), ("GE", False), ("DE", False), ("US-PR", False)] == read
    assert {} == warned(office, *rows)
    assert [(2, "state", "unknown_country")] == office.codes(row(state="Oz"))


def test_states_and_countries_stand_in_columns_of_their_own(office: Office) -> None:
    """Where the state is empty its country is the region, and a state whose country nobody says is none."""
    keys = 'region = "state"\nregion_country_column = "street"'
    rows = [
        {"state": "CA", "street": "US"}, {"state": "on", "street": "Canada"}, {"state": "", "street": "CA"},
        {"state": "Bayern", "street": "Germany"}, {"state": "BY", "street": "DE"}, {"state": "San Juan", "street": "PR"},
        {"state": "", "street": ""},
    ]  # fmt: skip
    read = [region for region, _ in told(office, keys, *rows)]
    assert ["US-CA", "CA-ON", "CA", "DE", "DE-BY", "US-PR", ""] == read
    assert [(2, "state", "region_without_country")] == office.codes(row(state="CA", street=""))
    assert [(2, "state", "unknown_region")] == office.codes(row(state="CA", street="Canada"))
    office.mapping = office.mapping.replace(keys, f'{keys}\nregion_country = "US"')
    assert [] == office.codes(row(state="CA", street=""))


def test_the_mapping_says_a_region_for_rows_that_say_none(office: Office) -> None:
    """Each command that has it from there says so, and the log of the import how many they were."""
    keys = 'region = "state"\nregion_unless_said = "US"'
    rows = [{"state": ""}, {"state": "US-FL"}, {"state": ""}]
    assert [("US", True), ("US-FL", False), ("US", True)] == told(office, keys, *rows)
    assert {"region_assumed": 2} == warned(office, *rows)
    (said,) = office.ask("SELECT body FROM events WHERE body LIKE '%leads_imported%'")
    done = decode_recorded(said.body.encode()).data
    assert isinstance(done, LeadsImported)
    assert ("US", 2) == (done.region_unless_said, done.regions_assumed)


def test_a_region_of_the_mapping_gives_way_and_is_corrected(office: Office) -> None:
    """A later row's own counts; and of a mapping that was corrected both regions are said, the old one and the new."""
    keys = 'region = "state"\nregion_unless_said = "US"'
    told(office, keys, {"state": ""})
    office.mapping = office.mapping.replace('"US"\n[owner]', '"CA"\n[owner]')
    office.run(row(state=""), now=NOW + timedelta(hours=1))
    office.run(row(state="CA"), now=NOW + timedelta(hours=2))
    said = [each.law for each in office.commands() if isinstance(each, UpdateContact)]
    assert [ImportedLawFacts(region="CA", region_assumed=True, assumed_before="US"), ImportedLawFacts(region="CA")] == said


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ('region_unless_said = "FL"', "region_unless_said: 'FL' is no region; write US-FL."),
        ('region_unless_said = "Florida"', "region_unless_said: 'Florida' is no region; write it by ISO 3166-2"),
        ('region = "state"\nregion_country = "USA"', "region_country: 'USA' is no country; write its code, such as US."),
        ('region_country = "US"', "region_country: say which column holds the states: region."),
        ('region_country_column = "street"', "region_country_column: say which column holds the states: region."),
    ],
)
def test_a_mapping_that_is_wrong_about_regions_is_named(office: Office, keys: str, complaint: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(office.mapping.replace(STATE, keys))
    assert complaint in str(caught.value)
