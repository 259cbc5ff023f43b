"""Addresses at each door: what can never be one is refused where it is typed, and not when a mail is to go out."""

import pytest

from service.imports.problems import Unreadable
from service.imports.values import email
from service.mailing.addresses import MailError, address_of

IMPOSSIBLE = (
    "ada", "ada@", "@example.com", "ada@example", "ada@localhost", "a..b@example.com", ".a@example.com", "a.@example.com",
    "ada@-example.com", "ada@exa_mple.com", "ada@example..com", "ada@example.com.", "ada@[127.0.0.1]", '"a b"@example.com',
    "a@b@example.com", "ada@ex ample.com", "ada@1.2.3.4", "ada@xn--a.example", "ada@x.invalid", "a" * 65 + "@example.com",
    "ada@" + "a" * 64 + ".example", "ada@" + "a.b" * 84 + ".example", "ada\x00@example.com", "ada\n@example.com",
    "ada@\ud800.example",
)  # fmt: skip


@pytest.mark.parametrize("typed", IMPOSSIBLE)
def test_an_impossible_address_is_refused_where_it_is_typed(typed: str) -> None:
    """As the address of a rep or a lead, and in an import; nothing is looked up for that."""
    with pytest.raises(MailError, match="is no mail address"):
        address_of("--email", typed)
    with pytest.raises(Unreadable):
        email(typed)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.B+tag@Example.COM ", "Ada.B+tag@example.com"),
        ("o'neil_x@mail.springfield.example", "o'neil_x@mail.springfield.example"),
        ("zoë@bücher.example", "zoë@xn--bcher-kva.example"),
        ("ada@xn--strae-oqa.example", "ada@xn--strae-oqa.example"),
    ],
)
def test_an_address_that_can_be_one_is_taken_as_servers_know_it(typed: str, written: str) -> None:
    assert written == address_of("--email", typed).addr_spec
    assert typed.strip() == email(typed.strip())


def test_a_domain_that_two_standards_read_in_two_ways_is_not_guessed() -> None:
    """IDNA 2003 makes another domain of it, with another owner."""
    with pytest.raises(MailError, match=r"write its domain as xn--strae-oqa\.example"):
        address_of("--email", "ada@straße.example")
