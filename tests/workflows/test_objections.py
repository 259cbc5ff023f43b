"""Objections in a sender's own words, told from answers that only hold such words."""

import pytest

from workflows.objections import Aim, aim_of, asks_erasure

TOKEN = "A" * 43

#: Mails in these words are objections to the way above them.
OBJECTIONS: dict[Aim, list[str]] = {
    "email": [
        "Please unsubscribe me, stop mailing.",
        "Unsubscribe, please. Thank you.",
        "unsubscribe",
        "Please unsubscribe me.",
        "STOP",
        "Please stop mailing me.",
        "Stop mailing me, unsubscribe.",
        "Please remove me from your list.",
        "Remove me from your list!",
        "Please don't e-mail me",
        "take me off your mailing list please",
        "How do I unsubscribe?",
        "Hi Dan,\n\nkindly take us off your distribution list.\n\nBest\nAda",
        "I have unsubscribed twice and still get your mails.",
        "Why can't I unsubscribe from this?",
        "No more emails please.",
        "I do not want to receive these emails any more.",
        "Could you please stop sending me newsletters?",
        "Not interested. Please stop.",
        "I'd like to opt out.",
        "opt-out",
        "Please opt me out of all future mailings",
        "This is spam!",
        "I will report you as spam.",
        "Stop spamming me",
        "Please, do not send me any more mails. Regards, Paul",
        "Do not contact me by e-mail. Call me.",
        "Please don't mail me at this address again",
        "Cancel my subscription.",
        "Thanks, but unsubscribe me please",
        "UNSUBSCRIBE!!!",
        "Unsubscribe me from everything",
        "I asked you to stop mailing me in May.",
        "Please do not write to me, give me a call instead.",
        "Remove\n\nSent from my iPhone",
        "Pls unsubscribe",
        "I want to unsubscribe",
        "The unsubscribe link does not work.",
        "I no longer wish to get your newsletter.",
        "Don't send me this stuff any more",
        "I'm on vacation until 20 February. Unsubscribe me.",
        "Please stop it.",
        "Would you kindly stop e-mailing us?",
        "Why don't you stop mailing me?",
        "Please unsubscribe me: https://m.example/u/" + TOKEN,
        "unsubscribe me https://m.example/u/" + TOKEN,
        "You got our address from us in 2019. Stop mailing me.",
        "Hello Dan, I would like to unsubscribe. Kind regards, Ada Lovelace",
        "pls remove me from ur mailing list thx",
        "Take me off this list NOW",
        "Stop emailing me!!",
        "I don't want any more emails from you.",
        "Kindly remove my email address from your mailing list.",
        "PLEASE REMOVE ME FROM ALL YOUR MAILING LISTS",
        "Thanks for the offer, but please take me off your list.",
        "We are not interested, please don't send us any further emails.",
        "unsubscribe\n\nGet Outlook for iOS",
        "Good morning,\nwould you be so kind as to unsubscribe me?\nThanks",
        "I never signed up for this. Unsubscribe.",
        "No emails please, unsubscribe",
        "please stop sending these",
        "Quit sending me this stuff",
        "Do not send me anything any more.",
    ],
    "all": [
        "Do not contact me again.",
        "No thanks. Please delete my data and do not write to me again.",
        "Leave me alone, I will not buy anything from you.",
        "Please do not write to me any more.",
        "Never contact me again!",
        "I asked you not to contact me.",
        "Please don't call or email me.",
        "Don't bother me any more",
        "Stop harassing me.",
        "I don't want to hear from you again.",
        "I do not wish to be contacted.",
        "Delete everything you have about me.",
        "Remove me from your database.",
        "I withdraw my consent.",
        "No further contact please.",
        "Go away.",
        "I object to the processing of my data for direct marketing.",
        "Please erase my personal data under GDPR.",
        "Do not contact me by phone or mail.",
        "Cease and desist.",
        "We do not want any contact with your company",
        "please forget me",
        "Do not contact me unless I ask.",
        "stop contacting us",
        "do not EVER write to me again",
        "Don't contact me anymore.",
        "do not contact me",
        "Dont contact me again",
        "I said no. Leave us alone!",
        "We have no interest. Please refrain from contacting us.",
        "You are not to contact me again.",
        "Please do not contact us in the future.",
        "Please cease all contact.",
        "Please delete my details from your system.",
        "Please remove all my data.",
        "I told you I am not interested. Stop writing to me.",
        "Do not ever contact me or my family again.",
        "Please make sure nobody contacts me again.",
        "I do not consent to being contacted.",
        "Do not write or call. E-mail neither.",
    ],
    "call": [
        "Please do not call me any more; mail is fine.",
        "Stop calling me.",
        "Don't call, write.",
        "No more calls please.",
        "Do not contact me by phone.",
        "Lose my number.",
        "Quit calling my phone",
        "Please take my number off your call list.",
        "Never call this number again",
    ],
    "post": [
        "Please send me no letters. No more letters.",
        "Please don't send me any more letters",
    ],
}

