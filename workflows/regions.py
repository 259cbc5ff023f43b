"""The codes of countries and of the states and provinces of the United States and Canada: any other is an unknown region.

From ISO 3166-1 (alpha-2; the list ``iso3166.tab`` of the IANA time zone database, 2025b) and ISO 3166-2. Territories of the
United States are written as parts of it (``US-PR``), because its law binds there. Parts of other countries are not listed:
no row of a law table names one.
"""

_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG
VN VU WF WS YE YT ZA ZM ZW
"""
_STATES = """
AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ NM NV NY
OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY
"""
_PROVINCES = "AB BC MB NB NL NS NT NU ON PE QC SK YT"

COUNTRIES = frozenset(_COUNTRIES.split())

#: By country, where a state or a province may have law of its own.
PARTS = {"US": frozenset(_STATES.split()), "CA": frozenset(_PROVINCES.split())}


def is_known(region: str) -> bool:
    """Tell whether *region* is a country, or a part of one that may have law of its own."""
    country, _, part = region.partition("-")
    return country in COUNTRIES and (not part or country not in PARTS or part in PARTS[country])


def meant_by(region: str) -> str:
    """Return what may be meant by a *region* that is not known, such as ``US-FL`` for ``FL``; empty where nobody can tell."""
    part = region.rpartition("-")[2]
    return " or ".join(f"{country}-{part}" for country, parts in PARTS.items() if part in parts)
