"""Texts of unknown origin, made safe to be shown in a terminal."""

import unicodedata

#: General categories of characters that are shown by their number: what controls a terminal or the direction
#: of a text, is invisible, breaks a line, or is a half of a character that cannot be encoded.
HIDDEN_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Cs"}

#: The two joiners, without which words of some languages, and some emoji, are misspelt.
JOINERS = {"\u200c", "\u200d"}


def printable(text: str) -> str:
    r"""Return a text as one line that changes nothing in a terminal but to show itself.

    Characters that control a terminal (of C0 and C1, such as ESC and line breaks) or the direction of a text,
    and invisible ones, become their escapes in Python, such as ``\x1b`` and ``\u202e``.
    """
    if text.isprintable():  # which knows of no joiners, but is quick
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) in HIDDEN_CATEGORIES and character not in JOINERS:
        return character.encode("unicode_escape").decode()
    return character
