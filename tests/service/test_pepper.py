"""What identifies a person is the same however it is written, says nothing without the secret, and the secret is guarded."""

import hashlib
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import suppressions
from models.contacts import new_contact, save_contacts
from models.database import Engine, transaction
from service.pepper import Pepper, PepperError, open_pepper, pepper_path, phone_line, rekey
from service.settings import Settings
from tests.desk import WORDS, Desk

ONE, OTHER = Pepper(bytes(32)), Pepper(bytes([1]) * 32)
ADA = {"name": "Ada Amberfield", "email": "ada@example.com", "phone": "+15550104477", "address": "1 Main St\nSpringfield"}


def kinds(one: list[str], other: list[str]) -> set[str]:
    """Return the kinds of the identifiers that two contacts share."""
    return {key.partition(":")[0] for key in set(one) & set(other)}


@pytest.mark.parametrize(
    ("written", "shared"),
    [
        ({"email": " ADA@Example.com "}, {"email"}),
        ({"phone": "+1 (555) 010-4477"}, {"phone"}),
        ({"phone": "(555) 010-4477", "country": "US"}, {"phone"}),
        ({"phone": "+1 555 010 4477", "name": "Amberfield, Ada"}, {"phone", "person"}),
        ({"phone": "+15550104477", "name": "ÁDA   amberfield"}, {"phone", "person"}),
        ({"phone": "+15550104477;ext=12", "name": "Ada Amberfield"}, set()),
        ({"name": "Ada Amberfield", "address": "1, main st., springfield"}, {"post"}),
        ({"name": "Bela Brookhollow", "address": "1 Main St\nSpringfield"}, set()),
        ({"name": "Ada Amberfield"}, set()),
        ({}, set()),
    ],
)
def test_a_person_is_recognised_however_it_is_written(written: dict[str, str], shared: set[str]) -> None:
    assert shared == kinds(ONE.keys("crm", "A-1", ADA), ONE.keys("crm", "A-2", written))


def test_the_prefix_that_is_dialled_inside_a_country_only_makes_no_other_number() -> None:
    assert phone_line("+44 20 7946 0018") == phone_line("+44 020 7946 0018") == phone_line("020 7946 0018", "GB")
    assert "5550104477" == phone_line("555 010 4477")


@given(
    st.from_regex(r"\+1[ .-]?(\([0-9]{3}\)|[0-9]{3})[ .-]?[0-9]{3}[ .-]?[0-9]{4}( ?x[0-9]{1,3})?", fullmatch=True).filter(
        str.isascii
    ),
    st.sampled_from([None, "US", "DE", "nowhere"]),
)
def test_an_american_number_is_what_parsing_makes_of_it(number: str, country: str | None) -> None:
    """The short way to the usual numbers leads where the long one does."""
    parsed = phonenumbers.parse(number, country)
    line = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert (f"{line};ext={parsed.extension}" if parsed.extension else line) == phone_line(number, country)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_read_as_all_others(name: str) -> None:
    """An accent makes no difference, so an address with one more word that has one is read the long way, to the same end."""
    address = [
        ONE.keys("crm", "A-1", {"address": f"{name} {word}"})[-1] for word in ("e", "\N{LATIN SMALL LETTER E WITH ACUTE}")
    ]
    assert address[0] == address[1]


def test_the_id_of_another_crm_is_another_person() -> None:
    assert kinds(ONE.keys("crm", "A-1", {}), ONE.keys("crm", "A-1", {})) == {"crm"}
    assert kinds(ONE.keys("crm", "A-1", {}), ONE.keys("shop", "A-1", {})) == set()


@given(st.dictionaries(st.sampled_from(sorted(ADA)), st.text(st.characters(exclude_categories=["Cs"]), max_size=40)))
def test_without_the_secret_nothing_can_be_tried(fields: dict[str, str]) -> None:
    """Each identifier gets one key of each kind at most, another with another secret, and none that a plain hash gives."""
    keys = ONE.keys("crm", "A-1", fields)
    assert len({key.partition(":")[0] for key in keys}) == len(keys)
    assert keys == ONE.keys("crm", "A-1", dict(fields))
    assert set(keys).isdisjoint(OTHER.keys("crm", "A-1", fields))
    plain = {
        hashlib.sha256(text.encode()).hexdigest()[:32] for text in ("A-1", "crm\x1fA-1", "crm\x1fcrm\x1fA-1", *fields.values())
    }
    assert plain.isdisjoint(key.partition(":")[2] for key in keys)


