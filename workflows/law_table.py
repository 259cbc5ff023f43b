"""The law table: when calls are allowed where, whose registers bind, and how long consent that was never spoken lasts.

Policy defaults, not legal advice. Each row names its source. A table that was in force is never changed: a new one gets a new
version, and the old one stays in `TABLES`, because decisions name theirs by its digest.
"""

import msgspec

from workflows.codec import canonical, digest

#: Minutes after midnight, from and until; None: not on such a day.
Span = tuple[int, int] | None


class CallHours(msgspec.Struct, frozen=True, kw_only=True):
    """When people in *region* may be called, by their own clock."""

    region: str
    weekday: Span
    saturday: Span
    sunday: Span
    holidays: bool = True
    """Whether public holidays (those of the United States) count as other days."""
    source: str


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """A national do-not-call register, for consumers."""

    country: str
    check_days: int
    """How old a look-up may be on the day of the call."""
    purchase_months: int
    inquiry_months: int
    """For so long after a purchase or an inquiry no look-up is needed."""
    source: str


class ImpliedConsent(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail needs consent, which a purchase or an inquiry implies for a while."""

    country: str
    purchase_months: int
    inquiry_months: int
    source: str


class LawTable(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. A row for a region goes before that of its country, and that before ``*``."""

    version: str
    hours: tuple[CallHours, ...]
    registers: tuple[Register, ...]
    implied: tuple[ImpliedConsent, ...]
    express: tuple[str, ...]
    """Modes that are off everywhere until the person agrees expressly."""
    express_source: str


def _hours(region: str, source: str, weekday: Span, saturday: Span, sunday: Span, *, holidays: bool = True) -> CallHours:
    return CallHours(region=region, weekday=weekday, saturday=saturday, sunday=sunday, holidays=holidays, source=source)


_8, _9, _10, _NOON, _17, _18, _20, _21 = (60 * hour for hour in (8, 9, 10, 12, 17, 18, 20, 21))

CURRENT = LawTable(
    version="2026.1",
    hours=(
        _hours("*", "policy: where no row is known, the hours of the US floor", (_8, _21), (_8, _21), (_8, _21)),
        _hours("US", "47 CFR 64.1200(c)(1); 16 CFR 310.4(c)", (_8, _21), (_8, _21), (_8, _21)),
        _hours("US-AL", "Alabama Telephone Solicitations Act, Ala. Code 8-19A", (_8, _20), (_8, _20), None, holidays=False),
        _hours("US-CT", "Conn. Gen. Stat. 42-288a", (_9, _20), (_9, _20), (_9, _20)),
        _hours("US-FL", "Fla. Stat. 501.616(6)", (_8, _20), (_8, _20), (_8, _20)),
        _hours("US-KY", "Ky. Rev. Stat. 367.46955", (_10, _21), (_10, _21), (_10, _21)),
        _hours("US-LA", "La. Rev. Stat. 45:844 and the order of its PSC", (_8, _20), (_8, _20), None, holidays=False),
        _hours("US-MA", "Mass. Gen. Laws ch. 159C s. 3", (_8, _20), (_8, _20), (_8, _20)),
        _hours("US-OK", "Oklahoma Telephone Solicitation Act, 15 O.S. 775C", (_8, _20), (_8, _20), (_8, _20)),
        _hours("US-RI", "R.I. Gen. Laws 5-61-3.6", (_9, _18), (_10, _17), None, holidays=False),
        _hours("US-TX", "Tex. Bus. & Com. Code 301.051", (_9, _21), (_9, _21), (_NOON, _21)),
        _hours("US-WA", "Wash. Rev. Code 80.36.390", (_8, _20), (_8, _20), (_8, _20)),
        _hours("CA", "CRTC Unsolicited Telecommunications Rules, part III", (_9, 1290), (_10, _18), (_10, _18)),
    ),
    registers=(
        Register(
            country="US",
            check_days=31,
            purchase_months=18,
            inquiry_months=3,
            source="16 CFR 310.2, 310.4(b); 47 CFR 64.1200(c)(2), (f)",
        ),
    ),
    implied=(
        ImpliedConsent(country="CA", purchase_months=24, inquiry_months=6, source="CASL, S.C. 2010 c. 23, s. 10(9), 10(10)"),
    ),
    express=("fax", "text_message"),
    express_source="47 CFR 64.1200(a); policy everywhere else",
)


def digest_of(table: LawTable) -> str:
    """Return the SHA-256 under which decisions name *table*."""
    return digest(canonical(table))


DIGEST = digest_of(CURRENT)

#: Every table that was ever in force, by its digest.
TABLES: dict[str, LawTable] = {DIGEST: CURRENT}
