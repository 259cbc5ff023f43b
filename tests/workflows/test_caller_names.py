"""Whether a note names who makes its call: ordinary notes that do, and ordinary notes that only have the same word."""

import pytest

from workflows.caller_names import names_person

SIGNED = "\nBest regards,\nKai"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dan Miller", "I am away, and my colleague Dan will call you on 12 January."),
        ("Dan Miller", "Dan will call you on 12 January."),
        ("Dan Miller", "Dan'll call you on 12 January."),
        ("Dan Miller", "Dan\u2019s call will reach you on 12 January."),
        ("Dan Miller", "Dan, my colleague, will call you on 12 January."),
        ("Dan Miller", "Dan knows your plant. He will call you on 12 January."),
        ("Dan Miller", "Dan and I share the work; he will call you on 12 January."),
        ("Dan Miller", "Meet Dan. He will call you on 12 January."),
        ("Dan Miller", "Expect a call from Dan on 12 January."),
        ("Dan Miller", "Who calls: Dan. The day: 12 January."),
        ("Dan Miller", "My stand-in is Dan Miller. He will call you."),
        ("Dan Miller", "I hope that you are well: Dan will call you."),
        ("Dan Miller", "DAN MILLER WILL CALL YOU ON 12 JANUARY."),
        ("Dr. Dan Miller", "Dr. Dan Miller will call you on 12 January."),
        ("D. Miller", "The one who calls is D. Miller."),
        ("Anne-Marie Miller", "My colleague Anne will call you."),
        ("Anne-Marie Miller", "Anne-Marie will call you on 12 January."),
        ("May Miller", "My colleague May will call you on 12 May."),
        ("May Miller", "May will call you on 12 January."),
        ("May Miller", "Your caller is May Miller."),
        ("April Jones", "I asked my colleague April, who knows your plant, to call you."),
        ("April Jones", "April is going to call you in April."),
        ("Will Miller", "Will will call you on 12 January."),
        ("Will Miller", "My colleague Will is going to call you."),
        ("Mark Miller", "Please mark the day: Mark will call you."),
        ("Mark Miller", "Ask Mark when he calls."),
        ("Grace Hall", "Grace will call you on 12 January."),
        ("Hope Hall", "Hope will call you on 12 January."),
        ("Zo\u00eb Smith", "My colleague Zoe will call you."),
        ("Zoe Smith", "My colleague Zo\u00eb will call you."),
        (
            "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432",
            "My colleague \u0418\u0432\u0430\u043d will call you.",
        ),
        ("\u674e\u660e", "My colleague \u674e\u660e will call you."),
        ("eve", "Eve will call you on 12 January."),
        ("sales-east", "Our desk sales-east will call you."),
        ("T.J. Miller", "T.J. Miller will call you on 12 January."),
        ("T.J. Miller", "My colleague T. J. Miller will call you."),
        ("C.J. Cregg", "My colleague C.J. Cregg will call you."),
        ("D'Angelo Russell", "My colleague D\u2019Angelo will call you."),
        ("Anne Marie Smith", "My colleague Anne-Marie will call you."),
        ("\u0141ukasz Nowak", "My colleague Lukasz will call you."),
        ("S\u00f8ren Kierk", "My colleague Soren will call you."),
        ("\u674e \u96f7", "\u674e\u96f7\u5c06\u4e8e1\u670812\u65e5\u7ed9\u60a8\u6253\u7535\u8bdd\u3002"),
        ("\uae40\ubbfc\uc900", "\uc81c \ub3d9\ub8cc \uae40\ubbfc\uc900\uc774 \uc804\ud654\ud569\ub2c8\ub2e4."),
        ("Eve Hall", "My colleague Eve will call you."),
        ("Eve Hall", "Eve will call you on New Year's Eve."),
        ("Eve Hall", "Expect a call from Eve."),
        ("Austin Hill", "My colleague, Austin, calls you."),
        ("Austin Hill", "Austin Hill knows your plant."),
        ("Kai Miller", "Kai Miller will call you on 12 January."),
        ("Kai Miller", "My colleague Kai, who has the same name, will call you."),
    ],
)
def test_an_ordinary_note_names_its_caller(name: str, said: str) -> None:
    """A4-10: in a sentence of its own or within one, and behind the signature."""
    assert names_person(f"Dear Ada,\n{said}{SIGNED}", name)
    assert names_person(f"Dear Ada, {said}", name)
    assert names_person(f"Dear Ada,\nhow are the bees?{SIGNED}\nP.S. I will be away. {said}", name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dan Miller", "My colleague will call you on 12 January."),
        ("Dan Miller", "Mr. Miller will call you on 12 January."),
        ("Dan Miller", "My colleague Dana will call you."),
        ("Jean Miller", "My colleague Jean-Luc will call you."),
        ("Jean-Luc Picard", "My colleague Jeanne will call you."),
        ("D. Miller", "D. Jones will call you."),
        ("May Miller", "I am away, and my colleague will call you on 12 May."),
        ("May Miller", "May I say that a colleague will call you in May?"),
        ("May Miller", "In May will be time: a colleague will call you."),
        ("May Miller", "May 12 is when a colleague will call you."),
        ("April Jones", "I hope that you are well: my colleague will call you in April."),
        ("April Jones", "We are closed until April. A colleague will call you."),
        ("June Hall", "June is a busy month here. A colleague will call you."),
        ("Will Miller", "Will you be in? A colleague will call you on 12 January."),
        ("Will Miller", "Will this week do for a call of my colleague?"),
        ("Will Miller", "I hope that you are well: Will you be in when a colleague calls?"),
        ("Will Miller", "I wonder when will Miller and Sons open; a colleague will call you."),
        ("Mark Miller", "Please mark the day: a colleague will call you."),
        ("Mark Miller", "Mark the day: a colleague will call you."),
        ("Mark Miller", "Mark Monday in your calendar, for a colleague will call you."),
        ("Grace Hall", "Your grace was wonderful. A colleague will call you."),
        ("Hope Hall", "Hope you are well. A colleague will call you."),
        ("Hope Hall", "Hope all is well. A colleague will call you."),
        ("Bill Hall", "Bill me for it; a colleague will call you."),
        ("sales-east", "Our sales team will call you on 12 January."),
        ("sales-east", "Sales are good. A colleague will call you on 12 January."),
        ("rep-7", "Our rep will call you."),
        ("mark", "Please mark the day: a colleague will call you."),
        ("Kai Miller", "A colleague will call you on 12 January."),
        ("Kai Miller", "A colleague will call you on 12 January. Best regards, Kai"),
        ("Ada Miller", "A colleague will call you on 12 January."),
        ("D'Angelo Russell", "D will call you."),
        ("\u674e\u96f7", "\u738b\u660e\u5c06\u4e8e1\u670812\u65e5\u7ed9\u60a8\u6253\u7535\u8bdd\u3002"),
        ("Eve Hall", "On New Year's Eve, I will call you."),
        ("Austin Hill", "You told me of Austin, where your son lives. A colleague will call you."),
        ("Georgia Smith", "You told me of Georgia. A colleague will call you."),
        ("Victoria Smith", "You told me of Lake Victoria. A colleague will call you."),
        ("Ford Miller", "You told me of your Ford. A colleague will call you."),
        ("Chase Hall", "You bank with Chase, as you told me. A colleague will call you."),
        ("Eve Hall", "Not Eve: my other colleague will call you."),
        ("Mrs", "Mrs Miller will call you."),
    ],
)
def test_the_same_word_names_nobody(name: str, said: str) -> None:
    """A4-10: dates, orders, questions, wishes, the greeting, the signature, and other people."""
    assert not names_person(f"Dear Ada,\n{said}{SIGNED}", name)
    assert not names_person(f"Dear Ada, {said}\nKai", name)
    assert not names_person(f"Dear Ada,\nhow are the bees?{SIGNED}\nP.S. {said}", name)
