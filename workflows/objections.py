"""Objections in a person's own words: whether they want no more mail, no more calls, or no contact at all. English is read.

A missed objection is worse than a channel that was closed wrongly; but who only answers is to stay a person who answered. So
each pattern asks for words that address the sender (stop mailing *me*, remove *me*), or that stand alone (*unsubscribe*).
"""

import re
from collections.abc import Iterator
from typing import Literal

from workflows.prose import normal
from workflows.wishes import is_doubtful, is_wish, joined

#: What is objected to: mail, calls, what comes by post, or every kind of contact.
Aim = Literal["email", "call", "post", "all"]

#: Below mails of ours stands a way out; quoted without a mark, it is no word of the sender.
_OURS = re.compile(r"(?<!\S)\S*(?:/u/|\bunsubscribe(?: |%20))[\w-]{20,}\S*|^no more mail from us, please[.:]?$")
_OF_SENDER = re.compile(r"\b(?:me|my|i)\b")

#: Sentences have fewer characters; patterns are given no more at a time, as their time grows with the square.
_MOST_CHARACTERS = 600
_MOST_OF_CLAUSE = 80

_ENDS = re.compile(r"(?<=[.!?;])\s+|[\u2026\u3002]|\n")
_CLAUSES = re.compile(r"\s*(?:[,;:()\"]|\s-+\s|\band\b|\bbut\b|\bso\b|\bthen\b|\bbecause\b|\bsince\b)\s*")
_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|kindly|just|now|hi|hello|dear|hey|sir|madam|thanks|thank you|sorry|no|ok|okay|yes|again"
    r"|also|then|all"
    r"|could you|can you|would you|will you|you|i (?:would|'d) (?:like|ask you)|i'd like|i (?:want|wish|ask you|request)|to"
    r"|we (?:want|wish|ask you)|immediately|asap|simply|finally|at once|for god's sake|ffs)\b[ ,]*)+"
)

_WHOM = r"(?:me|us|my \w+|our \w+|this (?:address|number|mailbox|account|person|e-?mail)|here)"
_NO_LIST = (
    r"(?:from|off|out of) (?:your|this|the|these|any|all|that|mailing|e-?mail)\b(?: \w+){0,4}?"
    r" ?(?:lists?|mailings?|distribution|newsletters?|e-?mails?|mails?|campaigns?|sequences?)\b"
)
_NO_DATA = (
    r"(?:from|off|out of) (?:your|this|the|any|all)\b(?: \w+){0,2}? ?(?:databases?|data|records?|files?|systems?|crm|books)\b"
)
_MAILS = r"(?:e-?mails?|mails?|mailings?|messages?|newsletters?|spam|junk|e-?mailings?)"
_ADJECTIVES = (
    r"(?:(?:all|any|more|further|these|this|those|your|such|the|of|unsolicited|unwanted|marketing|sales|stupid|annoying)\s)*"
)

