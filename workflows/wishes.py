"""Wishes about when, where and by whom somebody wants to be reached: they are answers to read, and close nothing."""

import re

_DAY = r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)days?"
#: A moment before which something is not to be; what somebody threatens with is none.
_BEFORE = r"before (?!i (?:call (?:the|my)|sue|report|go to|lose|take|file)\b)\w+"
_PLACES = (
    r"at (?:work|home|the office|night|school|lunch|dinner|weekends|the weekend)|in the (?:mornings?|evenings?|afternoons?)"
    rf"|(?<!sent )on (?:my (?:mobile|cell|landline|office|work)\b|{_DAY}|weekends|weekdays|(?:public )?holidays)"
    r"|during (?:my|the|our|work\w*|office|business|lunch|dinner)\b"
)
_NOW_ONLY = (
    r"until (?!now\b|today\b|then\b)\w+|till|(?:so|too) (?:early|late|often|much)|for now|for the (?:moment|time being)"
    r"|while (?!you|(?:i|we) (?:asked|told|said))\w+"
)
#: With these behind it, a refusal is a wish about when or where, or a word of politeness.
_ONLY_WHEN = re.compile(
    rf"\b(?:{_PLACES}|{_NOW_ONLY}|until|{_BEFORE}|(?<!of )(?<!from )(?<!starting )today|tomorrow|tonight|this (?:week|month"
    r"|morning|afternoon|evening|year|spring|summer|autumn|winter)|next (?:week|month|year|time|\w+day)"
    r"|when (?!(?:i|we) (?:have|had|told|said|asked|already))|during"
    rf"|between|on {_DAY}|weekends?|mornings?|evenings?"
    r"|after (?!this|that)|(?:so|too) soon|over (?:christmas|easter|the (?:weekend|holidays))"
    r"|for (?:a (?:while|week|month|year|few)|(?:the next )?(?:\d+|some|few|two|three|four|five|six) (?!years)\w+"
    r"|the next (?:days|weeks|months))"
    r"|yet|right now|by my first|(?:as|unless it is) (?:long as|urgent))\b"
)
#: The same behind *stop*, where "today" and "right now" say how soon.
_ONLY_FOR_NOW = re.compile(rf"\b(?:{_PLACES}|{_NOW_ONLY}|this week|before (?:\d|ten|nine|eight|noon|lunch|work|breakfast))\b")
#: A sentence that begins with a time or a place; "until now" and "before you write" begin others.
_FIRST = re.compile(
    rf"^\W*(?:(?:hi|hello|please|so|ok|thanks|but|and|just)\W+)*(?:{_PLACES}|until (?!now|today|yesterday|last|recently)\w+"
    rf"|till \w+|before (?!you|i\b)\w+|while (?!you)\w+|for now|for the (?:moment|time being)|this week|next week|weekends)\b"
    r"(?!.*\b(?:told|asked|said|wrote)\b)"
)
#: Who is not us; a firm by its name may well be us.
_OTHERS = re.compile(
    r"\b(?:from|with|by|of) (?:them|him|her|others|other \w+|(?:any|every|some)(?:one|body) else|another \w+"
    r"|(?:my|our|his|their) (?!e-?mail|address|number|family|side)\w+|your competitors?"
    r"|(?:the|that|those|these) (?:other|seller|buyer|bank|builder|landlord|tenant|lender|lawyer|owner|neighbou?r|insurance"
    r"|previous|old|former|contractor|competitor)\w*)\b"
    r"|\b(?:except|other than|apart from|besides) (?:from |by |with )?(?:you\b|yours\b)"
    r"|\b(?:no|any) ?(?:one|body)\b.{0,12}\bbut you\b"
    r"|\bonly (?:from |by |with )?you\b|\bfrom you (?:yes|it is fine|is fine)\b"
)
#: Nothing behind these makes less of them.
_FOR_GOOD = re.compile(
    r"\b(?:ever|anywhere|at all|for good|forever|any ?time|object|withdraw|revoke|consent|desist|off|spam\w*|harass\w*|lists?"
    r"|subscription|number|lose my|cease|any other|every \w+"
    r"|your (?:company|firm|team)|(?:or|and|nor) (?:by |from |with )?your?)\b"
)
#: Words that may end with a meeting as well as for good.
_OPEN = re.compile(r"\bcontact(?:ed)?\b|\bhear(?:ing)?\b")
_PAUSE = re.compile(
    r"\s*(?:[,;:]|\s-+)\s+(?=(?:(?:please|at least|just|thanks|thank you|sorry|not) )*"
    r"(?:until|till|before|for now|except|other than|apart from)\b)"
)


def joined(sentence: str) -> str:
    """Return *sentence* without the pauses before words that say when: "no more mail, at least until May" is one wish."""
    return _PAUSE.sub(" ", sentence)


def is_wish(before: str, said: str, stops: bool = False) -> bool:
    """Tell whether what is *said*, from the refusal to the end of its clause, refuses only some times, places or people."""
    if _FOR_GOOD.search(said):
        return False
    return bool((_ONLY_FOR_NOW if stops else _ONLY_WHEN).search(said) or _OTHERS.search(said) or _FIRST.search(before))


def is_doubtful(sentence: str, said: str) -> bool:
    """Tell whether *said* sounds like no contact at all, in a *sentence* that also speaks of a time, a place or others."""
    plain = not _OPEN.search(said) or _FOR_GOOD.search(said)
    return not plain and bool(_ONLY_WHEN.search(sentence) or _OTHERS.search(sentence))
