"""What may be typed for an option, checked where it is typed: days, short words, texts, and who it was."""

import re
from pathlib import Path

import click

from service.times import TimeError, parse_day
from service.wording import hidden_in, plain

#: Longer texts are no notes; the limit keeps a wrong file from becoming a document.
MOST_CHARACTERS = 2_000_000

_SLUG = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,79}")
_OPERATOR = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,60}")
_WHO = re.compile(r"(rep|manager):[^\x00-\x1f\x7f\ud800-\udfff]{1,80}")


class DayType(click.ParamType[str]):
    """A day such as 2026-03-09."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the day in ISO form."""
        try:
            return parse_day(str(value)).isoformat()
        except TimeError as error:
            self.fail(str(error), param, ctx)


class SlugType(click.ParamType[str]):
    """A short word such as no_budget."""

    name = "word"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word as it is."""
        typed = str(value)
        if not _SLUG.fullmatch(typed):
            meant = re.sub(r"[^a-z0-9]+", "_", typed.casefold()).strip("_")[:80]
            hint = f"; did you mean {meant}?" if meant else ""
            wanted = f"up to 80 small letters, digits and _ . : -, as in no_budget{hint}"
            self.fail(f"{plain(typed, 60)!r} is no short word: {wanted}", param, ctx)
        return typed


class TextType(click.ParamType[str]):
    """Words that people wrote, of any kind; they are kept outside the log."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text, which is not empty and can be kept."""
        text = str(value)
        if not text.strip():
            self.fail("it is empty; write something, or leave the option out", param, ctx)
        if len(text) > MOST_CHARACTERS:
            self.fail(f"it has {len(text)} characters, and {MOST_CHARACTERS} are the most", param, ctx)
        if "\x00" in text:
            self.fail("it holds a NUL character, which no text has; is it the right file?", param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8; is it the right file?", param, ctx)
        return text


class PrintedType(TextType):
    """Words that stand in letters: of at most *most* characters, on one line where *line*, and nothing that is not printed."""

    def __init__(self, most: int, *, line: bool) -> None:
        """Take texts of at most *most* characters; with *line* on one line."""
        self._most, self._line = most, line

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text, which can be printed as it is."""
        text = super().convert(value, param, ctx)
        if len(text) > self._most:
            self.fail(f"it has {len(text)} characters; letters have room for {self._most}", param, ctx)
        if self._line and len(text.splitlines()) > 1:
            self.fail("it has a line break; write it on one line", param, ctx)
        if hidden := hidden_in(text):
            self.fail(f"it holds {hidden}, a character that is not printed but obeyed; leave it out", param, ctx)
        return text


class TextFileType(TextType):
    """A file that holds such words, in UTF-8."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text in the file, without the line end at its end."""
        try:
            # Bytes, so that line ends stay as they are.
            with Path(str(value)).open("rb") as file:
                # No further than words can go, because a file may have no end.
                words = file.read(4 * MOST_CHARACTERS + 4)
            if len(words) > 4 * MOST_CHARACTERS + 3:
                self.fail(f"{plain(str(value))} is too long: {MOST_CHARACTERS} characters are the most", param, ctx)
            text = words.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.fail(f"{plain(str(value))} is not UTF-8; is it the right file?", param, ctx)
        except (OSError, ValueError) as error:
            self.fail(
                f"{plain(str(value))} cannot be read: {error.strerror if isinstance(error, OSError) else error}", param, ctx
            )
        return super().convert(text.rstrip("\r\n"), param, ctx)


class PairType(click.ParamType[tuple[str, str]]):
    """A field and the answer to it, with = between them."""

    name = "field=text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return field and answer."""
        if isinstance(value, tuple):
            return str(value[0]), str(value[1])
        field, equals, text = str(value).partition("=")
        if not equals:
            self.fail(
                f"{plain(str(value), 60)!r} has no =; write it like problems_this_year='two big customers left'", param, ctx
            )
        return SLUG.convert(field.strip(), param, ctx), TEXT.convert(text, param, ctx)


class SourceType(click.ParamType[tuple[str, str]]):
    """The day on which a source came out and where it stands, with = between them."""

    name = "day=where"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return day and place."""
        if isinstance(value, tuple):
            return str(value[0]), str(value[1])
        day, equals, where = str(value).partition("=")
        if not equals:
            self.fail(f"{plain(str(value), 60)!r} has no =; write it like 2026-03-01=https://example.com/report", param, ctx)
        return DAY.convert(day.strip(), param, ctx), TEXT.convert(where.strip(), param, ctx)


class WhoType(click.ParamType[str]):
    """Who did it: rep:dan or manager:ann."""

    name = "who"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return who, as it is."""
        if not _WHO.fullmatch(str(value)):
            self.fail(f"{plain(str(value), 60)!r} is nobody; write rep:NAME or manager:NAME, such as manager:ann", param, ctx)
        return str(value)


class OperatorType(click.ParamType[str]):
    """The name of somebody who operates the service."""

    name = "name"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, without blanks around it."""
        typed = str(value).strip().removeprefix("ops:")
        if not _OPERATOR.fullmatch(typed):
            self.fail(f"{plain(str(value), 60)!r} is no name: up to 60 printable characters", param, ctx)
        return typed


DAY, SLUG, TEXT, TEXT_FILE, PAIR, WHO = DayType(), SlugType(), TextType(), TextFileType(), PairType(), WhoType()
SOURCE = SourceType()

#: What stands on one line of a letter, such as a title; and what is said there at more length.
LINE, PRINTED = PrintedType(200, line=True), PrintedType(2000, line=False)
OPERATOR = OperatorType()
