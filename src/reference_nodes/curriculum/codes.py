"""Codes of achievement standards, in the official form and as people type them."""

import re
import unicodedata

OFFICIAL = re.compile(
    r"[2469]수0[1-4]-\d\d"
    r"|10공수[12]-0[1-4]-\d\d"
    r"|12(?:대수|확통|기하)0[1-3]-\d\d"
    r"|12미적[ⅠⅡ]-0[1-3]-\d\d"
)
_LOOSE = re.compile(r"(\d{1,2})(수|공수[12]|대수|확통|기하|미적(?:II|I|2|1))-?(\d\d)-?(\d\d)")
_NOISE = re.compile(r"[\s\[\]()【】〔〕]+")
_DASHES = re.compile(r"[‐-―−﹘﹣－ー_~∼〜]")
_ROMAN = {"I": "Ⅰ", "1": "Ⅰ", "II": "Ⅱ", "2": "Ⅱ"}


def normalise_code(text: str) -> str:
    """Give the official form of a typed code: brackets, blanks and odd dashes go, `I` becomes `Ⅰ`.

    Text that is no code of a mathematics standard comes back as it is, stripped and in NFC.
    """
    plain = unicodedata.normalize("NFKC", _DASHES.sub("-", unicodedata.normalize("NFC", text)))
    found = _LOOSE.fullmatch(_NOISE.sub("", plain).upper())
    code = _official(*found.groups()) if found else ""
    return code if OFFICIAL.fullmatch(code) else unicodedata.normalize("NFC", text).strip()


def _official(band: str, subject: str, area: str, number: str) -> str:
    if subject.startswith("미적"):
        subject = "미적" + _ROMAN[subject.removeprefix("미적")]
    dash = "-" if subject.startswith(("공수", "미적")) else ""
    return f"{band}{subject}{dash}{area}-{number}"
