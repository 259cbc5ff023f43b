"""Mappings whose parts are not of the shape that they should have."""

import pytest

from service.imports.mapping_file import parse_mapping
from service.imports.problems import MappingError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages = 3", "stages: expected `object`, got `int`."),
        ("stages = []", "stages: expected `object`, got `array`."),
        ('stages = ["a"]', "stages: expected `object`, got `array`."),
        ("[stages]\ntreat = 3", "stages.treat: expected `object`, got `int`."),
        ('[stages]\ntreat = ["a"]', "stages.treat: expected `object`, got `array`."),
        ("[stages.treat]\nLost = {}\nWon = 3", "stages.treat.Won: expected `object`, got `int`."),
        ("source = 3\nstages = []", "source: expected `str`, got `int`."),
    ],
)
def test_a_part_of_another_shape_is_said_where_it_stands(text: str, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text)
    assert f"The mapping mapping is wrong at {said}" == str(caught.value)