_VERBS = {
    "email": r"e-?mail(?:ing)?|mail(?:ing)?|spam(?:ming)?|messag(?:e|ing)|send(?:ing)?",
    "call": r"call(?:ing)?|phon(?:e|ing)|ring(?:ing)?|telephon(?:e|ing)|cold-?call(?:ing)?",
    "all": r"contact(?:ing)?|writ(?:e|ing)|bother(?:ing)?|disturb(?:ing)?|harass(?:ing)?|pester(?:ing)?|approach(?:ing)?"
    r"|chas(?:e|ing)|annoy(?:ing)?|badger(?:ing)?|hassl(?:e|ing)|solicit(?:ing)?|follow(?:ing)? up|reach(?:ing)? out"
    r"|text(?:ing)?",
}  # fmt: skip
_VERB = "|".join(_VERBS.values())
_AGAINST = re.compile(
    r"\b(?P<no>do not|don't|dont|never|not to|must not|mustn't|may not|should not|shouldn't|not|no longer"
    r"|stop|cease|quit|refrain from|desist from|discontinue|end)"
    r" (?:(?:ever|please|again|even|dare|to|try|trying|keep|all|any|you|attempt) )*"
    rf"(?P<verbs>(?:{_VERB})(?:(?:,? (?:or|and|nor) |/)(?:{_VERB}))*)\b"
)
_REST = re.compile(
    rf"^ (?:these|those|this|that)\b[.! ]*$|^[.!?,;:)]*$|^(?: to| with)? {_WHOM}\b|^ (?:any ?more|again|ever"
    rf"|any longer|further|now|please|at all"
    rf"|immediately|this)\b"
    rf"|^ {_ADJECTIVES}(?:{_MAILS}|letters?|post|notes?|stuff|offers?|advert\w*|anything|things|brochures?|calls?|contact)\b"
)
_ASIDE = re.compile(
    r"\b(?:why|you|they|he|she|who|did|didn't|i|we|have|had)(?: would| will| have| had| could)? ?$"
    r"|\b(?:why (?:do|did|would)n't|why (?:do|did) (?:you|they)) ?$"
)
_NOT_BEFORE = re.compile(
    r"\b(?:do not|don't|dont|never|not|didn't|did not|can't|cannot|won't|wouldn't|no need to|without|instead of|rather than"
    r"|why did you|did you|have you|filters?|who told you to)(?: [\w']+){0,3} ?$"
)
_MISTAKEN = re.compile(r"\b(?:by (?:mistake|accident)|mistakenly|accidentally|in error|was a mistake|unintentional\w*)\b")
_GENERAL = re.compile(
    r"^(?:click|tap|follow)\b|\b(?:if|should|when) you (?:do not|don't|no longer|would|want|wish|prefer|receive|are)\b"
    r"|\byou (?:can|may|could) (?:also )?unsubscribe\b|^to unsubscribe\b|\byou (?:are receiving|received|get"
    r"|have received) this\b"
    r"|\|"
)

_ALONE = re.compile(
    rf"^(?:unsubscribe|un-subscribe|opt[- ]?out|opt me out|optout|stop(?: it| this| that| now)?|remove|remove (?:me|us)"
    rf"|take (?:me|us) off|cancel my subscription|no more|{_MAILS} off|off your list|no more {_MAILS})"
    rf"(?: (?:{_WHOM}|it|this|that|now|please|asap|immediately|everything|all|at once|today|from \w+(?: \w+){{0,6}}|thanks?"
    rf"|thank you|already|right now|off \w+(?: \w+){{0,5}})){{0,4}}$"
)
_NO_MORE = re.compile(r"no more\b")
_UNSUBSCRIBE = re.compile(
    r"(?<!customers )(?<!people )(?<!users )(?<!readers )(?<!clients )\b(?:un-?subscribe\b(?! (?:requests?|rates?"
    r"|process|handling|feature|headers?|pages?|policy|numbers?|buttons? (?:is|are|looks)"
    r" (?:nice|good|fine)))|opt(?:ing)?[- ]?out\b(?! of (?:the|our) (?!(?:\w+ )?(?:list|newsletter|mail|e-?mail)))"
    r"|opt (?:me|us) out\b)"
)
_STILL = re.compile(r"\bunsubscribed\b.*\b(?:still|again|keep|keeps|twice|times)\b|\b(?:still|keep)\b.*\bunsubscribed\b")

