"""What may be published: names that everybody finds, and a footer of which only the way out is a link."""

import pytest

from service.bundle.verify import phrase_names
from workflows.phrase_lists import TEXT, read_phrases
from workflows.wordings import WordingError, read_wording

LISTS = TEXT.partition("[empty]")[0]


@pytest.mark.parametrize(
    "written",
    [
        '[empty]\nany_news = ["any news"]\n',
        '[ empty ]\n\t"any_news"\t= ["any news"]\n',
        "[empty]\r\n'any_news'=['any news']\n",
        'empty . any_news = ["any news"]\n',
        'empty."any_news" = ["any news"]\n',
        'empty = { short = ["x y"], any_news = [\n"any news" ] }\n',
    ],
)
def test_the_verifier_finds_each_name_that_is_published(written: str) -> None:
    """However TOML lets it be written, it is found without TOML."""
    text = LISTS + written
    assert read_wording("phrases", text).text == text
    assert set(read_phrases(text).empty) <= phrase_names(text)


@pytest.mark.parametrize("name", [r"\u0061ny_news", r"any\u005Fnews", r"any_new\U00000073"])
def test_a_name_written_with_escapes_is_refused(name: str) -> None:
    """TOML reads it, and the verifier would not find it: a decision that found a phrase by it would seem forged."""
    text = f'{LISTS}[empty]\n"{name}" = ["any news"]\n'
    assert list(read_phrases(text).empty) == ["any_news"]
    assert "any_news" not in phrase_names(text)
    with pytest.raises(WordingError, match="any_news: the name of a list is written letter by letter, without escapes"):
        read_wording("phrases", text)


@pytest.mark.parametrize("line", ["$postal_address | Unsubscribe: $unsubscribe", "Leave: ${unsubscribe}, or ${postal_address}"])
def test_a_footer_has_the_address_and_the_way_out_on_lines_of_their_own(line: str) -> None:
    """The words beside the way out become the link: an address among them would be one, too."""
    with pytest.raises(WordingError, match=r"line 2: .postal_address and .unsubscribe each need a line of their own"):
        read_wording("mail-footer", f"You know us.\n{line}\n")
    assert read_wording("mail-footer", "You know us at $postal_address.\nLeave us: $unsubscribe\n")
