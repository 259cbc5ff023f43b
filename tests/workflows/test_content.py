"""The rules that judge what was measured: levels, thresholds of the playbook, and reasons without a word of the text."""

from typing import Any

import pytest

from workflows.content import RULES, Measures, judge, of_sentences
from workflows.events import Verdict
from workflows.playbooks import ContentLimits

LIMITS = ContentLimits()


def ruled(check: str, **measured: Any) -> Verdict:
    """Return the verdict of *check* on these measures."""
    return {v.check: v for v in judge("note", tuple(RULES), Measures(**{"words": 50, "body_words": 40, **measured}), LIMITS)}[
        check
    ]


@pytest.mark.parametrize(
    ("check", "measured", "level"),
    [
        ("personal_fact", {"fact": 800, "facts": 2}, "pass"),
        ("personal_fact", {"meeting": 900}, "pass"),
        ("personal_fact", {"fact": 799, "facts": 2}, "refuse"),
        ("personal_fact", {"fact": 100, "facts": 2, "fact_confirmed": 2}, "warn"),
        ("personal_fact", {"fact": 100, "facts": 2, "fact_confirmed": 3}, "refuse"),
        ("personal_fact", {}, "refuse"),
        ("reminds_who_we_are", {"meeting": 600}, "pass"),
        ("reminds_who_we_are", {"meeting": 599}, "warn"),
        ("future_call", {"promise": True}, "pass"),
        ("future_call", {"promise": True, "contradiction": "tomorrow"}, "refuse"),
        ("future_call", {}, "refuse"),
        ("not_form_letter", {"closest": 649}, "pass"),
        ("not_form_letter", {"closest": 650}, "warn"),
        ("not_form_letter", {"closest": 749}, "warn"),
        ("not_form_letter", {"closest": 750}, "refuse"),
        ("not_form_letter", {"closest": 1000, "body_words": 14}, "warn"),
        ("not_repeated", {"repeats": 0}, "pass"),
        ("not_repeated", {"repeats": 2}, "warn"),
        ("no_empty_check_in", {}, "pass"),
        ("no_empty_check_in", {"empty": "checking_in"}, "refuse"),
        ("no_empty_check_in", {"empty": "checking_in", "value": 7}, "info"),
        ("new_value", {"value": 7}, "pass"),
        ("new_value", {"value": 7, "value_repeated": 800}, "refuse"),
        ("new_value", {}, "refuse"),
        ("new_value", {"other_letters": True}, "warn"),
        ("new_value", {"other_letters": True, "value_repeated": 800}, "refuse"),
        ("recalls_prior_interest", {"prior": 3, "value": 7}, "pass"),
        ("recalls_prior_interest", {"prior": 7, "value": 3}, "warn"),
        ("recalls_prior_interest", {"value": 3}, "refuse"),
        ("mentions_mail", {"mentions_mail": True}, "pass"),
        ("mentions_mail", {}, "refuse"),
        ("no_merge_marks", {"merge_mark": True}, "refuse"),
        ("right_name", {"wrong_name": True}, "refuse"),
        ("right_name", {"other_lead": True}, "refuse"),
        ("right_name", {"greets_other": True}, "refuse"),
        ("right_name", {"first_names": 1}, "warn"),
        ("right_name", {}, "pass"),
        ("length", {"words": 29}, "info"),
        ("length", {"words": 30}, "pass"),
        ("length", {"words": 400}, "info"),
        ("length", {"words": 401}, "refuse"),
        ("purpose", {"empty": "touching_base", "telling": 2}, "refuse"),
        ("purpose", {"empty": "touching_base", "telling": 3}, "pass"),
        ("purpose", {"telling": 1}, "pass"),
        ("purpose", {"words": 40}, "refuse"),
        ("own_strategy", {"closest": 750}, "warn"),
        ("own_strategy", {"closest": 749}, "pass"),
    ],
)
def test_a_rule_has_its_level(check: str, measured: dict[str, Any], level: str) -> None:
    """A4-8, A4-9, A4-10, A1-5, A1-6, A2-2, A2-4: on either side of each threshold; only "refuse" has not passed."""
    verdict = ruled(check, **measured)
    assert (verdict.level, verdict.passed) == (level, level != "refuse")
    assert (verdict.reason is None) == (level == "pass")


def test_of_a_text_that_is_too_long_to_be_read_nothing_else_is_said() -> None:
    """Its end would go out unread; the sentence says how long it is and how long it may be."""
    (verdict,) = judge("note", tuple(RULES), Measures(words=0, body_words=0, characters=21_887), LIMITS)
    assert (verdict.check, verdict.passed) == ("read_whole", False)
    assert verdict.reason == "It has 21,887 characters, and the checks read 20,000 at most: shorten it."
    assert ruled("read_whole", characters=20_000).passed


