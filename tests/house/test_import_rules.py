"""Who may import whom: the rules hold, and a breach of each of them is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
NO_ROOMS = frozenset({"entry", "migrations", "nodes", "platform"})
ROOMS = {folder.parent.name for folder in ROOT.glob("src/student_hub/*/__init__.py")} - NO_ROOMS
SHOWN = frozenset({"service", "schemas", "errors", "policy"})
READERS = frozenset({"profiles", "analytics"})
ROOMS_WITHIN = frozenset({("access", "audit")})
"""Small rooms inside a room, which show what a room shows."""

BREACHES = {
    "floors": ("student_hub/students/added.py", "import student_hub.profiles.service"),
    "a folder off the plan": ("student_hub/attic/__init__.py", ""),
    "inside a room": ("student_hub/students/models.py", "import student_hub.students.service"),
    "protocols": ("student_hub/students/service.py", "import fastapi"),
    "sql": ("student_hub/profiles/routes.py", "import sqlalchemy"),
    "celery": ("student_hub/students/service.py", "import celery"),
    "settings": ("student_hub/students/service.py", "import student_hub.platform.settings"),
    "packages": ("reference_nodes/__main__.py", "import student_hub"),
    "cycles": ("student_hub/platform/errors.py", "import student_hub.platform.http.problems"),
}
CAUGHT_BY = {
    "floors": "Imports go downwards",
    "a folder off the plan": "Imports go downwards",
    "inside a room": "Inside a room",
    "protocols": "know no protocol",
    "sql": "write no SQL",
    "celery": "Celery appears",
    "settings": "Only entry reads settings",
    "packages": "import nothing of each other",
    "cycles": "No room has a cycle",
}


@pytest.mark.requirement("house-imports")
@pytest.mark.parametrize("breach", BREACHES)
def test_a_planted_breach_is_caught_by_its_contract(breach: str, tmp_path: Path) -> None:
    """Each rule fails when it is broken: no contract passes merely because it checks nothing."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file, line = BREACHES[breach]
    planted = tmp_path / "src" / file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{planted.read_text() if planted.exists() else ''}\n{line}\n")
    report = lint_imports(tmp_path)
    broken = [name for name in report.splitlines() if " BROKEN" in name]
    assert any(CAUGHT_BY[breach] in name for name in broken) or (
        breach == "a folder off the plan" and "attic" in report
    ), report


def lint_imports(tree: Path) -> str:
    """What the contracts say of the source in that tree."""
    script = "from importlinter.cli import lint_imports_command as go; go()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.requirement("house-imports")
def test_rooms_see_only_what_their_neighbours_show() -> None:
    """From room to room only services, schemas, errors and policy; readers also models."""
    graph = grimp.build_graph("student_hub", cache_dir=None)
    assert trespasses(graph) == []


@pytest.mark.requirement("house-imports")
def test_a_trespass_into_a_neighbours_repository_is_seen() -> None:
    """The test above fails when a room reaches for another's repository."""
    graph = grimp.build_graph("student_hub", cache_dir=None)
    graph.add_import(
        importer="student_hub.history.service", imported="student_hub.students.repository"
    )
    assert trespasses(graph) == ["student_hub.history.service -> student_hub.students.repository"]


def trespasses(graph: grimp.ImportGraph) -> list[str]:
    """Every import that reaches into a neighbouring room past what it shows."""
    return [
        f"{importer} -> {imported}"
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if not _allowed(importer.split("."), imported.split("."))
    ]


def _allowed(importer: list[str], imported: list[str]) -> bool:
    if len(importer) < 2 or len(imported) < 3:
        return True
    here, there = importer[1], imported[1]
    within = tuple(imported[1:3]) in ROOMS_WITHIN and len(imported) > 3
    inner = imported[3] if within else imported[2]
    if there not in ROOMS or here in {there, "entry", "migrations"}:
        return True
    return inner in SHOWN or (here in READERS and inner == "models")
