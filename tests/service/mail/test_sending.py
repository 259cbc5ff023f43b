"""Mail that goes out by a real server on loopback, from the shell to the bytes that arrived, and the log of it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actors.mail_checks import mail_checks
from models.messages import Ring
from service.mailing.conversation import Smtp
from tests.service.mail.office import POSTAL, Office, bring_to_no_answer
from tests.service.world import MONDAY
from workflows.events import event_type
from workflows.mail_commands import SendMail
from workflows.mail_text import read_mail


def test_the_mail_of_a_breakup_goes_out_and_is_its_second_half(given_up: Office) -> None:
    """A1-9: solution, benefit, the true number of attempts, leave to say no, and the request to just reply."""
    office = given_up
    assert "refused (monitored_reply_address)" in office.refused(1, "breakup", "V-0001")
    office.queue("breakup", "V-0001", "--monitored", "--minutes", 4)
    assert ["command_refused", "mail_queued"] == office.types(office.silent)
    office.deliver()
    assert ["mail_queued", "mail_sending", "mail_sent", "breakup_email_sent"] == office.types(office.silent)[1:]
    (mail,) = office.server.mails
    assert [("dan@springfield.example", ["bela@example.com"])] == office.server.envelopes
    assert "Shall I close your file, Bela?" == mail.subject
    for said in ("3 times", "phase two", "a garden", "no longer a priority", "just reply to this mail", "Dan Miller", POSTAL):
        assert said in " ".join(mail.plain.split())
    with office.world.worker():
        office.world.ok("breakup", "send", "V-0001")
    assert "breakup_sent" == office.world.lead(office.silent).state


def test_a_preview_says_what_would_refuse_the_mail_and_keeps_nothing(given_up: Office) -> None:
    """The mail stands on standard output as it would go out; beside it what is missing, with what to type."""
    office = given_up
    before = office.world.lead(office.silent).version
    preview = ("mail", "breakup", "V-0001", "--preview")
    told = office.world.thaw(*preview)
    said = told.stderr
    assert (0, True) == (told.exit_code, "Shall I close your file, Bela?" in told.stdout)
    assert "as it stands it would be refused (monitored_reply_address): The mail asks to simply hit reply" in said
    assert "to go on: --monitored, if somebody reads that address" in said
    assert "" == office.world.thaw(*preview, "--monitored").stderr
    assert before == office.world.lead(office.silent).version
    assert [] == office.due()


def test_a_preview_prints_lines_that_can_be_typed(office: Office) -> None:
    """Whoever names a lead by name reads its key; a voicemail is asked for only of a lead of which it may be left."""
    world = office.world
    in_nurture = world.thaw("mail", "breakup", "Ada Amberfield", "--preview", "--monitored", "--text", "Bye").stderr
    assert "to go on: " in in_nurture
    assert "thaw nurture touch V-0000 " in in_nurture
    assert "Ada" not in in_nurture
    assert "voicemail" not in in_nurture
    world.take_in(person={"email": "bela@example.com"})
    world.at(MONDAY + timedelta(days=1))
    bring_to_no_answer(world, office.silent)
    silent = world.thaw("mail", "breakup", "Bela Brookhollow", "--preview", "--monitored", "--text", "Bye").stderr
    assert "no voicemail is left yet: thaw breakup voicemail V-0001 --attest-all" in silent


def test_the_bytes_that_arrive_are_those_that_were_checked_and_kept(office: Office) -> None:
    """The document behind the commitment in the log is the mail, byte for byte; the log itself names nobody."""
    office.nurture()
    office.deliver()
    (raw,) = office.server.taken
    shown = office.world.said("mail", "show", "V-0000")
    assert raw == shown["mail"].encode()
    assert "nurture mail, sent after 1 conversation with the server\n" == office.world.thaw("mail", "show", "V-0000").stderr
    assert ("nurture", "sent", 1) == (shown["purpose"], shown["status"], shown["attempts"])
    bodies = "".join(str(msgspec.json.encode(each)) for each in office.world.events(office.nurtured))
    assert not [word for word in ("ada@", "Ada", "garden-guide that", "springfield.example") if word in bodies]


def test_a_mail_can_be_unsubscribed_with_one_click(office: Office) -> None:
    """RFC 8058: an https address with an opaque token, the header that says one click, and the same way out in the text."""
    office.nurture()
    office.deliver()
    (mail,) = office.server.mails
    listed = mail.headers["List-Unsubscribe"].split(", ")
    link = listed[0].strip("<>")
    assert link.startswith("https://mail.springfield.example/u/")
    assert "List-Unsubscribe=One-Click" == mail.headers["List-Unsubscribe-Post"]
    assert (link + ">, <mailto:").encode() in office.server.taken[0].replace(b"\r\n <", b" <")
    assert link in mail.plain
    assert link in mail.html
    assert listed[1].startswith("<mailto:dan@springfield.example?subject=unsubscribe%20")
    assert str(office.nurtured) not in link


def test_a_mail_that_brings_nothing_is_refused_and_the_next_edition_is_something_new(office: Office) -> None:
    """A1-5: what is sent stands in the words; a report of another month is told apart by its name and not by its likeness."""
    said = office.refused(1, "nurture", "V-0000", "--asset", "market-report-january", "--text", "Just checking in, any news?")
    assert "refused (check.new_value)" in said
    why = ("--override", "They know the report by another name.")
    office.queue("nurture", "V-0000", "--asset", "market-report-january", "--text", "The figures that you want are out.", *why)
    office.deliver()
    office.world.at(office.world.clock() + timedelta(days=31))
    figures = [line["figures"] for line in office.world.said("accountability", "--from", "2026-01-01", "--rep", "dan")["lines"]]
    assert sum(each["overrides"] for each in figures) == 1
    assert office.world.said("rederive", "V-0000")["mismatches"] == []
    for month in ("february", "march"):
        office.nurture(f"market-report-{month}", f"The market report for {month} is out.")
        office.deliver()
        office.world.at(office.world.clock() + timedelta(days=31))
    assert office.types(office.nurtured).count("nurture_touch_sent") == 3


def test_mails_to_one_person_are_one_thread(office: Office) -> None:
    """In-Reply-To and References name those before it."""
    office.nurture()
    office.deliver()
    office.world.at(office.world.clock() + timedelta(days=31))
    office.nurture("second-guide", "Here is the second part of the guide.")
    office.deliver()
    first, second = office.server.mails
    assert first.headers["In-Reply-To"] is None
    assert first.message_id == second.headers["In-Reply-To"] == second.headers["References"]
    assert first.message_id != second.message_id


@pytest.mark.parametrize(("channel", "rule"), [((), "no_transition"), (("--channel", "email"), "email_reachable")])
def test_an_objection_between_rendering_and_sending_prevents_the_mail(
    office: Office, channel: tuple[str, ...], rule: str
) -> None:
    """A3-5 and design invariant 5: it was queued, and nothing leaves."""
    office.nurture()
    with office.world.worker():
        office.world.ok("opt-out", "V-0000", *channel)
    office.deliver()
    assert [] == office.server.taken
    refused = office.told(office.nurtured)[-1].data
    assert rule == getattr(refused, "rule", None)


def test_an_objection_while_the_server_is_spoken_to_still_prevents_the_mail(office: Office) -> None:
    """The last look is right before the text is handed over."""
    office.nurture()

    def object_now() -> None:
        office.world.ok("opt-out", "V-0000", "--no-wait")
        office.world.work()

    office.server.before["RCPT"] = object_now
    office.deliver()
    assert [] == office.server.taken
    assert ["mail_queued", "mail_sending", "opted_out", "mail_refused"] == office.types(office.nurtured)
    assert "withdrawn" == getattr(office.told(office.nurtured)[-1].data, "reason", None)


def test_a_consent_that_ended_between_rendering_and_sending_prevents_the_mail(office: Office) -> None:
    """The law is asked when the mail is to go out, whatever it said when it was written."""
    office.nurture()
    with office.world.worker():
        office.world.ok("law", "set", "V-0000", "--region", "CA-ON")
    office.deliver()
    assert [] == office.server.taken
    assert "consent_expired" == getattr(office.told(office.nurtured)[-1].data, "rule", None)


def test_a_consent_that_ends_while_the_server_is_spoken_to_still_prevents_the_mail(office: Office) -> None:
    """It is asked once more right before the text is handed over."""
    office.nurture()

    def learn_now() -> None:
        office.world.ok("law", "set", "V-0000", "--region", "CA-ON", "--no-wait")
        office.world.work()

    office.server.before["RCPT"] = learn_now
    office.deliver()
    assert [] == office.server.taken
    assert ["mail_queued", "mail_sending", "mail_refused"] == [
        kind for kind in office.types(office.nurtured) if kind.startswith("mail_")
    ]
    assert "consent_expired" == getattr(office.told(office.nurtured)[-1].data, "reason", None)


def test_a_consent_is_good_to_the_end_of_the_reps_day_at_the_last_look_too(office: Office) -> None:
    """The decision and the last look go by the same day: at nine in the evening in New York the UTC date is tomorrow's."""
    with office.world.worker():
        office.world.ok("law", "set", "V-0000", "--region", "CA-ON", "--inquired-on", "2025-07-05")
    office.nurture()
    office.world.at(datetime(2026, 1, 6, 2, tzinfo=UTC))
    office.deliver()
    assert ["mail_queued", "mail_sending", "mail_sent", "nurture_touch_sent"] == office.types(office.nurtured)


