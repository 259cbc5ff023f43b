"""What identifies a person, hashed with a secret of this installation: the keys of the suppression list.

Telephone numbers are few, and mail addresses are for sale by the million: a plain hash of one is found by trying them all. So
the hash is keyed (HMAC-SHA-256, 16 bytes of it) with 32 random bytes that stand in a file of their own, and never in the
database. Who has the table alone learns nothing; who has table and file can test whether somebody he can name is on the list.
"""

import base64
import binascii
import hmac
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import phonenumbers

from models import suppressions, views
from models.database import Engine, transaction
from models.suppressions import Unkeyed
from service.settings import Settings, SettingsError
from workflows.suppression import Kind

_LABEL = "thaw-suppression-key"
_SECRET_BYTES = 32
_HASH_BYTES = 16

#: Contacts whose keys are written in one transaction.
PAGE = 1000


class PepperError(SettingsError):
    """The secret is missing, open to others, or not the one with which the list was made; the message says what to do."""


class Pepper:
    """The secret in memory. Nothing that prints it shows more than its fingerprint."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.fingerprint = hmac.digest(secret, b"fingerprint", "sha256").hex()[:8]

    def __repr__(self) -> str:
        """Return the fingerprint."""
        return f"Pepper({self.fingerprint})"

    def keys(self, source: str, external_id: str, fields: Mapping[str, Any]) -> list[str]:
        """Return the keys of the person with these *fields* of a contact, always in the same order of kinds."""
        name, address = _words(fields.get("name") or fields.get("company")), _words(fields.get("address"))
        line, email = phone_line(fields.get("phone"), fields.get("country")), mail_address(fields.get("email"))
        found = [self.key("crm", source, external_id)]
        if email:
            found.append(self.key("email", email))
        if line:
            found += [self.key("phone", line), self.key("person", " ".join(sorted(name)), line)]
        if address:
            found.append(self.key("post", " ".join(sorted(name)), " ".join(address)))
        return found

    def seal(self, purpose: str, content: bytes) -> bytes:
        """Return 16 bytes that only who has the secret can make of *content*, for one *purpose*."""
        return hmac.digest(self._secret, purpose.encode() + b"\x1e" + content, "sha256")[:_HASH_BYTES]

    def key(self, kind: Kind, *parts: str) -> str:
        """Return the key of one identifier, whose *parts* are in the form that this module gives them."""
        text = "\x1f".join((kind, *parts))
        return f"{kind}:{hmac.digest(self._secret, text.encode(), 'sha256')[:_HASH_BYTES].hex()}"


#: A number of North America with its country code, of which parsing makes the same in a hundred times the time.
_AMERICAN = re.compile(r"\+1[ .-]?(?:\(([2-9][0-9]{2})\)|([2-9][0-9]{2}))[ .-]?([0-9]{3})[ .-]?([0-9]{4})")

_ASCII_WORD = re.compile(r"[a-z0-9]+")


def mail_address(value: object) -> str:
    """Return a mail address in the form in which two of the same are equal; empty for none."""
    return unicodedata.normalize("NFKC", value).strip().casefold() if isinstance(value, str) else ""


def phone_line(value: object, country: object = None) -> str:
    """Return a telephone number as E.164, with its extension; without a known country, its digits. Empty for none."""
    if not isinstance(value, str) or not value.strip():
        return ""
    if american := _AMERICAN.fullmatch(value):
        return f"+1{''.join(american.groups(''))}"
    try:
        number = phonenumbers.parse(value, country if isinstance(country, str) else None)
    except phonenumbers.NumberParseException:
        return "".join(character for character in value if character.isdigit())
    line = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{line};ext={number.extension}" if number.extension else line


def _words(value: object) -> list[str]:
    """Return the words of a name or an address, without case, accents and punctuation."""
    if not isinstance(value, str):
        return []
    if value.isascii():
        # What follows comes to the same, one character after the other.
        return _ASCII_WORD.findall(value.lower())
    plain = (c for c in unicodedata.normalize("NFKD", value).casefold() if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in plain).split()


def pepper_path(settings: Settings) -> Path:
    """Return the file that holds the secret."""
    given = settings.suppression_key_file
    return Path(given).expanduser() if given else settings.home_path / "keys" / "suppression.key"


def open_pepper(settings: Settings, engine: Engine, *, kept: bool = True) -> Pepper:
    """Return the secret with which the list in this database is made; where there is neither list nor secret, make one.

    With *kept* false nothing is written: the secret is thrown away, as there is no list yet that it could be asked of.

    Raises
    ------
    PepperError
        When the file is missing or open to others, or holds another secret than the list was made with.
    """
    path = pepper_path(settings)
    with transaction(engine) as connection:
        known = suppressions.fingerprint(connection)
    if known and not path.exists():
        raise PepperError(
            f"the suppression list is keyed with the secret {known}, and there is no {path}: copy the file from the machine or "
            f"the backup that has it, or name it in THAW_SUPPRESSION_KEY_FILE; if it is lost, run `thaw suppressions rekey`"
        )
    if not kept and not known:
        return Pepper(secrets.token_bytes(_SECRET_BYTES))
    pepper = read_pepper(path) if path.exists() else make_pepper(path)
    if kept and not known:
        with transaction(engine) as connection:
            known = suppressions.set_fingerprint(connection, pepper.fingerprint)
    if known != pepper.fingerprint:
        raise PepperError(
            f"the suppression list is keyed with the secret {known}, and {path} holds {pepper.fingerprint}: put the right file "
            f"there, or name it in THAW_SUPPRESSION_KEY_FILE"
        )
    return pepper


def make_pepper(path: Path) -> Pepper:
    """Write a new secret to *path*, or return the one that somebody wrote there just now."""
    pepper_secret = secrets.token_bytes(_SECRET_BYTES)
    line = f"{_LABEL}+{Pepper(pepper_secret).fingerprint}+{base64.b64encode(pepper_secret).decode()}\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Whole or not at all, and never over another one.
        os.link(draft, path)
    except FileExistsError:
        return read_pepper(path)
    finally:
        draft.unlink()
    return Pepper(pepper_secret)


def read_pepper(path: Path) -> Pepper:
    """Return the secret in the file *path*.

    Raises
    ------
    PepperError
        When others can read the file, or it holds no secret.
    """
    file = path.stat()
    if not stat.S_ISREG(file.st_mode) or file.st_mode & 0o077:
        raise PepperError(f"{path} can be read or written by others: it is to be a file of mode 0600")
    try:
        label, fingerprint, encoded = path.read_text().strip().split("+", 2)
        pepper = Pepper(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error):
        # Whatever went wrong, no part of the file may end in a message.
        raise PepperError(f"{path} holds no secret of a suppression list, or one that was altered") from None
    if label != _LABEL or pepper.fingerprint != fingerprint:
        raise PepperError(f"{path} holds no secret of a suppression list, or one that was altered")
    return pepper


def fill_keys(settings: Settings, engine: Engine) -> None:
    """Work out the keys of contacts that have none yet, and put those of them who opted out on the list.

    Raises
    ------
    PepperError
        As `open_pepper` does, when there are such contacts.
    """
    with transaction(engine) as connection:
        if not suppressions.contacts_to_key(connection, again=False, limit=1):
            return
    pepper = open_pepper(settings, engine)
    while True:
        with transaction(engine) as connection:
            # Alone: somebody who opts out just now is put on the list by that, or by this.
            suppressions.lock(connection, alone=True)
            page = suppressions.contacts_to_key(connection, again=False, limit=PAGE)
            if not page:
                return
            keys = _keys(pepper, page)
            suppressions.set_keys(connection, keys)
            leads = views.find_leads(connection, list(keys))
            suppressions.add_opted_out(connection, [lead for lead in leads if lead.modes_refused])


def rekey(settings: Settings, engine: Engine) -> tuple[Pepper, int]:
    """Key the list anew because its secret is lost; return the new secret, and how many entries stay behind.

    Entries of people who are known are carried over: their contacts tell who they are. Those of people who are not, above all
    of those who were erased, stand for nobody any more.

    Raises
    ------
    PepperError
        When the secret is not lost.
    """
    path = pepper_path(settings)
    pepper = read_pepper(path) if path.exists() else make_pepper(path)
    with transaction(engine) as connection:
        suppressions.lock(connection, alone=True)
        if suppressions.fingerprint(connection) in (None, pepper.fingerprint):
            raise PepperError(f"the suppression list needs no other secret than the one in {path}")
        after = None
        while page := suppressions.contacts_to_key(connection, after=after, again=True, limit=PAGE):
            after = page[-1].lead_id
            keys = _keys(pepper, page)
            pairs = {old: new for each in page for old, new in _pairs(each.keys, keys[each.lead_id])}
            suppressions.move(connection, pairs)
            suppressions.set_keys(connection, keys)
        suppressions.set_fingerprint(connection, pepper.fingerprint, instead=True)
        return pepper, suppressions.count_of_nobody(connection)


def _keys(pepper: Pepper, page: Sequence[Unkeyed]) -> dict[UUID, list[str]]:
    return {each.lead_id: pepper.keys(each.source, each.external_id, each.fields) for each in page}


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys of one person that are of the same kind; there is at most one of each."""
    by_kind = {key.partition(":")[0]: key for key in new}
    for key in old:
        if (kind := key.partition(":")[0]) in by_kind:
            yield key, by_kind[kind]
