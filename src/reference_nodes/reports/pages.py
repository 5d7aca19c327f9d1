"""Reports as HTML documents that need nothing from elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reference_nodes.reports.shapes import ClassWeek, Report

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["percent"] = lambda share: f"{share:.0%}"
_ENVIRONMENT.filters["signed"] = lambda change: f"{change:+.0%}"


def student_page(report: Report) -> str:
    """One student's day or week."""
    return _ENVIRONMENT.get_template("student.html").render(report=report)


def class_page(week: ClassWeek, reports: Sequence[Report]) -> str:
    """A class's week, a row for each student with activity."""
    return _ENVIRONMENT.get_template("class.html").render(week=week, reports=reports)
