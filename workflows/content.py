"""Content checks: what is measured of a text that goes out, and the rules that judge it. Pure, and so derivable again.

A rule sees numbers, never words: what it used is stored with the decision, and the text may be erased later. Thresholds are
the playbook's (`workflows.playbooks.ContentLimits`). Their starting values rest on 12 personal notes, 12 from a template and 6
reworded ones: personal ones were at most 0.48 alike, reworded templates at least 0.82 (methods.md section 4).
"""

from collections.abc import Callable, Container, Mapping
from typing import Literal, NamedTuple

import msgspec

from workflows.events import Level, Scalar, Verdict
from workflows.playbooks import ContentLimits

#: How many characters of a text the checks read: what is longer is refused, for nobody would have checked its end.
MOST_CHARACTERS = 20_000

#: Of an invitation, which describes all events of a list.
MOST_OF_INVITATIONS = 100_000

TextKind = Literal["note", "touch", "breakup_email", "breakup_voicemail", "nurture", "strategy", "invitation"]


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one text. Scores are per mille: 1000 is the very same."""

    words: int
    body_words: int
    """Without greeting, sign-off and promise of a call."""
    characters: int = 0
    characters_most: int = MOST_CHARACTERS
    """How many are read; of a longer text nothing else is measured."""
    closest: int = 0
    """How like the most similar text of the team it is."""
    closest_document: str | None = None
    repeats: int = 0
    """How many of the writer's last texts share a run of six words with it."""
    fact: int = 0
    """How much of the best matching personal fact stands in it."""
    fact_number: int | None = None
    """Which of the lead's facts that is, from 1."""
    fact_confirmed: int | None = None
    """The fact that the writer says was meant, from 1: paraphrases are beyond patterns."""
    facts: int = 0
    """How many facts are known."""
    meeting: int = 0
    """How much of what is known of the last meeting stands in it."""
    promise: bool = False
    contradiction: str | None = None
    """Words for another day than the planned one."""
    dated: bool = False
    """It names a day, or a span that ends on one, for the call."""
    long_gap: bool = False
    """The call comes so long after it that it must say when."""
    caller: bool | None = None
    """Whether it names the colleague who makes the call; None when its writer does."""
    empty: str | None = None
    """The name of the first phrase that says nothing but "me again"."""
    telling: int = 0
    """How many different words are left without such phrases, the lead's names, and words that any text may have."""
    prior: int | None = None
    """Where it comes to what the prospect was interested in, in words from the start; None when nowhere."""
    value: int | None = None
    """Where it comes to what is new, in words from the start; None when nowhere."""
    other_letters: bool = False
    """Some of it is in others than those in which new value is named, so that no program can tell whether that stands in it."""
    value_repeated: int = 0
    """How like the new value is to what the lead had before."""
    merge_mark: bool = False
    wrong_name: bool = False
    """The greeting has no name that may be the lead's."""
    greets_other: bool = False
    """It is the first name of another lead of the same rep, and not this one's."""
    other_lead: bool = False
    """Another lead of the same rep is named in full."""
    first_names: int = 0
    """How many first names of other leads of the same rep stand in the body, but for those that this lead told us of."""
    solution: bool = False
    benefit: bool = False
    attempts: bool = False
    """The true number of attempts is in it."""
    may_say_no: bool = False
    asks_to_reply: bool = False
    mentions_mail: bool = False


class Judgement(NamedTuple):
    """What one rule says."""

    level: Level
    reason: str
    """For a person; fit for the log: no word of the text is in it."""
    score: int | None = None
    inputs: Mapping[str, Scalar] = {}


class Rule(NamedTuple):
    """One check. *version* grows whenever the same text could be measured or judged otherwise.

    Recorded verdicts are never given again: a decision stores them whole, with the version that gave them.
    """

    check: str
    version: int
    judge: Callable[[Measures, ContentLimits], Judgement]


_FINE = "nothing to object"


def _personal_fact(m: Measures, limits: ContentLimits) -> Judgement:
    best = max(m.fact, m.meeting)
    inputs: dict[str, Scalar] = {"fact": m.fact, "fact_number": m.fact_number, "meeting": m.meeting, "least": limits.fact_least}
    if best >= limits.fact_least:
        return Judgement("pass", _FINE, best, inputs)
    if m.fact_confirmed is not None and m.fact_confirmed <= m.facts:
        reason = f"Fact {m.fact_confirmed} is not in it word for word; its writer says that it is what was meant."
        return Judgement("warn", reason, best, {**inputs, "confirmed": m.fact_confirmed})
    known = f"{m.facts} are known; say which one it is with --fact" if m.facts else "none is known yet"
    return Judgement("refuse", f"It uses none of the personal facts about the prospect ({known}).", best, inputs)


