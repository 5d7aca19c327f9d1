"""Text as people send it."""

import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from student_hub.platform.text import Text

pytestmark = pytest.mark.requirement("students-input")

SHORT = TypeAdapter[str](Annotated[Text, Field(max_length=5)])


@given(st.text())
def test_whatever_is_accepted_is_short_composed_and_visible(sent: str) -> None:
    """No accepted text has hidden characters, outer blanks, or another normal form."""
    try:
        text = SHORT.validate_python(sent)
    except ValidationError:
        return
    assert text == unicodedata.normalize("NFC", sent).strip()
    assert 0 < len(text) <= 5
    assert not {unicodedata.category(letter) for letter in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=5))
def test_every_hangul_text_is_accepted_in_either_form(text: str) -> None:
    """Composed and decomposed syllables are one text."""
    for form in ("NFC", "NFD"):
        assert SHORT.validate_python(unicodedata.normalize(form, text)) == text


@pytest.mark.parametrize("sent", ["a\u202eb", "a\u200bb", "a\x00b", "a\u2028b", "\u3164", "", " "])
def test_hidden_and_empty_text_is_refused(sent: str) -> None:
    """Direction marks, zero-width letters, controls and fillers."""
    with pytest.raises(ValidationError):
        SHORT.validate_python(sent)
