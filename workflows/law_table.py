"""The law table: when calls are allowed where, whose registers bind, and how long consent that was never spoken lasts.

Policy defaults, not legal advice. Each row names its rule and, in brackets, where its hours were read; what could not be
confirmed is left to the hours of the country. A table that was in force is never changed: a new one gets a new version, and the
old one stays in `TABLES`, because decisions name theirs by its digest. `docs/methods.md` says how to add a row.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

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
    mail_where_unknown: Literal["strictest"] | UnsetType = UNSET
    """Mail to somebody whose region is unknown needs what every row of *implied* asks for; unset: it needs nothing."""


def _hours(region: str, source: str, weekday: Span, saturday: Span, sunday: Span, *, holidays: bool = True) -> CallHours:
    return CallHours(region=region, weekday=weekday, saturday=saturday, sunday=sunday, holidays=holidays, source=source)


_8, _9, _10, _NOON, _17, _18, _20, _21 = (60 * hour for hour in (8, 9, 10, 12, 17, 18, 20, 21))

LAW_2026_1 = LawTable(
    version="2026.1",
    hours=(
        _hours("*", "policy: where no row is known, the hours of the US floor", (_8, _21), (_8, _21), (_8, _21)),
        _hours("US", "47 CFR 64.1200(c)(1), 16 CFR 310.4(c) [nwdebtresolution.com]", (_8, _21), (_8, _21), (_8, _21)),
        _hours(
            "US-AL", "Ala. Admin. Code r. 770-X-5-.17(1)(b), (2)(b) [casetext.com]", (_8, _20), (_8, _20), None, holidays=False
        ),
        _hours("US-CT", "Conn. Gen. Stat. 42-288a(c) [dropcowboy.com/state-compliance]", (_9, _20), (_9, _20), (_9, _20)),
        _hours("US-FL", "Fla. Stat. 501.616(6)(a) [lawserver.com, flsenate.gov]", (_8, _20), (_8, _20), (_8, _20)),
        _hours("US-KY", "KRS 367.46955(16) [dropcowboy.com/state-compliance]", (_10, _21), (_10, _21), (_10, _21)),
        _hours("US-LA", "La. R.S. 45:811(2), (3) [lawserver.com]", (_8, _20), (_8, _20), None, holidays=False),
        _hours("US-MA", "201 CMR 12.02(2) [regulations.justia.com]", (_8, _20), (_8, _20), (_8, _20)),
        _hours("US-MD", "Md. Com. Law 14-4502(c) [dropcowboy.com/state-compliance]", (_8, _20), (_8, _20), (_8, _20)),
        _hours("US-MI", "MCL 750.540e(1)(f) [dropcowboy.com/state-compliance]", (_9, _21), (_9, _21), (_9, _21)),
        _hours("US-MS", "Miss. Code 77-3-723(1) [dropcowboy.com/state-compliance]", (_8, _20), (_8, _20), None),
        _hours("US-NM", "NMSA 57-12-22(B)(5) [dropcowboy.com/state-compliance]", (_9, _21), (_9, _21), (_9, _21)),
        _hours(
            "US-OK",
            "Telephone Solicitation Act of 2022, 15 O.S. 775C.1 ff. [lermansenter.com]",
            (_8, _20),
            (_8, _20),
            (_8, _20),
        ),
        _hours("US-RI", "R.I. Gen. Laws 5-61-2(2), 5-61-3.6 [rilegislature.gov]", (_9, _18), (_10, _17), None, holidays=False),
        _hours(
            "US-TX",
            "Tex. Bus. & Com. Code 301.051 [legalclarity.org; Sundays from a digest of state laws]",
            (_9, _21),
            (_9, _21),
            (_NOON, _21),
        ),
        _hours("US-UT", "Utah Code 13-25a-103(3) [codes.findlaw.com]", (_8, _21), (_8, _21), None, holidays=False),
        _hours("US-WA", "RCW 80.36.390, 19.158.110 (HB 1497 of 2022) [dwt.com]", (_8, _20), (_8, _20), (_8, _20)),
        _hours(
            "CA", "CRTC Unsolicited Telecommunications Rules, part III [northerntel.ca]", (_9, 1290), (_10, _18), (_10, _18)
        ),
    ),
    registers=(
        Register(
            country="US",
            check_days=31,
            purchase_months=18,
            inquiry_months=3,
            source="47 CFR 64.1200(f) [cornbelttelephone.com], 16 CFR 310.4(b) [consumer.ftc.gov]",
        ),
    ),
    implied=(
        ImpliedConsent(
            country="CA",
            purchase_months=24,
            inquiry_months=6,
            source="CASL, S.C. 2010 c. 23, s. 10(9), 10(10) [crtc.gc.ca/eng/com500/guide.htm, millsandmills.ca]",
        ),
    ),
    express=("fax", "text_message"),
    express_source="policy everywhere; of faxes also 47 CFR 64.1200(a) [saxton.org]",
)

#: The same rows; and where somebody lives whom nobody knows to live anywhere counts as where most is asked, for mail as well.
CURRENT = msgspec.structs.replace(LAW_2026_1, version="2026.2", mail_where_unknown="strictest")


def digest_of(table: LawTable) -> str:
    """Return the SHA-256 under which decisions name *table*."""
    return digest(canonical(table))


DIGEST = digest_of(CURRENT)

#: Every table that was ever in force, by its digest.
TABLES: dict[str, LawTable] = {digest_of(table): table for table in (LAW_2026_1, CURRENT)}
