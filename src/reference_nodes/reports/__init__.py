"""Daily and weekly reports, computed anew from the log whenever they are asked for.

Doors: `compute.Reporter` (a student's report for a day or a week), `compute.period_*`, `shapes`
(what a report says), `pages` (the same as HTML). A report exists when its period is over and the
student did something in it; its id and its text follow from the log alone.
"""
