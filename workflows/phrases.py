"""English wording that content checks look for, as data. Another language is another module with the same names.

Patterns run on text that `workflows.prose.normal` has made: small letters, plain apostrophes, single spaces.
"""

import re

GREETING = re.compile(
    r"^\s*(?:dear|hi|hello|hey|good (?:morning|afternoon|evening))\b(?P<name>[^,:;!.?\n]{0,60})[,:;!.\n]?", re.IGNORECASE
)

#: Words after which no name follows in a greeting.
TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "the", "and", "family"})
NOBODY = frozenset({"there", "all", "everyone", "friend", "friends", "neighbor", "neighbour", "folks", "team", "again", "you"})

#: Short forms of first names that share too little with the whole for anybody to guess, and what each may stand for.
NICKNAMES = {
    "abby": ("abigail",), "annie": ("hannah", "johanna"), "barney": ("bernard",), "becky": ("rebecca",),
    "bess": ("elizabeth",), "betsy": ("elizabeth",), "betty": ("elizabeth",), "bill": ("william",), "billy": ("william",),
    "bob": ("robert",), "bobby": ("robert",), "buck": ("charles",), "cathy": ("katherine", "kathleen"), "chuck": ("charles",),
    "cindy": ("lucinda", "cynthia"), "dick": ("richard",), "dolly": ("dorothy",), "dot": ("dorothy",), "drew": ("andrew",),
    "fanny": ("frances",), "gus": ("august", "augustus"), "hal": ("henry", "harold"), "hank": ("henry",), "harry": ("henry",),
    "jack": ("john", "jackson"), "jim": ("james",), "jimmy": ("james",), "kate": ("catherine", "caitlin"),
    "kathy": ("catherine",), "katie": ("catherine", "caitlin"), "kit": ("christopher", "katherine"), "kitty": ("catherine",),
    "larry": ("laurence", "lawrence"), "libby": ("elizabeth",), "maggie": ("margaret",), "meg": ("margaret",),
    "mick": ("michael",), "mitch": ("mitchell", "michael"), "molly": ("mary",), "nan": ("ann", "anne"),
    "nancy": ("ann", "anne"), "ned": ("edward", "edmund"), "nell": ("ellen", "eleanor", "helen"), "nick": ("dominic",),
    "patty": ("martha",), "peggy": ("margaret",), "penny": ("penelope",), "polly": ("mary",), "rick": ("frederick",),
    "sadie": ("sarah",), "sally": ("sarah",), "sasha": ("alexander", "alexandra"), "sissy": ("cecilia",), "skip": ("james",),
    "ted": ("edward", "theodore"), "teddy": ("edward", "theodore"), "tess": ("theresa",), "tilly": ("matilda",),
    "tina": ("christina", "martina"), "trish": ("patricia",), "trudy": ("gertrude",), "wendy": ("gwendolyn",),
    "will": ("william",),
}  # fmt: skip

SIGN_OFF = re.compile(
    r"\n\s*(?:(?:with |my |all |kind |kindest |best |warm |warmest |many )*(?:regards|wishes|thanks)|sincerely|yours\b|cheers"
    r"|warmly|talk soon|see you soon|take care|all the best|best,|love,)[^\n]*(?:\n.*)?$",
    re.IGNORECASE | re.DOTALL,
)

_MYSELF = (
    r"\b(?:i'll|i will|i shall|i'm going to|i am going to|i'd like to|i would like to|i plan to|i mean to|i intend to"
    r"|i promise to|i want to|let me|we'll|we will|we'd like to)\b"
)
_TO_CALL = r"\b(?:call|phone|ring|telephone|(?:give|make) (?:you|them) (?:a|another) (?:\w+ )?(?:call|ring))\b"

#: A sentence that promises a call. What stands between may not turn it around: see `NOT`.
PROMISES = (
    re.compile(_MYSELF + r"(?P<between>[^.!?\n]{0,60}?)" + _TO_CALL),
    re.compile(r"\b(?:expect|look out for|watch for|look forward to)\b(?P<between>[^.!?\n]{0,20}?)\b(?:call|ring)\b"),
    re.compile(
        _MYSELF + r"(?P<between>[^.!?\n]{0,30}?)\b(?:speak|talk)\b[^.!?\n]{0,20}\b(?:by|over the|on the) (?:tele)?phone\b"
    ),
    re.compile(r"\b(?:(?P<between>)my call will (?:come|reach)|you will (?:get|have) (?:a|my) call)\b"),
)
#: The same of a call that somebody else makes.
PROMISE_OF_ANOTHER = re.compile(
    r"\b(?!(?:you|they|who|that)\b)\w+(?:'ll| will| is going to)\b(?P<between>[^.!?\n]{0,60}?)"
    r"\b(?:call|phone|ring|telephone|give|speak|talk)\b"
)
#: One of these stands in every promise above, so that a sentence with none of them need not be searched.
OF_CALLS = ("call", "phone", "ring")
NOT = re.compile(r"\b(?:not|never|no longer|rather than|instead of|without)\b")

NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "a couple of": 2, "a few": 3,
}  # fmt: skip
#: Words too common to show that a text speaks of something, or to be anybody's name.
COMMON = frozenset(
    (
        "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "did", "do", "for", "from", "had", "has", "have",
        "he", "her", "his", "how", "i", "if", "in", "is", "it", "its", "just", "like", "me", "my", "of", "on", "or", "our",
        "she", "so", "that", "the", "their", "them", "then", "there", "they", "this", "to", "up", "was", "we", "were",
        "what", "when", "which", "who", "will", "with", "would", "you", "your",
    )
)  # fmt: skip

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip

#: A breakup's permission to say no, and its request for an answer.
MAY_SAY_NO = re.compile(
    r"\b(?:no longer (?:a |your )?priorit|not (?:a |your )?priorit|if (?:it is|it's|that is|that's|the answer is) (?:a )?no\b"
    r"|(?:fine|okay|ok|all right|no problem|understand)\b[^.!?\n]{0,60}\b(?:no|not|longer|changed|elsewhere))"
)
ASKS_TO_REPLY = re.compile(r"\b(?:hit|press|just|simply|please)? ?reply\b|\bwrite back\b|\blet me know\b|\banswer this\b")

#: What a mail merge leaves behind when it fails.
MERGE_MARKS = (
    re.compile(r"\{\{[^{}\n]{0,60}\}\}|\{[A-Za-z][\w .-]{0,40}\}"),
    re.compile(r"<<[^<>\n]{1,60}>>|«[^«»\n]{1,40}»"),
    re.compile(r"\*\|[A-Z_:]{2,40}\|\*|%[A-Z_]{3,40}%|\$\{?[A-Z_]{3,40}\}?\$?"),
    re.compile(r"\[(?:first|last|full|your|their|company|name|date|insert)\b[^\]\n]{0,40}\]", re.IGNORECASE),
    re.compile(r"\b(?:dear|hi|hello)\s*(?:[,!:]|(?:none|null|nan|undefined)\b)", re.IGNORECASE),
)