_OF_MAIL = re.compile(
    rf"\b(?:stop|cease|end|quit|discontinue) (?:sending )?{_ADJECTIVES}{_MAILS}\b"
    rf"|\b(?:remove|take|strike|drop|scratch|get|delete|cross) (?:{_WHOM}|my (?:e-?mail )?(?:name|address)|myself"
    rf"|my e-?mail address)"
    rf" {_NO_LIST}"
    r"|\b(?:remove|take) (?:me|us) off[.!]*$|\b(?:off|from) your (?:mailing |e-?mail )?list\b"
    rf"|(?<!get )(?<!getting )(?<!got )(?<!received )(?<!receive )(?<!have )\bno (?:more|further) {_ADJECTIVES}{_MAILS}\b"
    rf"|(?:\bnot|n't|\bdont|\bno longer|\bnever)\b[^,]{{0,20}}\b(?:want|wish|like|care|need|interested)\b[^,]{{0,20}}"
    rf"\b(?:your|these|this|any|more|further|receiv\w+|get|getting) {_ADJECTIVES}{_MAILS}\b"
    r"|(?:\bnot|n't|\bno longer)\b[^,]{0,15}\b(?:want|wish|like)\b[^,]{0,8}\b(?:be|being) (?:e-?mailed|mailed"
    r"|messaged|spammed)\b"
    r"|\b(?:cancel|end|terminate|stop) (?:my|this|the|our) subscription\b"
    r"|\bthis is (?:just |pure |nothing but )?(?:spam|harassment)\b|\breport(?:ed|ing)? (?:you|this|it"
    r"|your \w+) (?:as|for) spam"
    r"|\b(?:mark|marked|marking|flag\w*) (?:you|this|it|your \w+) as spam\b|\byou (?:are|keep|are just) spamming\b"
)
_OF_CALLS = re.compile(
    r"\bno (?:more|further) (?:phone )?calls\b|(?:\bnot|n't|\bno longer)\b[^,]{0,15}\b(?:want|wish"
    r"|like)\b[^,]{0,12}\b(?:be called|calls)\b"
    r"|\b(?:lose|delete|remove|forget) my (?:phone |telephone |mobile )?number\b"
)
_OF_POST = re.compile(
    r"\bno (?:more|further) (?:letters|post|notes)\b|(?:\bnot|n't)\b[^,]{0,15}\b(?:want|send)\b[^,]{0,15}\bletters\b"
)
_ERASE = re.compile(
    r"\b(?:delete|erase|remove|destroy|wipe|purge|forget) (?:all |any )?(?:of )?(?:my|our)(?: personal| contact"
    r"| private| own)?"
    r" (?:data|details|information|info|account|records?|contact|profile|personal\w*|file|address|e-?mail address|name)\b"
    rf"(?! (?:{_NO_LIST}))"
    r"|\b(?:delete|erase|forget|remove) (?:everything|all|all data|whatever|anything)(?: that)?"
    r"(?: you (?:have|hold|store|know|keep|saved))?(?: (?:on|about|of) (?:me|us))\b"
    r"|\b(?:delete|erase|remove) (?:me|us)(?: (?:completely|entirely|altogether))? "
    + _NO_DATA
    + "|"
    + r"\b(?:delete|erase) me\b|\bright to (?:be forgotten|erasure)\b|\b(?:gdpr|dsgvo|ccpa)\b.*\b(?:delet|eras|remov)\w+"
    r"|\b(?:delet|eras)(?:e|ion|ure|ing)\b.*\b(?:gdpr|dsgvo|ccpa|article 17|my (?:personal )?data)\b"
    r"|\bplease forget (?:about )?me\b"
)
_OF_ALL = re.compile(
    r"\bleave (?:me|us|my family|my wife|my husband) (?:alone|in peace|be)\b|(?:^|[,;:] ?|please |just "
    r"|now )(?:go away\b(?! (?:in|on|for|to|from|next|this|with|every))|get lost\b)|\b(?:piss|fuck|bugger) off\b"
    r"|(?:^|[,;:] ?|please |just |now )lose my (?:e-?mail|address|contact|details|name)\b"
    r"|(?<!was )(?<!were )(?<!had )(?<!been )(?<!have )(?<!be )\bno (?:more|further) contact\b|^no contact\b"
    r"|(?:\bnot|n't|\bdont|\bnever|\bno longer)\b[^,]{0,20}\b(?:want|wish|like|care"
    r"|need)\b[^,]{0,25}\b(?:hear(?:ing)? (?:from|of|anything|any ?more)|approached|bothered|disturbed"
    r"|contact(?:ed)?(?: (?:from|with|by) (?:you|your)| again| any ?more|[.!]*$))(?!\w)"
    r"|\b(?:withdraw|revoke) (?:my|our|any|all) (?:consent|permission)\b|\bi (?:hereby )?object to\b.*\b(?:processing"
    r"|marketing|use|contact)"
    r"|\bcease (?:and desist|all (?:contact|communications?))\b|\bnobody (?:ever )?(?:contacts|bothers"
    r"|approaches) (?:me|us)\b|(?:\bnot|n't|\bnever) (?:give |given )?(?:my )?consent\b|\bdo[- ]not[- ]contact list\b"
    r"|\bnever again\b[.!]*$"
)
_CALL_ME = re.compile(
    r"\b(?:call|phone|ring|text) (?:me|us|my)\b|\bgive (?:me|us) a (?:call|ring)\b|\b(?:by|over the|on the) (?:phone"
    r"|telephone)\b"
    r"|\b(?:phone|calls?|calling) (?:is|are|would be|works?) (?:fine|ok|okay|better|best|good)\b"
)
_MAIL_ME = re.compile(
    r"\b(?:e-?mail|write) (?:to )?(?:me|us)\b|\bby e-?mail\b|\b(?:e-?mails?|mail|writing) (?:is|are|would be"
    r"|works?) (?:fine|ok|okay|better|best|good)\b"
)
_NOT_WELCOME = re.compile(r"\b(?:not|never|if|stop|dont)\b|n't\b")