def test_a_breakup_says_all_that_it_must() -> None:
    """A1-9: solution, benefit, the true number of attempts, that a no is fine, and the request to reply."""
    whole = {"solution": True, "benefit": True, "attempts": True, "may_say_no": True, "asks_to_reply": True}
    assert ruled("breakup_parts", **whole).passed
    for part in whole:
        verdict = ruled("breakup_parts", **{**whole, part: False})
        assert not verdict.passed
        assert verdict.inputs[part] is False


def test_what_a_playbook_asks_for_and_what_is_always_looked_at() -> None:
    """A playbook chooses among the checks; mistakes that nobody wants to send are looked for in any case."""
    verdicts = judge("touch", ("no_empty_check_in", "one_click_unsubscribe"), Measures(words=9, body_words=9), LIMITS)
    assert [v.check for v in verdicts] == ["no_empty_check_in", "no_merge_marks", "right_name", "new_value"]
    assert {v.source for v in verdicts} == {f"content check {v.check} version {RULES[v.check].version}" for v in verdicts}


def test_thresholds_are_the_playbook_s() -> None:
    """A team that writes alike on purpose raises the bar, and sees it in the inputs."""
    looser = ContentLimits(form_letter_refuse=950)
    (verdict, *_) = judge("note", ("not_form_letter",), Measures(words=50, body_words=40, closest=900), looser)
    assert (verdict.level, verdict.score, verdict.inputs["refuse"]) == ("warn", 900, 950)


@pytest.mark.parametrize(
    ("check", "measured", "asked_for", "besides"),
    [
        ("personal_fact", {"fact": 800, "facts": 2}, "pass", "pass"),
        ("personal_fact", {"fact": 100, "facts": 2, "fact_confirmed": 2}, "warn passes", "warn passes"),
        ("personal_fact", {}, "refuse", "refuse"),
        ("future_call", {"promise": True}, "pass", "pass"),
        ("future_call", {}, "refuse", "refuse"),
        ("reminds_who_we_are", {"meeting": 600}, "pass", "pass"),
        ("reminds_who_we_are", {"meeting": 599}, None, None),
        ("recalls_prior_interest", {"prior": 3, "value": 7}, "pass", "pass"),
        ("recalls_prior_interest", {"value": 3}, None, None),
        ("not_form_letter", {"closest": 649}, None, None),
        ("not_form_letter", {"closest": 1000, "body_words": 7}, "warn", "warn passes"),
        ("not_form_letter", {"closest": 1000, "body_words": 15}, "refuse", "refuse"),
        ("not_repeated", {"repeats": 0}, None, None),
        ("not_repeated", {"repeats": 2}, "warn", "warn passes"),
        ("no_empty_check_in", {}, None, None),
        ("no_empty_check_in", {"empty": "checking_in", "value": 7}, "info", "info passes"),
        ("no_empty_check_in", {"empty": "checking_in"}, "refuse", "refuse"),
        ("no_merge_marks", {}, None, None),
        ("no_merge_marks", {"merge_mark": True}, "refuse", "refuse"),
        ("right_name", {}, None, None),
        ("right_name", {"first_names": 1}, "warn", "warn passes"),
        ("right_name", {"greets_other": True}, "refuse", "refuse"),
        ("length", {}, None, None),
        ("read_whole", {}, None, None),
        ("breakup_parts", {}, None, None),
    ],
)
def test_two_sentences_pass_only_what_they_tell_of_the_whole_text(
    check: str, measured: dict[str, Any], asked_for: str | None, besides: str | None
) -> None:
    """A4-9: what they do not tell has no verdict; a check that is asked for is not passed by what was found of it."""
    measures = Measures(**{"words": 50, "body_words": 40, **measured})
    (whole,) = (each for each in judge("note", (check,), measures, LIMITS) if each.check == check)
    for asked, expected in (((check,), asked_for), ((), besides)):
        verdict = of_sentences(whole, asked)
        said = (
            None if verdict is None else "pass" if verdict.level == "pass" else f"{verdict.level}{' passes' * verdict.passed}"
        )
        assert said == expected
        if verdict is not None:
            assert verdict.inputs["read"] == "two sentences"
            assert of_sentences(verdict, asked) == verdict
    assert judge("note", (check,), measures, LIMITS, of_photo=True) == tuple(
        told for each in judge("note", (check,), measures, LIMITS) if (told := of_sentences(each, (check,)))
    )
