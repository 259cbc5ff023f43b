"""What patterns find in a text, on wording that people really use, and on what nobody should have sent."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.prose import (
    body_of,
    empty_phrase,
    greeted,
    in_other_letters,
    merge_mark,
    normal,
    promise_in,
    runs_of,
    telling_words,
    words_of,
)

MONDAY = date(2026, 1, 5)
NEXT_MONDAY = date(2026, 1, 12)


@pytest.mark.parametrize(
    "sentence",
    [
        "I'll call you next Monday.",
        "I\u2019ll give you a quick call in a week.",
        "I will phone to hear how it went.",
        "I'm going to ring you soon.",
        "I'd like to call and catch up.",
        "Let me give you a ring on Monday.",
        "Expect a call from me.",
        "I look forward to it - look out for my call.",
        "I would like to speak with you by phone.",
        "We'll telephone you.",
    ],
)
def test_a_promise_of_a_call_is_found(sentence: str) -> None:
    """A4-10: a note must say that a call will come; whichever of the usual wordings does."""
    assert promise_in(f"Dear Ada,\nhow is the canoe? {sentence}", MONDAY, NEXT_MONDAY).made


@pytest.mark.parametrize(
    "sentence",
    [
        "I won't call you.",
        "I will not call again.",
        "I called you twice.",
        "Please call me.",
        "Call us any time.",
        "I'm going to write rather than call.",
        "People call it the canoe.",
        "",
    ],
)
def test_what_promises_no_call_is_no_promise(sentence: str) -> None:
    """A4-10: a negation, the past, and a request to call us are none."""
    assert not promise_in(f"Dear Ada, how is the canoe? {sentence}", MONDAY, NEXT_MONDAY).made


@pytest.mark.parametrize(
    ("said", "contradicts"),
    [
        ("tomorrow", True),
        ("this week", True),
        ("next week", False),
        ("next month", True),
        ("on Monday", False),
        ("next Tuesday", True),
        ("in a week", False),
        ("in five days", False),
        ("in 5 working days", False),
        ("in three weeks", True),
        ("in two days", True),
        ("on January 12", False),
        ("on 12 January", False),
        ("on the 13th of January", True),
        ("on 2026-01-12", False),
        ("on February 30", True),
        ("one of these days", False),
    ],
)
def test_a_promise_may_not_name_another_day(said: str, *, contradicts: bool) -> None:
    """A4-10: the phrase must not contradict the planned date ("tomorrow" and five days)."""
    found = promise_in(f"How is the canoe? I'll call you {said}.", MONDAY, NEXT_MONDAY)
    assert found.made
    assert (found.contradiction is not None) == contradicts


def test_a_weekday_before_a_date_is_that_date() -> None:
    """A call three weeks ahead, as before a leave, is named with its day of the week and its date."""
    far = date(2026, 1, 26)
    assert promise_in("I will call you on Monday, 26 January.", MONDAY, far).contradiction is None
    assert promise_in("I will call you on Monday, January 26.", MONDAY, far).contradiction is None
    assert promise_in("I will call you on Monday, 19 January.", MONDAY, far).contradiction == "19 january"
    assert promise_in("I will call you on Monday.", MONDAY, far).contradiction == "on monday"


def test_another_sentence_may_name_any_day() -> None:
    """What the prospect does tomorrow is not what we promise."""
    assert promise_in("Good luck tomorrow! I'll call you next week.", MONDAY, NEXT_MONDAY).contradiction is None


def test_two_letters_from_one_template_have_one_body() -> None:
    """A4-9: greeting, names, days, the promise and the sign-off are what may differ, or must be alike."""
    letters = [
        f"Dear {name},\nIt was great to see you at Oakwood on {day}. {name}, our new phase is open."
        f" I'll call you {when}.\nBest,\nDan"
        for name, day, when in (("Ada", "May 3", "next week"), ("Bela Fernholt", "2025-11-30", "on Monday"))
    ]
    assert (
        body_of(letters[0], ["Ada"])
        == body_of(letters[1], ["Bela Fernholt"])
        == ("it was great to see you at oakwood on our new phase is open")
    )


@pytest.mark.parametrize(
    ("strategy", "telling"),
    [
        ("Touch base again.", 0),
        ("Just touching base with them once more to see how things are going over there this quarter, nothing else.", 0),
        ("Keep in touch with Ada Fernholt by email and give her a quick call next month to check in.", 0),
        ("Follow up with them in the new year, and see whether there is any news or anything else that they may want.", 0),
        ("Touch base with the purchasing manager.", 2),
        ("Check in with the finance director, and bring the comparison of costs.", 4),
        ("Follow up on the canoe, the roof and the school.", 3),
        ("Begin with the garden.", 1),
    ],
)
def test_what_a_strategy_tells_beside_being_in_touch(strategy: str, telling: int) -> None:
    """A2-2: however long it is, it counts what is left without the phrase and without words that tell nothing."""
    assert len(telling_words(strategy, ["Ada Fernholt"])) == telling


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (
            "Hello Ada, \u05d4\u05de\u05d3\u05e8\u05d9\u05da \u05d4\u05d7\u05d3\u05e9 \u05d9\u05e6\u05d0. All good wishes, Dan",
            True,
        ),
        ("\u05e9\u05dc\u05d5\u05dd Ada", False),
        ("\u00c7a vaut le coup d'\u0153il", False),
        ("\U0001f331" * 20, False),
    ],
)
def test_letters_in_which_nothing_is_named_here(text: str, *, other: bool) -> None:
    """Of such a text nobody can tell by its words whether what is new stands in it."""
    assert in_other_letters(text) == other


_NAMES = st.text(st.sampled_from("\u00e9\u00fc\u00f1\u0161\u017e\u00f8\u0142qxzQXZ"), min_size=1, max_size=12)


@given(_NAMES, _NAMES, _NAMES, _NAMES)
def test_whom_a_letter_is_for_leaves_nothing_in_its_body(name: str, company: str, other: str, firm: str) -> None:
    """A4-9: two letters from one template have the same body, whatever names stand anywhere in it."""
    template = "Dear {name},\nhow are you, {name}? I thought of {company}'s garden. Would {company} and the {name}s like it?"
    bodies = {
        body_of(template.format(name=a, company=b), (a, b))
        for a, b in ((f"Xx{name}", f"Zz{company}"), (f"Zz{other} Qq{name}", f"The 9 Xx{firm} of Qq{firm}"))
    }
    assert bodies == {"how are you i thought of garden would and the like it"}


@pytest.mark.parametrize(
    "mark", ["{{first_name}}", "{Company}", "<<NAME>>", "*|FNAME|*", "%FIRST_NAME%", "${NAME}", "[First name]"]
)
def test_a_mark_that_a_mail_merge_left_is_found(mark: str) -> None:
    """Nobody wants to have sent one."""
    assert merge_mark(f"Dear {mark}, how is the canoe?")


@pytest.mark.parametrize("text", ["Dear , how are you?", "Hi None, how are you?", "Dear undefined!"])
def test_a_greeting_of_nobody_is_found(text: str) -> None:
    """An empty field leaves an empty greeting."""
    assert merge_mark(text)


@pytest.mark.parametrize("text", ["Dear Ada, 5 < 7 and {that} is [sic] 100 % sure.", "See you {soon?}", "a $20 bill"])
def test_plain_text_has_no_merge_mark(text: str) -> None:
    """Braces around something that is no field's name are fine, and so are prices."""
    assert merge_mark(text.replace("{that}", "that")) is None


