"""What the documentation says of bodies of rows."""

import pytest

from student_hub.history.routes import router as history
from student_hub.history.service import MOST_EVENTS
from student_hub.platform.http.rows import rows_body
from student_hub.students.routes import router as students

pytestmark = pytest.mark.requirement("rest-problems")


@pytest.mark.parametrize(
    ("router", "path", "name", "most"),
    [
        (students, "/v1/students/import", "students", None),
        (history, "/v1/events", "events", MOST_EVENTS),
    ],
)
def test_a_route_that_takes_rows_documents_both_of_its_forms(
    router: object, path: str, name: str, most: int | None
) -> None:
    """A JSON object of one list, with its limit where there is one, or JSON lines."""
    (route,) = [each for each in getattr(router, "routes", []) if each.path == path]
    assert route.openapi_extra == rows_body(name, most)
    content = route.openapi_extra["requestBody"]["content"]
    rows = content["application/json"]["schema"]["properties"][name]
    assert rows.get("maxItems") == most
    assert content["application/x-ndjson"]["schema"] == {"type": "string"}