def aim_of(subject: str, words: str) -> Aim | None:
    """Return what a mail with *subject* and the sender's own *words* objects to; None for one that does not."""
    said = _said(words)
    if _MISTAKEN.search(said):
        return None
    # The subject of an answer is ours.
    titles = [] if _ANSWERS.match(subject) else _sentences(_said(subject))
    sentences = [*titles, *_sentences(said)]
    aims = [aim for sentence in sentences for aim in _aims(sentence)]
    if not aims or any(map(_erases, sentences)):
        return "all" if aims else None
    clauses = [clause for sentence in sentences for clause in re.split(r"[,;:]", sentence) if not any(_aims(clause))]
    ways = [clause for clause in clauses if not _NOT_WELCOME.search(clause)]
    return _widest(set(aims), any(map(_CALL_ME.search, ways)), any(map(_MAIL_ME.search, ways)))


def asks_erasure(words: str) -> bool:
    """Tell whether *words* ask that what is held about the sender be deleted."""
    return any(map(_erases, _sentences(_said(words))))


def _said(text: str) -> str:
    """Return *text* in its normal form, without what stands below mails of ours."""
    kept: list[str] = []
    for line in normal(text).split("\n"):
        own = _OURS.sub("", line).strip()
        if own == line or (own and not own.endswith(":")) or _OF_SENDER.search(own):
            kept.append(own)
        elif not own and kept and kept[-1].endswith(":") and not _OF_SENDER.search(kept[-1]):
            kept.pop()
    return "\n".join(kept)


def _sentences(said: str) -> list[str]:
    found = (sentence for sentence in _ENDS.split(said) if sentence)
    return [each[at : at + _MOST_CHARACTERS] for each in found for at in range(0, len(each), _MOST_CHARACTERS)]


def _widest(aims: set[Aim], call_me: bool, mail_me: bool) -> Aim:
    """Return the one aim that covers *aims*; contact that goes on in the way that they named is no aim at all contact."""
    ways = aims - {"all"}
    if len(ways) > 1 or (aims == {"all"} and not (call_me or mail_me)):
        return "all"
    if "all" not in aims:
        return ways.pop()
    if call_me and ways <= {"email"}:
        return "email"
    return "call" if mail_me and ways <= {"call"} else "all"


def _aims(sentence: str) -> Iterator[Aim]:
    if _GENERAL.search(sentence):
        return
    if _erases(sentence):
        yield "all"
    sentence = joined(sentence)
    for clause in _CLAUSES.split(sentence.strip(" .!?;:-*_")):
        alone = _POLITE.sub("", clause.strip(" .!?*_-'")).strip(" .!?")
        # How soon to stop is no wish about when; of what there is to be no more, it is.
        if len(clause) <= _MOST_OF_CLAUSE and _ALONE.match(alone) and not (_NO_MORE.match(alone) and is_wish("", alone)):
            yield "email"
    if _STILL.search(sentence) or _found(_UNSUBSCRIBE, sentence):
        yield "email"
    named = _named(sentence)
    for pattern, aim in _PATTERNS:
        for before, said in _refusals(pattern, sentence):
            if not is_wish(before, said, said.startswith(_STOPS)):
                yield named or _sure(aim, sentence, said)
            elif aim == "all" and not is_wish("", said):
                yield "email"
    yield from _against(sentence, named)