#: Answers with such words in them, quoted footers of ours, and what others wrote below.
ANSWERS = [
    "We stopped the old contract, call me",
    "Please don't stop",
    "please don't stop mailing me",
    "I unsubscribed from the county newsletter, but interested in yours.",
    "unsubscribed from X, but interested",
    "Please stop by on Friday.",
    "I did not unsubscribe, why do you ask?",
    "We stopped the project; call me in May.",
    "Not interested.",
    "No thanks, we bought elsewhere.",
    "Don't hesitate to call me.",
    "Do not contact me until September.",
    "Please don't call me before 10, I'm in a meeting.",
    "Why did you never call me back?",
    "You never write to me any more!",
    "Why don't you call me on Friday?",
    "I clicked unsubscribe by mistake, please keep me on your list.",
    "Found your mail in spam, sorry for the late answer!",
    "Please do not unsubscribe me.",
    "Please don't take me off your list.",
    "I can't stop thinking about that house.",
    "Let's contact the bank first.",
    "We had to stop the works in March.",
    "Drop me a line next week.",
    "I am on vacation until 20 February, could you call after that?",
    "Please delete my last mail, it was for somebody else.",
    "If you do not wish to receive further emails, click unsubscribe.",
    "You can unsubscribe at any time.",
    "No more questions, let's sign.",
    "I have not heard from you for months.",
    "Remove the second clause and I sign.",
    "Take my name off the contract and put my wife's on.",
    "Sounds good, call me on Friday.\n\nNo more mail from us, please:\nhttps://mail.springfield.example/u/" + TOKEN,
    "Yes!\nNo more mail from us, please: https://m.example/u/" + TOKEN,
    "Yes please\n\n12 Elm Street, Springfield\nNo more mail from us, please",
    "How many of your customers unsubscribe?",
    "Don't call me on Fridays.",
    "I did not get your call, try again.",
    "We are not interested in the big one, but the small one: send me an offer.",
    "I never said stop mailing me, go on!",
    "Why did you stop mailing me? I liked it.",
    "I do not want to miss this. Call me.",
    "I don't want to bother you, but could you call me?",
    "Please do not forget to call me.",
    "The bus stop is near, no problem.",
    "Full stop. We are in.",
    "I don't want you to stop.",
    "We ended our contract with them. Contact me any time.",
    "I would not mind a call. Do you still have the house on Elm Street?",
    "Our opt-out of the insurance ended, so we are free to move: call me.",
    "I want no more delays, let us meet.",
    "I do not like e-mail much. Could you call me?",
    "Would you remove the old photo from your page? Otherwise fine.",
    "Sorry, I could not write earlier.",
    "I do not call this cheap, but go on.",
    "Do not send the contract yet.",
    "Please don't send anything before Monday.",
    "They told us not to contact the seller directly.",
    "Leave me the keys at the desk.",
    "I will not be there, call my wife.",
    "Don't worry, mail me the list.",
    "No need to call, just mail me the offer.",
    "We'd rather not move this year. Write to me in spring.",
    "Do you handle unsubscribe requests for us too?",
    "Hello, my husband told me to contact you again.",
    "I need more information, not another call. Mail me.",
    "Please call off the visit on Monday; Tuesday works.",
    "I'm not on your list, am I? I would like to be.",
    "I have to cancel, can we meet next week?",
    "I have to stop now, call me tomorrow.",
    "We go away in June, write before that.",
    "Letters get lost here; e-mail me.",
    "There was no further contact with the builder, so we are free.",
    "I don't want to hear that price again, but let's talk.",
    "I do not need contact with the bank yet.",
    "Click to unsubscribe: https://m.example/u/" + TOKEN + "\nFine by me",
    "Great.\nNo longer interested?\nhttps://m.example/u/" + TOKEN,
    "The spam filter may stop mails from you, so call me.",
    "I asked my wife to call you. She does not want to call on Sundays.",
    "Forget the first offer, I like the second.",
    "Call me if the price drops. No rush.",
    "We never contacted your colleague.",
    "They asked me not to write before May.",
    "My old address no longer works, please use this one.",
    "Can you take me off speaker next time? Ha.",
    "I end my lease in May.",
    "No, thank you.",
    "Thanks, but no thanks.",
    "We have no further questions and no more time this month.",
    "I don't do e-mail, call my office.",
    "No more small talk: what does it cost?",
    "Sorry for not writing sooner. I've been meaning to.",
]

