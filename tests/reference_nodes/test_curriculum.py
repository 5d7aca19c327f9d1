"""The shipped graph of concepts."""

import csv
import os
from pathlib import Path

import pytest

from reference_nodes.curriculum.codes import OFFICIAL
from reference_nodes.curriculum.graph import Graph, load
from reference_nodes.curriculum.source import DOMAINS

pytestmark = pytest.mark.requirement("nodes-curriculum")

OFFICIAL_LIST = (
    Path(__file__).parents[3] / "shared/data/curriculum_kr/achievement_standards_all.csv"
)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load()


@pytest.fixture(scope="module")
def official() -> dict[str, tuple[str, str]]:
    """The unit and the sentence of each official standard of grades 1 to 9."""
    if not OFFICIAL_LIST.is_file():
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"the official list of standards is not there: {OFFICIAL_LIST.name} in shared/data")
    with OFFICIAL_LIST.open(encoding="utf-8-sig", newline="") as lines:
        return {
            row["standard_code"]: (row["element_name"], row["standard_content"])
            for row in csv.DictReader(lines)
        }


def covered(graph: Graph) -> set[str]:
    return {code for c in graph.concepts.values() for code in (c.code, *c.also)}


def test_there_are_enough_concepts_and_not_too_many(graph: Graph) -> None:
    """A teacher can still read the whole list: 70 to 120 concepts in all twelve grades."""
    assert 70 <= len(graph.concepts) <= 120
    assert {concept.grade for concept in graph.concepts.values()} == set(range(1, 13))
    assert {concept.domain for concept in graph.concepts.values()} == set(DOMAINS)


def test_prerequisites_come_first_in_topological_order(graph: Graph) -> None:
    """There is no circle: every concept stands after all that it needs."""
    place = {code: i for i, code in enumerate(graph.topological())}
    assert len(place) == len(graph.concepts)
    for code in graph.concepts:
        assert all(place[need] < place[code] for need in graph.prerequisites(code)), code


def test_everything_grows_out_of_the_first_two_grades(graph: Graph) -> None:
    """From the few concepts that need nothing, all of grades 1 and 2, every other is reached."""
    roots = [code for code in graph.concepts if not graph.prerequisites(code)]
    assert {graph.grade_of(code) for code in roots} <= {1, 2}
    assert len(roots) <= 5
    reached = {above for root in roots for above in graph.blocked_by(root)} | set(roots)
    assert reached == set(graph.concepts)


def test_no_concept_needs_one_of_a_later_grade(graph: Graph) -> None:
    """A prerequisite is taught in the same grade or before."""
    for concept in graph.concepts.values():
        for need in concept.prerequisites:
            assert graph.concepts[need.code].grade <= concept.grade, (concept.code, need.code)


def test_every_edge_has_a_reason_of_its_own(graph: Graph) -> None:
    """No reason is empty, in another language, or written for two edges."""
    reasons = [edge.reason for c in graph.concepts.values() for edge in c.prerequisites]
    assert len(reasons) == len(set(reasons))
    assert all(any("가" <= letter <= "힣" for letter in reason) for reason in reasons)
    assert all("\n" not in reason and len(reason) >= 10 for reason in reasons)


def test_no_edge_only_repeats_what_others_say_twice(graph: Graph) -> None:
    """A concept names a prerequisite once."""
    for code in graph.concepts:
        needs = graph.prerequisites(code)
        assert len(needs) == len(set(needs)), code


def test_codes_have_the_official_form(graph: Graph) -> None:
    """Main codes and further ones alike, in every school level."""
    assert all(OFFICIAL.fullmatch(code) for code in covered(graph))


def test_codes_and_grades_agree(graph: Graph) -> None:
    """The number before 수 is the last grade of its band; 10 and 12 name their grades."""
    bands = {
        "2수": {1, 2},
        "4수": {3, 4},
        "6수": {5, 6},
        "9수": {7, 8, 9},
        "10": {10},
        "12": {11, 12},
    }
    for concept in graph.concepts.values():
        for code in (concept.code, *concept.also):
            (band,) = (grades for start, grades in bands.items() if code.startswith(start))
            assert concept.grade in band, code


def test_domains_of_grades_1_to_9_follow_the_code(graph: Graph) -> None:
    """The two digits after 수 are the domain."""
    for concept in graph.concepts.values():
        for code in (concept.code, *concept.also):
            if code[1] == "수":
                assert DOMAINS[int(code[2:4]) - 1] == concept.domain, code


def test_codes_of_grades_1_to_9_are_exactly_the_official_ones(
    graph: Graph, official: dict[str, tuple[str, str]]
) -> None:
    """None invented, none forgotten: 181 standards."""
    ours = {code for code in covered(graph) if code[1] == "수"}
    assert ours == set(official)
    assert len(ours) == 181


def test_names_and_reasons_are_our_own_words(
    graph: Graph, official: dict[str, tuple[str, str]]
) -> None:
    """No sentence of a standard stands in a name or a reason."""
    texts = [c.name for c in graph.concepts.values()]
    texts += [edge.reason for c in graph.concepts.values() for edge in c.prerequisites]
    sentences = "\n".join(sentence for _, sentence in official.values())
    assert [text for text in texts if len(text) > 15 and text in sentences] == []


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("9수02-04", "일차방정식"),
        ("9수02-07", "반비례"),
        ("9수02-13", "연립일차방정식"),
        ("9수02-19", "인수분해"),
        ("9수02-20", "이차방정식"),
        ("9수02-22", "이차함수"),
        ("9수03-15", "피타고라스"),
        ("10공수1-02-02", "판별식"),
        ("10공수1-02-06", "최대"),
        ("10공수1-02-11", "이차부등식"),
    ],
)
def test_well_known_codes_mean_what_they_should(graph: Graph, code: str, word: str) -> None:
    """Codes that samples use."""
    assert word in graph.name_of(code)


@pytest.mark.parametrize(("part", "areas"), [("1", (3, 11, 3, 2)), ("2", (7, 8, 5))])
def test_grade_10_is_complete(graph: Graph, part: str, areas: tuple[int, ...]) -> None:
    """19 standards of the first course, 20 of the second."""
    expected = {
        f"10공수{part}-{area:02}-{n:02}"
        for area, count in enumerate(areas, 1)
        for n in range(1, count + 1)
    }
    assert {c for c in covered(graph) if c.startswith(f"10공수{part}")} == expected