def test_a_touch_by_hand_between_the_decision_and_the_conversation_prevents_the_mail(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A3-4: what counts as meanwhile begins with the decision that the mail may go out."""
    begin = office.deliverer._applier.begin

    def begin_and_be_late(ring: Ring) -> list[Ring]:
        rung = begin(ring)
        with office.world.worker():
            office.world.ok("nurture", "touch", "V-0000", "--mode", "email", "--asset", "market-report", "--attest-all")
        return rung

    office.nurture()
    monkeypatch.setattr(office.deliverer._applier, "begin", begin_and_be_late)
    office.deliver()
    assert [] == office.server.taken
    assert ["mail_queued", "mail_sending", "nurture_touch_sent", "mail_refused"] == office.types(office.nurtured)


def test_an_erasure_between_rendering_and_sending_prevents_the_mail(office: Office) -> None:
    office.nurture()
    with office.world.worker():
        office.world.ok("erase", "V-0000", "--reason", "asked for it", "--by", "pia")
    office.deliver()
    assert [] == office.server.taken
    assert "mail_sending" not in office.types(office.nurtured)


def test_an_erasure_during_the_conversation_leaves_a_log_that_verifies(office: Office) -> None:
    """The mail was under way, and the log says so: what carried it counts as applied, though its person is gone."""
    office.server.before["RCPT"] = lambda: _erase(office)
    office.nurture()
    office.deliver()
    assert "lead_erased" in {event_type(each.data) for each in office.world.events(office.nurtured)}
    assert "mail_sending" in office.types(office.nurtured)
    office.world.ok("verify")


def _erase(office: Office) -> None:
    with office.world.worker():
        office.world.ok("erase", "V-0000", "--reason", "asked for it", "--by", "pia")


def test_a_pause_and_a_hold_keep_mail_back(office: Office) -> None:
    """A paused actor's mail waits and goes out later; a lead on hold is not written to."""
    office.nurture()
    office.world.ok("pause", "mail_sending", "--reason", "a wrong list", "--by", "ann")
    office.deliver()
    assert [] == office.server.taken
    office.world.ok("resume", "mail_sending", "--by", "ann")
    with office.world.worker():
        office.world.ok("hold", "V-0000", "--reason", "manual")
    office.deliver()
    assert [] == office.server.taken
    assert "not_held" == getattr(office.told(office.nurtured)[-1].data, "rule", None)


def test_a_server_that_is_busy_is_asked_again_later(office: Office) -> None:
    """The same mail, five minutes later; the log says what the server said."""
    office.server.answers["RCPT"] = "451 4.7.1 come back later"
    office.nurture()
    office.deliver()
    deferred = office.told(office.nurtured)[-1].data
    assert (451, "4.7.1", "rejected") == (deferred.code, deferred.status, deferred.reason)  # type: ignore[union-attr]  # as the next line says
    assert "mail_deferred" == office.types(office.nurtured)[-1]
    assert [] == office.due()
    office.server.answers.clear()
    office.world.at(office.world.clock() + timedelta(minutes=5))
    office.deliver()
    assert ["mail_sending", "mail_sent", "nurture_touch_sent"] == office.types(office.nurtured)[-3:]
    assert 1 == len(office.server.taken)


@pytest.mark.parametrize(("command", "answer"), [("RCPT", "550 5.1.1 no such user"), ("DATA", "554 5.7.1 not wanted")])
def test_a_server_that_says_no_is_not_asked_again(office: Office, command: str, answer: str) -> None:
    office.server.answers[command] = answer
    office.nurture()
    office.deliver()
    assert ["mail_queued", "mail_sending", "mail_refused"] == office.types(office.nurtured)
    assert [] == office.due()


def test_a_server_that_is_not_there_is_asked_for_two_days_and_then_no_more(office: Office) -> None:
    office.deliverer._post = Smtp("smtp://127.0.0.1:9")
    office.nurture()
    for _ in range(8):
        office.deliver()
        office.world.at(office.world.clock() + timedelta(days=1, minutes=1))
    assert 8 == office.types(office.nurtured).count("mail_sending")
    assert "given_up" == getattr(office.told(office.nurtured)[-1].data, "reason", None)


def test_what_was_cut_off_at_the_last_word_is_not_sent_again(office: Office) -> None:
    """The server may have it: a person is told, and says what is so."""

    office.server.before["DATA"] = office.server.hang_up
    office.nurture()
    office.deliver()
    assert "mail_unconfirmed" == office.types(office.nurtured)[-1]
    assert "nobody knows whether the mail to Ada Amberfield went out" in office.world.ok("today", "--rep", "dan")
    status = office.world.ok("status")
    assert "mail        goes out by 127.0.0.1; one click at https://mail.springfield.example; answers come by" in status
    assert "nobody knows whether 1 mail went out" in status
    assert "refused (no_mail_under_way)" in office.refused(1, "nurture", "V-0000", "--asset", "b", "--text", "Another one.")
    with office.world.worker():
        office.world.ok("mail", "settle", "V-0000", "--sent")
    assert ["mail_sent", "nurture_touch_sent"] == office.types(office.nurtured)[-2:]


def test_a_process_that_died_between_intent_and_record_sends_nothing_twice(office: Office) -> None:
    """At most once: the intent stands in the log and nobody knows more, so the mail is not handed over again."""
    office.nurture()
    (ring,) = office.due()
    office.deliverer._applier.begin(ring)
    office.deliver()
    assert ["mail_queued", "mail_sending", "mail_unconfirmed"] == office.types(office.nurtured)
    assert [] == office.server.taken


def test_an_address_that_changed_meanwhile_gets_nothing(office: Office) -> None:
    office.nurture()
    office.world.sql("UPDATE contacts SET fields = fields || '{\"email\": \"eve@example.com\"}' WHERE external_id = 'V-0000'")
    office.deliver()
    assert [] == office.server.taken
    assert "address_changed" == getattr(office.told(office.nurtured)[-1].data, "reason", None)


def test_without_a_server_people_send_by_hand(office: Office) -> None:
    office.world.environ.pop("THAW_SMTP_URL")
    assert "no mail server is named in THAW_SMTP_URL" in office.refused(2, "nurture", "V-0000", "--asset", "a", "--text", "b")


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("Hello\r\nBcc: eve@example.com", "it has to be one line"),
        ("Hello\nX: y", "it has to be one line"),
        ("Invoice \u202egpj.exe", "without control characters"),
        ("x" * 201, "200 are the most"),
    ],
)
def test_a_hostile_subject_is_refused_in_one_sentence(office: Office, subject: str, says: str) -> None:
    said = office.refused(2, "nurture", "V-0000", "--asset", "a", "--text", "It is out.", "--subject", subject)
    assert says in said
    assert [] == office.due()


