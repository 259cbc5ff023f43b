"""The day on which somebody says to be back, read from an automatic answer. Pure, English, and silent when in doubt."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from workflows.phrases import MONTHS

_MONTH = {name[:3]: number for number, name in enumerate(MONTHS, start=1)}
_NAME = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
# A number of another length behind a day is no year, and then who knows what the day is.
_YEAR = r"(?:,? +(?P<year>\d{4})\b|(?!,? +\d{3}))"
_FORMS = (
    re.compile(r"\b(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})\b"),
    re.compile(rf"\b{_DAY} +(?:of +)?{_NAME}{_YEAR}\b"),
    re.compile(rf"\b{_NAME} +{_DAY}\b{_YEAR}"),
    re.compile(r"\b(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>\d{4})\b"),
    # 3/2 and 2/3 mean two days each, and which one depends on who writes.
    re.compile(r"\b(?P<number>\d{1,2})/(?P<day>1[3-9]|2\d|3[01])/(?P<year>\d{4})\b"),
    re.compile(r"\b(?P<day>1[3-9]|2\d|3[01])/(?P<number>\d{1,2})/(?P<year>\d{4})\b"),
)
_INCLUDED = re.compile(r"\b(?:until|till|through|to|and|-|\u2013)\s+(?:and including\s+)?(?:\w+day,?\s+)?(?:the\s+)?$")
_BACK = re.compile(r"\b(?:back|return\w*|again|available)\b[^.!?\n]{0,40}$")

#: What lies further off is no absence, or no date.
_MOST_DAYS = 400


def return_date(text: str, today: date) -> date | None:
    """Return the first day on which the writer of *text* is there again, None when it does not say or that day is not ahead."""
    plain = " ".join(text.lower().split(" "))
    found = [day for day in _days(plain, today) if today < day]
    return max(found, default=None)


def _days(plain: str, today: date) -> Iterator[date]:
    for form in _FORMS:
        for match in form.finditer(plain):
            day = _date(match, today)
            if day is None or day > today + timedelta(days=_MOST_DAYS):
                continue
            before = plain[max(0, match.start() - 60) : match.start()]
            included = _INCLUDED.search(before) and not _BACK.search(before)
            yield day + timedelta(days=1) if included else day


def _date(match: re.Match[str], today: date) -> date | None:
    parts = match.groupdict()
    number = int(parts["number"]) if parts.get("number") else _MONTH[parts["month"][:3]]
    try:
        if parts.get("year"):
            return date(int(parts["year"]), number, int(parts["day"]))
        this_year = date(today.year, number, int(parts["day"]))
        # In December, "5 January" is the next one.
        return this_year if this_year >= today - timedelta(days=60) else this_year.replace(year=today.year + 1)
    except ValueError:
        return None
