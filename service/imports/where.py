"""Where a person is: as the row says it, by a code of its own or by a state and its country, or as the mapping says for all."""

from collections.abc import Callable
from typing import Protocol

from service.imports import values
from service.imports.mapping import Mapping
from service.imports.problems import Unreadable
from workflows.regions import COUNTRIES, PARTS, meant_by


class Take(Protocol):
    """Reads the field of a column; None when it is empty, or was rejected."""

    def __call__(self, column: str, read: Callable[[str], str]) -> str | None:
        """Return what *read* makes of the field of *column*."""


class Where:
    """Reads the region of a row as *mapping* says."""

    def __init__(self, mapping: Mapping) -> None:
        self._column, self._unless_said = mapping.region, mapping.region_unless_said
        self._country_column, self._country = mapping.region_country_column, mapping.region_country
        self._country_reader = values.remembered(_country)
        self._holds_countries = bool(mapping.region) and mapping.region == mapping.contact.country

    def read(self, take: Take, warnings: list[str], *, mailed: bool) -> tuple[str, bool]:
        """Return the region of a row, empty where nobody says it, and whether only the mapping does.

        Codes of what may be wrong are added to *warnings*; an unknown region is, where the row has a mail address (*mailed*).
        """
        country = take(self._country_column, self._country_reader) or self._country
        said = take(self._column, self._country_reader if self._holds_countries else lambda value: self._region(value, country))
        if said is None and self._country_column:
            said = take(self._country_column, self._country_reader)
        if said is None:
            if self._unless_said or mailed:
                warnings.append("region_assumed" if self._unless_said else "region_unknown")
            return self._unless_said, bool(self._unless_said)
        declared = self._holds_countries or self._country_column or self._country
        if not declared and "-" not in said and meant_by(said):
            warnings.append("region_may_be_state")
        return said, False

    def _region(self, value: str, country: str) -> str:
        read = value.strip().upper()
        if "-" in read or not (country or self._country_column):
            return values.region(value)
        if not country:
            suggestion = "Fill in the country, or say region_country in the mapping."
            raise Unreadable("region_without_country", "The row names a state and no country.", suggestion)
        if "-" in country:
            return country
        if country not in PARTS:
            return whole if values.is_region(whole := f"{country}-{read}") else country
        if read not in PARTS[country]:
            suggestion = f"Write its code, like {country}-{min(PARTS[country])}, or correct the country."
            raise Unreadable("unknown_region", f"{country} has no such state or province.", suggestion)
        return f"{country}-{read}"


def _country(value: str) -> str:
    """Return a country by its code, or by its name; a territory of the United States as a part of it."""
    code = values.country(value)
    if code in COUNTRIES:
        return code
    if part := meant_by(code):
        return part
    raise Unreadable("unknown_country", "There is no such country.", "Write its code, like US.")
