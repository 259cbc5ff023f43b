"""Reading single values: each function returns the value or raises `Unreadable` with what would be right.

Values come without blanks around them, not empty, and through `plain` first.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from email_validator import EmailNotValidError, validate_email

from service.calendars import iana_zones
from service.find import REP_NAME_CHARACTERS_MAX, REP_NAMES, is_rep_name
from service.imports.problems import Unreadable, did_you_mean
from workflows.regions import is_known, meant_by

T = TypeVar("T")

FIELD_CHARACTERS_MAX = 100_000
ID_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 80
DIGITS_MAX = 15
SHORT_CHARACTERS_MAX = 60
"""Of a number or a telephone number, as written."""

_FORMULA = frozenset("=+-@")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_PHONE = re.compile(
    r"(\+?)\s?([(0-9][0-9 ()./\u2010-\u2015\u00a0-]*)(?:\s*(?:x|ext\.?|#|;ext=)\s*([0-9]{1,8}))?", re.IGNORECASE
)
_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

#: How many values of a column are remembered at a time.
REMEMBERED_MAX = 20_000

#: Older days are slips of the keyboard (or Excel's day 0), not contacts.
EARLIEST = date(1950, 1, 1)


def plain(value: str) -> str:
    """Return *value* if it is not too long and has no control characters but line breaks and tabs. Comes before all others."""
    if len(value) > FIELD_CHARACTERS_MAX:
        raise Unreadable(
            "too_long",
            f"The field has {len(value):,} characters; {FIELD_CHARACTERS_MAX:,} are the most that is kept.",
            "Shorten it.",
        )
    if not value.isprintable() and (found := _CONTROL.search(value)):
        if found[0] == "\0":
            raise Unreadable("nul_byte", "The field holds a NUL byte.", "The file is damaged here; export it again.")
        raise Unreadable(
            "control_character", f"The field holds the control character U+{ord(found[0]):04X}.", "Type the value anew."
        )
    return value


def text(value: str) -> str:
    """Return *value* if it can later be opened in a spreadsheet without harm."""
    if value[0] in _FORMULA:
        raise _formula(value)
    return value


def _formula(value: str) -> Unreadable:
    return Unreadable(
        "formula_cell",
        f"A text that starts with {value[0]} is run as a formula by spreadsheets.",
        "Remove the sign, or put an apostrophe before it if it belongs there.",
    )


def line(value: str, most: int) -> str:
    """Return *value* if it is a text of one line and at most *most* characters."""
    text(value)
    if len(value) > most:
        raise Unreadable("too_long", f"This may have {most} characters and has {len(value)}.", "Shorten it.")
    if not value.isprintable() and any(ord(character) < 32 for character in value):
        raise Unreadable("line_break", "This must stand on one line.", "Remove the line break or tab.")
    return value


def record_id(value: str) -> str:
    """Return the id of a record, if it can stand in the log for ever: the id of a lead is made of it, and never erased."""
    if _EMAIL.fullmatch(value):
        raise Unreadable(
            "personal_id",
            "The id is a mail address, and ids stay in the log when a person is erased.",
            "Let the mapping name another column as external_id, such as the CRM's own number of the record.",
        )
    return line(value, ID_CHARACTERS_MAX)


def rep_name(value: str) -> str:
    """Return *value* if a rep may be called so."""
    if is_rep_name(line(value, REP_NAME_CHARACTERS_MAX)):
        return value
    odd = next((character for character in value if not character.isprintable()), " ")
    raise Unreadable(
        "bad_name", f"A rep's name is {REP_NAMES}; this holds U+{ord(odd):04X}.", "Type the name anew, with plain blanks."
    )


def _shape(value: str) -> str:
    """Return how a day is written, whatever day it is: ``31.03.2026`` and ``1.4.2026`` are alike."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", lambda digits: "99" if len(digits[0]) < 3 else "9" * len(digits[0]), value))


def day_reader(form: str) -> Callable[[str], date]:
    """Return a reader of days that are written as *form* (``strptime``) says."""
    example = date(2026, 3, 31).strftime(form)

    def read(value: str) -> date:
        try:
            if form == "%Y-%m-%d":
                day = date.fromisoformat(value) if _ISO_DAY.fullmatch(value) else None
            else:
                day = datetime.strptime(value, form).date()  # noqa: DTZ007  # only its day is used
        except ValueError:
            day = None
        if day is None and _shape(value) != _shape(example):
            raise Unreadable("bad_date", "This day is written otherwise than the mapping says.", f"Write it like {example}.")
        if day is None:
            raise Unreadable("bad_date", "This is no day that there is.", f"Write it like {example}.")
        if day < EARLIEST:
            raise Unreadable("bad_date", "This is too long ago to be right.", f"Write it like {example}.")
        return day

    return remembered(read)


def number_reader(decimal: str, thousands: str) -> Callable[[str], Decimal]:
    """Return a reader of numbers with these signs between the digits; a currency sign around them is passed over."""
    grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands else ""
    pattern = re.compile(
        rf"[€$£¥]?\s?(-?)\s?[€$£¥]?({grouped}[0-9]{{1,{DIGITS_MAX}}})(?:{re.escape(decimal)}([0-9]{{1,6}}))?\s?[€$£¥]?"
    )
    example = f"-1{thousands}234{decimal}50"

    def read(value: str) -> Decimal:
        if value.isdecimal() and value.isascii() and len(value) <= DIGITS_MAX:
            return Decimal(value)
        found = pattern.fullmatch(value.removeprefix("'")) if len(value) <= SHORT_CHARACTERS_MAX else None
        if found is None:
            raise Unreadable("bad_number", "This is no number.", f"Write it like {example}, or leave it empty.")
        sign, whole, fraction = found.groups()
        return Decimal(f"{sign}{whole.replace(thousands, '') if thousands else whole}.{fraction or 0}")

    return read


