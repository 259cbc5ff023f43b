"""What an export says of a person's region, and whether it is a consumer, reaches the lead; what it does not say stays."""

from datetime import timedelta

import pytest
from msgspec import UNSET

from service.imports.problems import Unreadable
from service.imports.values import region
from tests.service.imports.office import NOW, Office, row
from workflows.commands import RegisterLead, UpdateContact
from workflows.law_facts import ImportedLawFacts

COLUMNS = 'region = "city"\nconsumer = "good"'


def test_region_and_consumer_come_from_the_file_and_change_with_it(office: Office) -> None:
    office.mapping = office.mapping.replace('qualified = "good"', COLUMNS)
    office.run(row(city="us-fl", good="yes"))
    office.run(row(city="US-GA", good="yes"), now=NOW + timedelta(hours=1))
    office.run(row(city="US-GA", good="yes", name="Ada B. Amberfield"), now=NOW + timedelta(hours=2))
    said = [each.law for each in office.commands() if isinstance(each, (RegisterLead, UpdateContact))]
    assert [ImportedLawFacts(region="US-FL", consumer=True), ImportedLawFacts(region="US-GA"), UNSET] == said


def test_a_region_that_is_none_rejects_the_row(office: Office) -> None:
    office.mapping = office.mapping.replace('qualified = "good"', COLUMNS)
    assert [(2, "city", "unknown_region")] == office.codes(row(city="Florida"))
    assert [(2, "city", "unknown_region")] == office.codes(row(city="FL"))
    with pytest.raises(Unreadable, match="There is no such region") as caught:
        region("fl")
    assert "Write US-FL." == caught.value.suggestion