def _reminds(m: Measures, limits: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"meeting": m.meeting, "least": limits.meeting_least}
    if m.meeting >= limits.meeting_least:
        return Judgement("pass", _FINE, m.meeting, inputs)
    return Judgement(
        "warn", "It does not say where or when you met: they cannot look you up as you can them.", m.meeting, inputs
    )


def _future_call(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"promise": m.promise, "contradiction": m.contradiction}
    if m.long_gap:
        inputs |= {"dated": m.dated, "long_gap": True}
    if not m.promise:
        return Judgement("refuse", "It does not say that you will call.", inputs=inputs)
    if m.contradiction:
        return Judgement("refuse", f"It says “{m.contradiction}”, and the call is planned for another day.", inputs=inputs)
    if m.caller is not None:
        inputs |= {"caller": m.caller}
    if m.caller is False:
        reason = "A colleague makes the call, and it does not name them: write “my colleague” and the name."
        return Judgement("refuse", reason, inputs=inputs)
    if m.long_gap and not m.dated:
        return Judgement("refuse", "The call comes long after it, so it must say on which day.", inputs=inputs)
    return Judgement("pass", _FINE, inputs=inputs)


def _not_form_letter(m: Measures, limits: ContentLimits) -> Judgement:
    level: Level = "pass"
    if m.closest >= limits.form_letter_refuse and m.body_words >= limits.short_below_words:
        level = "refuse"
    elif m.closest >= limits.form_letter_warn:
        level = "warn"
    inputs: dict[str, Scalar] = {
        "closest": m.closest,
        "closest_document": m.closest_document,
        "body_words": m.body_words,
        "warn": limits.form_letter_warn,
        "refuse": limits.form_letter_refuse,
    }
    reason = f"{_share(m.closest)} of it stands in another text that the team sent (document {m.closest_document})."
    return Judgement(level, reason if level != "pass" else _FINE, m.closest, inputs)


def _not_repeated(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"repeats": m.repeats}
    if not m.repeats:
        return Judgement("pass", _FINE, 0, inputs)
    return Judgement("warn", f"Six words in a row are as in {m.repeats} of your last texts.", m.repeats, inputs)


def _no_empty_check_in(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"phrase": m.empty, "value": m.value}
    if m.empty is None:
        return Judgement("pass", _FINE, inputs=inputs)
    phrase = m.empty.replace("_", " ")
    if m.value is not None:
        return Judgement("info", f"“{phrase}” is fine where something new comes with it.", inputs=inputs)
    return Judgement("refuse", f"“{phrase}” and nothing new: say what is in it for them.", inputs=inputs)


def _new_value(m: Measures, limits: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"value": m.value, "value_repeated": m.value_repeated, "below": limits.value_repeated_below}
    repeated = m.value_repeated >= limits.value_repeated_below
    if m.value is None and m.other_letters and not repeated:
        reason = "It is in other letters than the new value is named in: see for yourself that it is there."
        return Judgement("warn", reason, m.value_repeated, {**inputs, "other_letters": True})
    if m.value is None:
        return Judgement("refuse", "The new value that was chosen is not in the text.", m.value_repeated, inputs)
    if repeated:
        return Judgement("refuse", "It brings nearly what they had before.", m.value_repeated, inputs)
    return Judgement("pass", _FINE, m.value_repeated, inputs)


def _recalls_prior_interest(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"prior": m.prior, "value": m.value}
    if m.prior is None:
        return Judgement("refuse", "It does not recall what they were interested in.", inputs=inputs)
    if m.value is not None and m.value < m.prior:
        return Judgement("warn", "First what they were interested in, then what is new.", inputs=inputs)
    return Judgement("pass", _FINE, inputs=inputs)


def _breakup_parts(m: Measures, _: ContentLimits) -> Judgement:
    parts = {
        "solution": m.solution,
        "benefit": m.benefit,
        "attempts": m.attempts,
        "may_say_no": m.may_say_no,
        "asks_to_reply": m.asks_to_reply,
    }
    names = {
        "solution": "the solution that was agreed on",
        "benefit": "its benefit",
        "attempts": "how often you tried",
        "may_say_no": "that a no is fine",
        "asks_to_reply": "the request to reply",
    }
    missing = [names[part] for part, there in parts.items() if not there]
    if missing:
        return Judgement("refuse", f"The breakup lacks {', '.join(missing)}.", inputs=dict(parts))
    return Judgement("pass", _FINE, inputs=dict(parts))


