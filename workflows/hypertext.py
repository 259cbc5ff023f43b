"""What of a page in HTML a person reads, in time that grows with its length and no faster, whoever wrote it. Pure."""

import re
from html import unescape

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_BLOCK = re.compile(r"(?i)<\s*(?:br|/p|/div|/tr|/h[1-6]|/li)\b[^<>]*>")
_UNSEEN = re.compile(r"(?i)<(head|style|script)\b")
_ENDS = {name: re.compile(rf"(?i)</{name}\s*>") for name in ("head", "style", "script")}
#: A letter by a number that no letter has; the standard library fails at the longest of them.
_NO_LETTER = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")


def text_of(html: str) -> str:
    """Return the words of *html*, a line for each block."""
    return unescape(_NO_LETTER.sub("\ufffd", _TAG.sub("", _BLOCK.sub("\n", _seen(html))))).strip()


def _seen(html: str) -> str:
    """Return *html* without what no browser shows. What is never closed is looked for once, and stays."""
    kept: list[str] = []
    at, unclosed = 0, set[str]()
    for begins in _UNSEEN.finditer(html):
        name = begins[1].lower()
        if begins.start() < at or name in unclosed:
            continue
        ends = _ENDS[name].search(html, begins.end())
        if ends:
            kept.append(html[at : begins.start()])
            at = ends.end()
        else:
            unclosed.add(name)
    return "".join((*kept, html[at:]))