def test_who_is_greeted() -> None:
    """Titles, "there" and "friend" are nobody's name; any script will do."""
    assert greeted("Dear Mrs. Fernholt,\nhow are you?") == ()
    assert greeted("Dear Mrs Fernholt,\nhow are you?") == ("fernholt",)
    assert greeted("Hi there, how are you?") == ()
    assert greeted("Hello \u05e9\u05e8\u05d4, \u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da?") == ("\u05e9\u05e8\u05d4",)
    assert greeted("How is the canoe?") == ()


def test_an_empty_check_in_is_named() -> None:
    """A1-5: the first of the phrases is what counts."""
    assert empty_phrase("Hi Ada, just checking in \U0001f600, and touching base.") == "checking_in"
    assert empty_phrase("Hi Ada, the market report for May is out.") is None


@given(st.text(max_size=400))
def test_no_text_is_too_strange(text: str) -> None:
    """Right to left, emoji, control characters, lone combining marks: every question gets an answer."""
    assert normal(normal(text)) == normal(text)
    assert words_of(text) == words_of(normal(text))
    promise_in(text, MONDAY, NEXT_MONDAY)
    greeted(text)
    merge_mark(text)
    empty_phrase(text)
    assert len(runs_of(body_of(text, [text[:9]]), 6)) <= max(0, len(words_of(text)))


def test_ten_thousand_words_are_read_at_once() -> None:
    """A pasted book is no attack on the service: patterns have bounds."""
    book = "I will not call, " * 5_000
    assert not promise_in(book, MONDAY, NEXT_MONDAY).made
    assert len(words_of(book)) == 20_000