def _mentions_mail(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"mentions_mail": m.mentions_mail}
    if m.mentions_mail:
        return Judgement("pass", _FINE, inputs=inputs)
    return Judgement("refuse", "The voicemail does not say that a mail comes with it.", inputs=inputs)


def _no_merge_marks(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"merge_mark": m.merge_mark}
    if not m.merge_mark:
        return Judgement("pass", _FINE, inputs=inputs)
    return Judgement("refuse", "A mark of a mail merge was left in it, such as {name} or an empty greeting.", inputs=inputs)


def _right_name(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {
        "wrong_name": m.wrong_name,
        "greets_other": m.greets_other,
        "other_lead": m.other_lead,
        "first_names": m.first_names,
    }
    if m.greets_other:
        return Judgement("refuse", "The greeting is for another of your leads.", inputs=inputs)
    if m.wrong_name:
        return Judgement("refuse", "The greeting names somebody else.", inputs=inputs)
    if m.other_lead:
        return Judgement("refuse", "Another of your leads is named in it.", inputs=inputs)
    if m.first_names:
        said = "A first name" if m.first_names == 1 else f"{m.first_names} first names"
        return Judgement("warn", f"{said} in it may mean another of your leads.", inputs=inputs)
    return Judgement("pass", _FINE, inputs=inputs)


def _read_whole(m: Measures, _: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"characters": m.characters, "most": m.characters_most}
    if m.characters <= m.characters_most:
        return Judgement("pass", _FINE, m.characters, inputs)
    return Judgement("refuse", too_long(m.characters, m.characters_most), m.characters, inputs)


def too_long(characters: int, most: int) -> str:
    """Return the sentence about a text of more *characters* than the *most* that are read."""
    return f"It has {characters:,} characters, and the checks read {most:,} at most: shorten it."


def _length(m: Measures, limits: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {"words": m.words, "least": limits.words_least, "most": limits.words_most}
    if m.words > limits.words_refused_above:
        return Judgement("refuse", f"{m.words} words are no note: nobody writes or reads that by hand.", m.words, inputs)
    if not limits.words_least <= m.words <= limits.words_most:
        usual = f"{limits.words_least} to {limits.words_most}"
        return Judgement("info", f"{m.words} words; most notes have {usual}.", m.words, inputs)
    return Judgement("pass", _FINE, m.words, inputs)


#: So many words have to be left of a strategy that speaks of being in touch, without that and without words that tell nothing.
_PURPOSE_LEAST = 3


def _not_only_touch_base(m: Measures, _: ContentLimits) -> Judgement:
    # Beside "me again" a single word, such as whom to ask, is no purpose yet.
    least = 1 if m.empty is None else _PURPOSE_LEAST
    inputs: dict[str, Scalar] = {"phrase": m.empty, "telling": m.telling, "least": least}
    if m.telling >= least:
        return Judgement("pass", _FINE, m.telling, inputs)
    reason = "To be in touch again is no strategy: what do you want to find out or to bring?"
    return Judgement("refuse", reason, m.telling, inputs)


def _unique(m: Measures, limits: ContentLimits) -> Judgement:
    inputs: dict[str, Scalar] = {
        "closest": m.closest,
        "closest_document": m.closest_document,
        "warn": limits.form_letter_refuse,
    }
    if m.closest < limits.form_letter_refuse:
        return Judgement("pass", _FINE, m.closest, inputs)
    return Judgement(
        "warn", f"It is nearly the strategy for another account (document {m.closest_document}).", m.closest, inputs
    )


#: What is said of a text that is too long to be read, and then nothing else is.
READ_WHOLE = "read_whole"

RULES: dict[str, Rule] = {
    rule.check: rule
    for rule in (
        Rule("personal_fact", 1, _personal_fact),
        Rule("reminds_who_we_are", 1, _reminds),
        Rule("future_call", 5, _future_call),
        Rule("not_form_letter", 2, _not_form_letter),
        Rule("not_repeated", 2, _not_repeated),
        Rule("no_empty_check_in", 1, _no_empty_check_in),
        Rule("new_value", 2, _new_value),
        Rule("recalls_prior_interest", 1, _recalls_prior_interest),
        Rule("breakup_parts", 1, _breakup_parts),
        Rule("mentions_mail", 1, _mentions_mail),
        Rule("no_merge_marks", 1, _no_merge_marks),
        Rule("right_name", 2, _right_name),
        Rule("length", 1, _length),
        Rule(READ_WHOLE, 1, _read_whole),
        Rule("purpose", 2, _not_only_touch_base),
        Rule("own_strategy", 2, _unique),
    )
}

#: What is looked at in every text of a kind, whether or not a playbook asks for it: mistakes that nobody wants to send.
ALWAYS: dict[TextKind, tuple[str, ...]] = {
    "note": ("no_merge_marks", "right_name", "not_repeated", "length"),
    "touch": ("no_merge_marks", "right_name", "new_value"),
    "breakup_email": ("no_merge_marks", "right_name", "breakup_parts"),
    "breakup_voicemail": ("mentions_mail",),
    "nurture": ("no_merge_marks", "right_name", "new_value", "no_empty_check_in"),
    "strategy": ("purpose", "own_strategy"),
    "invitation": ("no_merge_marks", "right_name"),
}


#: What a verdict says that it read, of a text that only a photo shows.
READ_OF_PHOTO = "two sentences"

#: What two sentences can pass of the whole text: the checks for which they are asked for, and what is said in them.
_PASSED_BY_SENTENCES: Mapping[str, frozenset[Level]] = {
    "personal_fact": frozenset({"pass", "warn"}),
    **dict.fromkeys(("future_call", "reminds_who_we_are", "recalls_prior_interest"), frozenset({"pass"})),
}

#: What they can find: one mistake is enough. That they hold none tells nothing of the rest, and neither does a small one, which
#: is a remark: somebody who has the whole text before them has to vouch for it.
_FOUND_IN_SENTENCES = frozenset(
    {
        "personal_fact", "future_call", "not_form_letter", "not_repeated", "no_empty_check_in", "no_merge_marks", "right_name",
        READ_WHOLE,
    }
)  # fmt: skip


def judge(
    kind: TextKind, asked: tuple[str, ...], measures: Measures, limits: ContentLimits, *, of_photo: bool = False
) -> tuple[Verdict, ...]:
    """Return the verdicts on a text of *kind*: of the checks *asked* for that a program can judge, and of those always made.

    *of_photo* says that two sentences were read, of a text that only a photo shows (`of_sentences`).
    """
    read = measures.characters <= measures.characters_most
    checks = dict.fromkeys((*asked, *ALWAYS[kind]) if read else (READ_WHOLE,))
    verdicts = (_verdict(RULES[check], measures, limits) for check in checks if check in RULES)
    if of_photo:
        verdicts = (told for verdict in verdicts if (told := of_sentences(verdict, asked)))
    return tuple(verdicts)


def of_sentences(verdict: Verdict, asked: Container[str]) -> Verdict | None:
    """Return what *verdict*, given of two sentences, says of the whole text; None when they tell nothing of that.

    A check that is *asked* for is not passed by a remark: somebody vouches for it. Where it is not, nobody has to.
    """
    passes = verdict.level in _PASSED_BY_SENTENCES.get(verdict.check, ())
    if not passes and (verdict.level not in ("info", "warn", "refuse") or verdict.check not in _FOUND_IN_SENTENCES):
        return None
    passed = passes or (verdict.level != "refuse" and verdict.check not in asked)
    return msgspec.structs.replace(verdict, passed=passed, inputs={**verdict.inputs, "read": READ_OF_PHOTO})


def is_remark(verdict: Verdict) -> bool:
    """Tell whether *verdict* is what a program found of a photo that is no reason to refuse, and passes nothing."""
    return not verdict.passed and verdict.level in ("info", "warn") and verdict.inputs.get("read") == READ_OF_PHOTO


def _verdict(rule: Rule, measures: Measures, limits: ContentLimits) -> Verdict:
    said = rule.judge(measures, limits)
    return Verdict(
        check=rule.check,
        passed=said.level != "refuse",
        source=f"content check {rule.check} version {rule.version}",
        inputs=dict(said.inputs),
        level=said.level,
        score=said.score,
        reason=said.reason if said.level != "pass" else None,
    )


def _share(score: int) -> str:
    return f"{score / 10:.0f} %"