_PATTERNS: tuple[tuple[re.Pattern[str], Aim], ...] = (
    (_OF_MAIL, "email"), (_OF_CALLS, "call"), (_OF_POST, "post"), (_OF_ALL, "all"),
)  # fmt: skip

_ANSWERS = re.compile(r"\s*(?:re|aw|fwd?|wg|antw)\s*:", re.IGNORECASE)
_BY_PHONE = (
    r"\b(?:by|via|on|over|per) (?:the |my )?(?:phone|telephone|mobile)\b|\b(?:at|on) (?:this|my) (?:\w+ )?number\b"
    r"|\bcall(?:ing)? list\b"
)
_BY_MAIL = (
    r"\b(?:(?:by|via|per|through|using) e-?mail|by mail|(?:at|on|to|under) this (?:e-?mail )?address"
    r"|to this (?:mailbox|e-?mail))\b"
)
_BY: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    ("email", re.compile(_BY_MAIL)),
    ("call", re.compile(_BY_PHONE)),
    ("post", re.compile(r"\b(?:by|via|per) (?:post|letter)\b")),
)
_AND_BY = re.compile(r"\b(?:or|and|nor) (?:by |via )?(?:phone|telephone|e-?mail|mail|post|letter)\b")
_STOPS = ("stop", "cease", "quit", "end", "discontinue", "refrain from", "desist from")


def _named(sentence: str) -> Aim | None:
    """Return the one way that *sentence* says it is about, or all where it names several."""
    found = [way for way, said in _BY if said.search(sentence)]
    if not found:
        return None
    return found[0] if len(found) == 1 and not _AND_BY.search(sentence) else "all"


def _found(pattern: re.Pattern[str], sentence: str) -> bool:
    """Whether *sentence* says what *pattern* looks for, and does not deny it."""
    return any(not _denied(sentence[: match.start()]) for match in pattern.finditer(sentence))


def _refusals(pattern: re.Pattern[str], sentence: str) -> Iterator[tuple[str, str]]:
    """Yield what stands before each refusal that *pattern* finds, and the refusal to the end of its clause."""
    for match in pattern.finditer(sentence):
        before = sentence[: match.start()]
        if not _denied(before):
            yield before, match[0] + re.split(r"[,;:]", sentence[match.end() :])[0]


def _sure(aim: Aim, sentence: str, said: str) -> Aim:
    """Return *aim*; of a doubtful wish for no contact at all only mail, which the sheet shows for a person to read."""
    return "email" if aim == "all" and is_doubtful(sentence, said) else aim


def _denied(before: str) -> bool:
    clause = re.split(r"[,;:]", before)[-1]
    return bool(_NOT_BEFORE.search(clause)) and not re.search(r"\bwhy don't you\b|\bcan(?:'t|not)\b|\bnot to\b", clause)


def _erases(sentence: str) -> bool:
    return not _GENERAL.search(sentence) and _found(_ERASE, sentence)


def _against(sentence: str, named: Aim | None) -> Iterator[Aim]:
    """Yield the aims of *do not contact me*, *stop calling me* and their like."""
    for match in _AGAINST.finditer(sentence):
        before, rest = sentence[: match.start()], re.split(r"[,;:]", sentence[match.end() :])[0]
        clause = re.split(r"[,;:]", before)[-1]
        stops = match["no"] in _STOPS
        denied = _denied(before) if stops else match["no"] != "not to" and _ASIDE.search(clause)
        if denied or not _REST.search(rest) or is_wish(before, rest, stops):
            continue
        if match["no"] == "not" and not _ASKED.search(before):
            continue
        if "send" in match["verbs"] and _BY_POST.search(rest):
            yield "post"
        elif named:
            yield named
        else:
            yield from (aim for aim, verb in _VERB_OF if verb.search(match["verbs"]))


_ASKED = re.compile(r"\b(?:can you|could you|would you|please|kindly|better) $")
_BY_POST = re.compile(r"\b(?:letters?|post|notes?|brochures?)\b")
_VERB_OF: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    ("email", re.compile(rf"\b(?:{_VERBS['email']})\b")), ("call", re.compile(rf"\b(?:{_VERBS['call']})\b")),
    ("all", re.compile(rf"\b(?:{_VERBS['all']})\b")),
)  # fmt: skip