#: Wishes about a time, a place or other people are answers to read.
WISHES = [
    "I do not want to be called before ten.",
    "I do not like to be called at work.",
    "No more calls this week, please.",
    "Please no more emails until May, I am on leave.",
    "No more contact until Monday please",
    "I want no further contact from them, but from you yes",
    "No further contact needed before our meeting on Friday, see you then!",
    "No more emails today, please.",
    "No more emails, at least until May.",
    "Please no more calls on Sundays.",
    "No more calls in the evening please!",
    "No further emails for now, we talk in June.",
    "I don't want to be called while I am driving.",
    "We do not want any more emails this month.",
    "I do not want calls on my mobile, use the office line.",
    "I do not want to be called by anybody else, only by you.",
    "I want no more emails from them, only from you.",
    "No more emails from the bank, please.",
    "I do not want to hear from him again.",
    "I do not want to hear from anyone else.",
    "We need no further contact with the seller.",
    "Leave me alone until Monday, I have to finish a report.",
    "Please leave us alone over Christmas.",
    "Stop calling me at work.",
    "Please stop calling me in the evening.",
    "Stop calling me before ten!",
    "No more messages during office hours please.",
    "On Sundays I do not want to be called.",
    "At work I don't like to be called.",
    "I do not wish to be contacted before September.",
    "I do not want to be bothered at home.",
    "No more letters until we have moved.",
    "No more calls after eight, please.",
    "I do not want to be contacted on weekends.",
    "Do not contact me, at least until we have moved.",
    "No more emails from my wife's agent, I deal with you.",
    "No contact from anyone but you, please.",
    "I do not want any more calls for two weeks.",
]

#: With such a word they are objections all the same.
REFUSALS: list[tuple[Aim, str]] = [
    ("email", "No more emails from today on."),
    ("email", "No more emails from Acme Homes, please."),
    ("email", "Stop mailing me today!"),
    ("email", "Please stop sending me emails right now."),
    ("email", "No more emails, today or ever."),
    ("email", "This is spam at work."),
    ("all", "Do not contact me this week or ever again."),
    ("all", "Do not contact me again before I call the police."),
    ("all", "I told you when you called: leave me alone."),
    ("all", "I object to the use of my data while you advertise."),
    ("all", "I do not want to hear from you again."),
    ("call", "I do not want to be called at work or anywhere else."),
    ("call", "Stop calling me immediately."),
    ("email", "I want no more emails, this week you sent five."),
    ("email", "I don't want your emails every morning."),
    ("email", "I do not want any more emails while you ignore my requests."),
    ("email", "No more emails this year or any other."),
    ("all", "Please cease all contact with my family."),
    ("email", "I don't want any more emails when I have said no three times."),
    ("email", "No more emails for 10 years."),
    ("email", "No more emails from them and you."),
    ("call", "I do not want to be called by the bank or by you."),
]

#: No contact at all, or only for a time: a person has to read them.
DOUBTFUL = [
    "As we meet on Friday, no further contact please.",
    "No further contact please, we see each other next week.",
    "They asked me on Monday, and I want no further contact.",
    "Until Monday, no further contact please.",
]


@pytest.mark.parametrize("words", WISHES)
def test_a_wish_about_a_time_a_place_or_others_closes_nothing(words: str) -> None:
    assert aim_of("Re: your file", words) is None


@pytest.mark.parametrize(("aim", "words"), REFUSALS)
def test_a_word_about_time_does_not_take_an_objection_back(aim: Aim, words: str) -> None:
    assert aim == aim_of("Re: your file", words)


@pytest.mark.parametrize("words", DOUBTFUL)
def test_a_doubtful_wish_for_no_contact_closes_mail_only(words: str) -> None:
    assert "email" == aim_of("Re: your file", words)


@pytest.mark.parametrize(("aim", "words"), [(aim, words) for aim, all_ in OBJECTIONS.items() for words in all_])
def test_an_objection_is_told_by_its_words(aim: Aim, words: str) -> None:
    assert aim == aim_of("Re: your file", words)


@pytest.mark.parametrize("words", ANSWERS)
def test_an_answer_that_only_holds_such_words_closes_nothing(words: str) -> None:
    assert aim_of("Re: your file", words) is None


@pytest.mark.parametrize(("subject", "words"), [("unsubscribe", ""), ("Unsubscribe", "thanks"), ("Stop mailing me", "Ada")])
def test_a_subject_may_be_the_objection(subject: str, words: str) -> None:
    assert "email" == aim_of(subject, words)
    assert aim_of(f"Re: {subject}", words) is None, "that was our subject"


def test_a_request_to_delete_data_is_seen() -> None:
    """It is an objection to all contact, and a person has to erase; off a list is no erasure."""
    asked = ["Please delete my data.", "Delete everything you have about me.", "Remove me from your database."]
    assert [True] * 3 == [asks_erasure(words) for words in asked]
    others = ["Do not contact me again.", "Please delete my last mail.", "Take me off your list.", "Don't delete my data yet."]
    assert [False] * 4 == [asks_erasure(words) for words in others]


def test_what_still_may_be_used_narrows_what_is_objected_to() -> None:
    """Who wants to be called, or to have mail, keeps that way; but nobody whose data is to be deleted."""
    assert ("email", "call") == (
        aim_of("", "Do not contact me like this. Call me."),
        aim_of("", "Do not bother me again. E-mail is fine."),
    )
    assert "all" == aim_of("", "Delete my data. E-mail me when it is done.")