def settings(folder: Path) -> Settings:
    return Settings(home=str(folder / "home"))


def test_the_secret_is_made_once_and_never_printed(desk: Desk, tmp_path: Path) -> None:
    made = open_pepper(settings(tmp_path), desk.engine)
    path = pepper_path(settings(tmp_path))
    assert (made.fingerprint, 0o600) == (open_pepper(settings(tmp_path), desk.engine).fingerprint, path.stat().st_mode & 0o777)
    assert f"Pepper({made.fingerprint})" == repr(made)
    assert made.keys("crm", "A-1", ADA) == open_pepper(settings(tmp_path), desk.engine).keys("crm", "A-1", ADA)


def test_a_secret_that_others_can_read_is_not_used(desk: Desk, tmp_path: Path) -> None:
    open_pepper(settings(tmp_path), desk.engine)
    path = pepper_path(settings(tmp_path))
    path.chmod(0o640)
    with pytest.raises(PepperError, match="can be read or written by others"):
        open_pepper(settings(tmp_path), desk.engine)
    path.chmod(0o600)
    path.write_text(path.read_text().replace("+", "-"))
    with pytest.raises(PepperError, match="holds no secret") as caught:
        open_pepper(settings(tmp_path), desk.engine)
    assert path.read_text().strip() not in str(caught.value)


def test_another_secret_than_the_lists_is_refused(desk: Desk, tmp_path: Path) -> None:
    """On another machine, or after the file was lost, nothing is asked of the list in vain."""
    made = open_pepper(settings(tmp_path), desk.engine)
    pepper_path(settings(tmp_path)).unlink()
    with pytest.raises(
        PepperError, match=f"keyed with the secret {made.fingerprint}, and there is no .*thaw suppressions rekey"
    ):
        open_pepper(settings(tmp_path), desk.engine)
    other = Settings(home=str(tmp_path / "other"))
    with pytest.raises(PepperError, match="there is no"):
        open_pepper(other, desk.engine)
    pepper_path(other).parent.mkdir(parents=True)
    pepper_path(other).write_text("thaw-suppression-key+" + OTHER.fingerprint + "+" + "AQEB" * 10 + "AQE=\n")
    pepper_path(other).chmod(0o600)
    with pytest.raises(PepperError, match=f"holds {OTHER.fingerprint}: put the right file there"):
        open_pepper(other, desk.engine)


def test_a_dry_look_writes_no_secret(desk: Desk, tmp_path: Path) -> None:
    open_pepper(settings(tmp_path), desk.engine, kept=False)
    assert not pepper_path(settings(tmp_path)).exists()
    with transaction(desk.engine) as connection:
        assert suppressions.fingerprint(connection) is None


def listed(engine: Engine, keys: list[str]) -> set[str]:
    with transaction(engine) as connection:
        return {found.entry.kind for found in suppressions.find(connection, keys)}


def test_when_the_secret_is_lost_those_who_are_known_stay_on_the_list(desk: Desk, tmp_path: Path) -> None:
    """Whoever was erased is recognised no more: nothing but the hash knew who it was."""
    old = open_pepper(settings(tmp_path), desk.engine)
    bela = {"name": "Bela Brookhollow", "email": "bela@example.com"}
    with transaction(desk.engine) as connection:
        save_contacts(connection, [new_contact(WORDS.document_id, "crm", "A-1", ADA, old.keys("crm", "A-1", ADA))])
        for keys in (old.keys("crm", "A-1", ADA), old.keys("crm", "B-1", bela)):
            suppressions.add(connection, keys, channel=None, reason="opted_out", since=desk.now.date())
    with pytest.raises(PepperError, match="needs no other secret"):
        rekey(settings(tmp_path), desk.engine)
    pepper_path(settings(tmp_path)).unlink()
    new, left = rekey(settings(tmp_path), desk.engine)
    assert new.fingerprint == open_pepper(settings(tmp_path), desk.engine).fingerprint != old.fingerprint
    assert {"crm", "email", "phone", "person", "post"} == listed(desk.engine, new.keys("crm", "A-1", ADA))
    assert (set(), 2) == (listed(desk.engine, new.keys("crm", "B-1", bela)), left)