def count(value: str) -> int:
    """Return a whole number from 0 up."""
    if not (value.isascii() and value.isdigit() and len(value) <= 7):
        raise Unreadable("bad_number", "This is no whole number from 0 up.", "Write only digits, or leave it empty.")
    return int(value)


def yes_no(value: str) -> bool:
    """Return what a yes or no means."""
    found = _YES_NO.get(value.casefold())
    if found is None:
        raise Unreadable("bad_yes_no", "This is neither yes nor no.", "Write yes or no, or leave it empty.")
    return found


def email(value: str) -> str:
    """Return an email address. Whether anybody reads it, only mail can tell."""
    text(value)
    way_out = "Write one address like ann@example.com."
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        raise Unreadable("bad_email", "This is no email address.", way_out)
    try:
        validate_email(value, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise Unreadable("bad_email", f"This is no email address. {error}", way_out) from error
    return value


def phone_reader(calling_code: str, trunk_prefix: str) -> Callable[[str], str]:
    """Return a reader of telephone numbers, which makes them E.164 (with ``;ext=`` of RFC 3966) where it can tell how."""

    def read(value: str) -> str:
        # An export that guards its formulas writes '+1 … with an apostrophe. The limit comes first because the pattern takes
        # time that grows with the square of the length.
        found = _PHONE.fullmatch(value.removeprefix("'")) if len(value) <= SHORT_CHARACTERS_MAX else None
        if found is None:
            raise _no_phone(value)
        plus, written, extension = found.groups()
        # (0) in +44 (0)20 … is what is dialled inside the country only.
        digits = "".join(c for c in (written.replace("(0)", "") if plus else written) if c.isdigit())
        if plus or digits.startswith("00"):
            digits = "+" + (digits if plus else digits[2:])
        elif calling_code:
            digits = f"+{calling_code}{digits.removeprefix(trunk_prefix)}"
        if not 5 <= len(digits.removeprefix("+")) <= 15:
            raise _no_phone(value)
        return f"{digits};ext={extension}" if extension else digits

    return read


def phone_warnings(number: str) -> list[str]:
    """Return the code of what is odd about a number as `phone_reader` gives it, if anything is."""
    if not number.startswith("+"):
        return ["phone_without_country"]
    # Of countries with numbers of many lengths nothing is said.
    return ["phone_digits"] if number.startswith("+1") and len(number.partition(";")[0]) != 12 else []


def _no_phone(value: str) -> Unreadable:
    if value[0] in "=@-":
        return _formula(value)
    return Unreadable("bad_phone", "This is no telephone number.", "Write one number like +1 555 010 4477 ext 12.")


_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def is_region(code: str) -> bool:
    """Tell whether *code* is that of a country, or of a part of one."""
    return bool(_REGION.fullmatch(code)) and is_known(code)


def region(value: str) -> str:
    """Return a region by ISO 3166-2, or a country."""
    read = value.strip().upper()
    if is_region(read):
        return read
    way_out = "Write it by ISO 3166-2, like US-FL, or like DE"
    if meant := meant_by(read):
        way_out = f"Write {meant}, or say in the mapping which country's states the column holds: region_country"
    raise Unreadable("unknown_region", "There is no such region.", f"{way_out}.")


def timezone(value: str) -> str:
    """Return an IANA time zone."""
    if value not in iana_zones():
        hint = did_you_mean(value.replace(" ", "_")[:SHORT_CHARACTERS_MAX], iana_zones()).strip()
        raise Unreadable("unknown_timezone", "There is no such time zone.", hint or "Write one like America/New_York.")
    return value


def country(value: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a country given by its code or English name."""
    code = _countries().get(_squeezed(value))
    if code is None:
        names = [name.replace("_", " ").title() for name in _registry()]
        hint = did_you_mean(value[:SHORT_CHARACTERS_MAX], names).strip()
        raise Unreadable("unknown_country", "There is no such country.", hint or "Write its code, like US.")
    return code


def remembered(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return *read* with a memory of what it made of the last values, refusals included: columns repeat themselves."""
    memory: dict[str, T | Unreadable] = {}

    def recall(value: str) -> T:
        known = memory.get(value)
        if known is None:
            if len(memory) >= REMEMBERED_MAX:
                memory.clear()
            try:
                known = read(value)
            except Unreadable as refusal:
                known = refusal
            # A long value is not worth its room.
            if len(value) <= NAME_CHARACTERS_MAX:
                memory[value] = known
        if isinstance(known, Unreadable):
            raise known.with_traceback(None)
        return known

    return recall


def _registry() -> dict[str, tuple[str, ...]]:
    """Return the class, code and other names of each country, by its name; imported here because it takes a while."""
    from holidays.registry import COUNTRIES

    return COUNTRIES


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    return {_squeezed(name): code for names in _registry().values() for code in names[1:2] for name in names[:3]}


def _squeezed(value: str) -> str:
    return "".join(character for character in value.casefold() if character.isalnum())
