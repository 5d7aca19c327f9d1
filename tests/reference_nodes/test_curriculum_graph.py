"""The graph's questions, and its complaints about broken files."""

from pathlib import Path
from unicodedata import normalize

import pytest

from reference_nodes.curriculum.codes import normalise_code
from reference_nodes.curriculum.graph import Concept, Edge, Graph, load
from reference_nodes.curriculum.source import CurriculumError, entries, read

pytestmark = pytest.mark.requirement("nodes-curriculum")


def concept(code: str, *needs: str, grade: int = 9, also: tuple[str, ...] = ()) -> Concept:
    return Concept(
        code=code,
        name=f"개념 {code}",
        name_en=f"concept {code}",
        grade=grade,
        domain="변화와 관계",
        unit="단원",
        prerequisites=tuple(Edge(need, "까닭") for need in needs),
        also=also,
    )


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("9수02-20", "9수02-20"),
        ("[9수02-20]", "9수02-20"),
        ("9수02–20", "9수02-20"),
        ("9수02−20", "9수02-20"),
        (" 9 수 02 - 20 ", "9수02-20"),
        ("9수0220", "9수02-20"),
        (normalize("NFD", "9수02-20"), "9수02-20"),
        ("９수０２－２０", "9수02-20"),
        ("10공수1–02–06", "10공수1-02-06"),
        ("[10공수2 03-04]", "10공수2-03-04"),
        ("12대수-01-01", "12대수01-01"),
        ("12미적I-01-01", "12미적Ⅰ-01-01"),
        ("12미적Ⅱ03-07", "12미적Ⅱ-03-07"),
        ("12미적2-01-01", "12미적Ⅱ-01-01"),
    ],
)
def test_codes_as_people_type_them_become_official(typed: str, code: str) -> None:
    """Brackets, blanks, other dashes, decomposed Korean, Latin numerals."""
    assert normalise_code(typed) == code


@pytest.mark.parametrize(
    "text", ["skill-70", "9수05-01", "3수01-03", "중1-함수01", "이차방정식", ""]
)
def test_what_is_no_code_stays_as_it_is(text: str) -> None:
    """Foreign concepts keep their name."""
    assert normalise_code(text) == text


def test_a_further_code_leads_to_its_concept() -> None:
    """A standard under `also` has the name, grade and prerequisites of the concept."""
    graph = load()
    assert graph.canonical("[9수02-22]") == "9수02-21"
    assert graph.name_of("9수02-22") == graph.name_of("9수02-21") == "이차함수와 그래프"
    assert graph.prerequisites("9수02-22") == graph.prerequisites("9수02-21")
    assert graph.grade_of("9수02-22") == 9


@pytest.mark.parametrize("text", ["이차방정식", "이차 방정식", "Quadratic equations", "[9수02-20]"])
def test_a_concept_is_found_by_name_or_code(text: str) -> None:
    """Names in both languages, blanks and case aside."""
    assert load().resolve(text) == "9수02-20"


def test_an_unknown_concept_stands_alone() -> None:
    """A string of foreign data is its own name, with no grade and no neighbours."""
    graph = load()
    assert graph.name_of("skill-70") == "skill-70"
    assert graph.resolve("skill-70") is None
    assert graph.grade_of("skill-70") is None
    assert graph.prerequisites("skill-70") == graph.ancestors("skill-70") == ()
    assert graph.blocked_by("skill-70") == ()


def test_ancestors_come_nearest_first_and_stop_at_the_depth() -> None:
    """Each once, though two ways lead to it."""
    codes = [f"9수02-0{n}" for n in range(1, 6)]
    graph = Graph(
        [
            concept(codes[0]),
            concept(codes[1], codes[0]),
            concept(codes[2], codes[1], codes[0]),
            concept(codes[3], codes[2]),
            concept(codes[4], codes[3]),
        ]
    )
    assert graph.ancestors(codes[4], depth=1) == (codes[3],)
    assert graph.ancestors(codes[4]) == (codes[3], codes[2], codes[1], codes[0])
    assert graph.blocked_by(codes[1]) == (codes[2], codes[3], codes[4])


def test_a_factorisation_blocks_the_quadratic_equation() -> None:
    """And through it what comes in grade 10, with a reason that can be shown."""
    graph = load()
    assert {"9수02-20", "10공수1-02-02"} <= set(graph.blocked_by("9수02-19"))
    assert any("인수분해" in edge.reason for edge in graph.edges("9수02-20"))


@pytest.mark.parametrize(
    ("concepts", "named"),
    [
        ([concept("9수02-01", "9수02-02"), concept("9수02-02", "9수02-01")], "a circle"),
        ([concept("9수02-01", "9수02-09")], "9수02-09"),
        ([concept("9수09-01")], "9수09-01 is no code"),
        ([concept("9수02-01", grade=7), concept("6수02-01", "9수02-01", grade=6)], "later grade"),
        ([concept("9수02-01"), concept("9수02-02", also=("9수02-01",))], "there already"),
        ([concept("9수02-01"), concept("9수02-01")], "there already"),
    ],
)
def test_a_broken_graph_is_refused_by_name(concepts: list[Concept], named: str) -> None:
    """The complaint says which concept and what is wrong."""
    with pytest.raises(CurriculumError, match=named):
        Graph(concepts)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- {code: 9수02-01, name: 식, name_en: e}", "before any unit"),
        ("- {unit: 식, grade: 13, domain: 변화와 관계}", "grade"),
        ("- {unit: 식, grade: 7, domain: 대수}", "domain"),
        ("- {code: 9수02-01, name: 식, name_en: e, need: {}}", "need"),
        ("- {code: 9수02-01, code: 9수02-02, name: 식, name_en: e}", "written twice: code"),
        ("- [", "broken.yaml"),
    ],
)
def test_a_broken_file_is_refused_by_name(text: str, named: str) -> None:
    """Wrong shapes, unknown keys, keys written twice."""
    with pytest.raises(CurriculumError, match=named):
        read(text, "broken.yaml")


def test_an_empty_folder_is_no_curriculum(tmp_path: Path) -> None:
    """Files forgotten in a package are noticed at once."""
    with pytest.raises(CurriculumError, match="no curriculum files"):
        entries(tmp_path)
