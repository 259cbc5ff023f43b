"""What is printed of words that other people wrote."""

from service.wording import plain, score_line
from workflows.priority import Score, ScoreInputs, Weights, score


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    assert plain("Ada\x1b[2J\nAmber\u202efield\r\x07\u2028!") == "Ada[2J Amberfield !"
    assert plain("\udcff\x00Ada") == "Ada"


def test_other_scripts_and_emoji_are_left_alone() -> None:
    assert plain("Grüße, שלום 👩‍👩‍👧‍👦") == "Grüße, שלום 👩‍👩‍👧‍👦"


def test_long_words_are_cut() -> None:
    assert plain("x" * 1_000_000, 10) == "xxxxxxxxx…"
    assert plain("a " * 10, 4) == "a a…"


def test_a_score_adds_up_before_your_eyes() -> None:
    inputs = ScoreInputs(stage_depth=3, value_band=3, minutes_invested=420, importance=3, unanswered=2, structural=True)
    assert score_line(score(inputs, Weights())) == (
        "25 = stage 12 + value 9 + time 6 + importance 9 - unanswered 6 - structural reason 5"
    )


def test_a_score_of_nothing_is_nothing() -> None:
    parts = ("total", "stage", "value", "time_invested", "importance", "trigger", "connector", "unanswered", "structural")
    assert score_line(Score(**dict.fromkeys(parts, 0))) == "0"
    assert score_line(Score(**(dict.fromkeys(parts, 0) | {"total": -3, "unanswered": -3}))) == "-3 = unanswered -3"