@pytest.mark.parametrize(
    "say",
    [
        "مرحبا آدا، صدر الدليل الجديد للحدائق الصغيرة.",
        "שלום עדה, המדריך החדש יצא לאור.",
        "The garden guide 🌱🏡👩‍🌾 is out. Ça vaut le coup d'œil!",
        "One very long line on the garden guide " + "without an end " * 400,
        ".\n..\n. a line that begins with a dot\nFrom here on the garden guide",
        '<script>alert(1)</script> & <b>bold</b> "quotes" of the garden guide',
    ],
)
def test_any_text_arrives_as_it_was_written(office: Office, say: str) -> None:
    """Right to left, emoji, long lines, dots and markup; no line of the mail is longer than RFC 5322 likes."""
    office.nurture(say=say)
    office.deliver()
    (mail,) = office.server.mails
    assert say.strip() in mail.plain.replace("\r\n", "\n")
    assert "<script" not in mail.html
    lines = [
        line for line in office.server.taken[0].split(b"\r\n") if not line.startswith((b"List-Unsubscribe:", b" <mailto:"))
    ]
    assert max(map(len, lines)) <= 78
    assert office.server.taken[0].isascii()


def test_names_in_other_letters_stand_in_the_header(office: Office) -> None:
    """RFC 2047 for names, punycode for domains, and SMTPUTF8 only where the address itself needs it."""
    office.world.sql(
        "UPDATE contacts SET fields = fields || %(more)s::jsonb WHERE external_id = 'V-0000'",
        more='{"name": "Zoë Müller-Çelik", "email": "zoë@bücher.example"}',
    )
    office.nurture()
    office.deliver()
    assert [("dan@springfield.example", ["zoë@xn--bcher-kva.example"])] == office.server.envelopes
    assert "Zoë Müller-Çelik <zoë@xn--bcher-kva.example>" == office.server.mails[0].headers["To"]
    office.world.sql("UPDATE contacts SET fields = fields || '{\"email\": \"zoe@example.com\"}' WHERE external_id = 'V-0000'")
    office.world.at(office.world.clock() + timedelta(days=31))
    office.nurture("second-guide", "Here is the second part of the guide.")
    office.deliver()
    assert office.server.taken[1].isascii()
    assert "Zoë Müller-Çelik <zoe@example.com>" == office.server.mails[1].headers["To"]


def test_a_mail_without_a_way_out_or_an_address_is_not_fit_to_go_out(office: Office) -> None:
    """A3-3: what the law asks for is read from the bytes, whoever made them."""
    office.nurture()
    office.deliver()
    mail = office.server.mails[0]
    assert [True, True] == [each.passed for each in mail_checks(mail, POSTAL)]
    assert [True, False] == [each.passed for each in mail_checks(mail, "Somewhere else")]
    bare = office.server.taken[0].replace(b"List-Unsubscribe-Post", b"X-Other")
    assert [False, True] == [each.passed for each in mail_checks(read_mail(bare), POSTAL)]


def test_a_message_that_is_no_mail_fails_where_people_see_it(office: Office) -> None:
    """It is no licence to do anything else on that queue."""
    office.nurture()
    (ring,) = office.due()
    assert "send_mail" == SendMail.__struct_config__.tag
    office.world.sql(
        "UPDATE messages SET body = %(b)s WHERE id = %(i)s", b='{"command":"release","occurred_at":null}', i=ring.message_id
    )
    office.deliverer.deliver(ring)
    assert [] == office.server.taken
    assert [] == office.due()
