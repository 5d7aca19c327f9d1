"""Which cron texts are understood, and what is said of the others."""

from datetime import date

import pytest

from student_hub.schedules.cron import BadCron, Cron

pytestmark = pytest.mark.requirement("cron")

REFUSED = {
    "": "empty",
    "   ": "empty",
    "*": "has 1 fields",
    "* * * *": "has 4 fields",
    "0 0 9 * * *": "has 6 fields",
    "0 9 * * * 2026 x": "has 7 fields",
    "*/0 * * * *": "minute: a step",
    "*/60 * * * *": "minute: a step",
    "*/-1 * * * *": "minute: a step",
    "*/ * * * *": "minute: a step",
    "*/1/2 * * * *": "minute: a step",
    "0 */24 * * *": "hour: a step",
    "5/10 * * * *": "minute: a step needs",
    "60 * * * *": "minute is not between",
    "-1 * * * *": "minute is not",
    "1.5 * * * *": "minute is not",
    "+1 * * * *": "minute is not",
    "1- * * * *": "minute is not",
    "5-1 * * * *": "minute: a range ends",
    "1-2-3 * * * *": "minute is not",
    "1,,2 * * * *": "minute is not",
    ",1 * * * *": "minute is not",
    "1, * * * *": "minute is not",
    "0 24 * * *": "hour is not between",
    "0 9am * * *": "hour is not",
    "0 22-6 * * *": "hour: a range ends",
    "0 0 0 * *": "day-of-month is not between",
    "0 0 32 * *": "day-of-month is not between",
    "0 0 30 2 *": "never fire",
    "0 0 31 2,4,6,9,11 *": "never fire",
    "0 0 31 4 */2": "never fire",
    "0 0 30-31 FEB *": "never fire",
    "0 0 L * *": "L, W and #",
    "0 0 L-3 * *": "L, W and #",
    "0 0 15W * *": "L, W and #",
    "0 0 LW * *": "L, W and #",
    "0 0 * * 5L": "L, W and #",
    "0 0 * * MON#2": "L, W and #",
    "0 0 * * 1#1": "L, W and #",
    "0 0 ? * MON": "day-of-month is not",
    "0 0 1 0 *": "month is not between",
    "0 0 1 13 *": "month is not between",
    "0 0 1 JANUARY *": "month is not",
    "0 0 1 MON *": "month is not",
    "0 0 1 DEC-JAN *": "month: a range ends",
    "0 0 * * 8": "day-of-week is not between",
    "0 0 * * MONDAY": "day-of-week is not",
    "0 0 * * FEB": "day-of-week is not",
    "0 0 * * FRI-MON": "day-of-week: a range ends",
    "0 0 * * 월": "no part of",
    "٠ 9 * * *": "no part of",
    "０ 9 * * *": "no part of",
    "0\u00a09 * * *": "no part of",
    "0\t9 * * *": "no part of",
    "0 9 * * *\n": "no part of",
    "0 9 * * *\x00": "no part of",
    "@reboot": "no such macro",
    "@": "no such macro",
    "@every 5m": "has 2 fields",
    "@daily 9": "has 2 fields",
    "x" * 1_000: "longer than 100",
    "0 9 * * " + "1," * 200 + "1": "longer than 100",
    "99999999999999999999 * * * *": "minute is not between",
    "0 9 * * *; rm": "has 6 fields",
    "H 9 * * *": "minute is not",
    "0 9 * * MON..FRI": "day-of-week is not",
    "~ 9 * * *": "minute is not",
    "0x5 * * * *": "minute is not",
    "*5 * * * *": "minute is not",
    "** * * * *": "minute is not",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_text_is_refused_by_the_field_that_is_wrong(text: str) -> None:
    """Nothing is guessed at, and the sentence says where to look."""
    with pytest.raises(BadCron, match=REFUSED[text]):
        Cron.parse(text)


GOOD = {
    "0 9 * * *": ((0,), (9,)),
    "*/15 9-17 * * MON-FRI": ((0, 15, 30, 45), tuple(range(9, 18))),
    "5-20/5,59 0,12 1 jan *": ((5, 10, 15, 20, 59), (0, 12)),
    "  0   9 * * 7  ": ((0,), (9,)),
    "@daily": ((0,), (0,)),
    "@Hourly": ((0,), tuple(range(24))),
    "00 09 * * 05": ((0,), (9,)),
}


@pytest.mark.parametrize("text", GOOD)
def test_a_right_text_gives_its_minutes_and_hours(text: str) -> None:
    """Lists, ranges, steps, macros, blanks, and either case."""
    parsed = Cron.parse(text)
    assert (parsed.minutes, parsed.hours) == GOOD[text]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0 0 * * SUN", {1, 8, 15, 22, 29}),
        ("0 0 * * 7", {1, 8, 15, 22, 29}),
        ("0 0 * * 0", {1, 8, 15, 22, 29}),
        ("0 0 * * FRI-SUN", {1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28, 29}),
        ("0 0 13 * FRI", {6, 13, 20, 27}),
        ("0 0 2 * MON", {2, 9, 16, 23, 30}),
        ("0 0 */10 * MON", set()),
        ("0 0 */7 * SUN", {1, 8, 15, 22, 29}),
        ("0 0 31 * *", {31}),
        ("0 0 1 4 *", set()),
        ("0 0 31 2,3 MON", {2, 9, 16, 23, 30, 31}),
        ("0 0 * * */3", {1, 4, 7, 8, 11, 14, 15, 18, 21, 22, 25, 28, 29}),
    ],
)
def test_days_follow_the_rule_of_vixie(text: str, days: set[int]) -> None:
    """March 2026, whose first is a Sunday: two restricted days are an or, a star makes an and."""
    parsed = Cron.parse(text)
    assert {day for day in range(1, 32) if parsed.on(date(2026, 3, day))} == days
