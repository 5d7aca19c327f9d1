"""The names of concepts, as nodes, events and teachers write them."""

import unicodedata


def word(name: str) -> str:
    """The name in one form: NFC, without blanks or brackets around it, in small letters."""
    return unicodedata.normalize("NFC", name).strip().strip("[]").casefold()
