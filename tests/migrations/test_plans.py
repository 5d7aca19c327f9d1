"""Row-level security leaves queries their indexes: a policy that hides one costs a whole table."""

import asyncpg
import pytest

from student_hub.platform.db.roles import HUB_ROLE

pytestmark = pytest.mark.requirement("row-level-security")
MANY = """
    INSERT INTO students (id, name, name_index, school_id, grade, class_name, metadata,
        created_at, updated_at)
    SELECT gen_random_uuid(), '', sha256(n::text::bytea), 'SCH' || n % 10, 1 + n % 12,
        n % 5 || '반', jsonb_build_object('interests', jsonb_build_array('topic' || n % 500)),
        now(), now()
    FROM generate_series(1, 5000) AS n;
    INSERT INTO grants (id, subject, kind, school_id, grade, class_name, relation, granted_by,
        created_at)
    SELECT gen_random_uuid(), 'kim', 'class', 'SCH1', grade, '1반', 'homeroom', 'test', now()
    FROM generate_series(1, 5) AS grade;
    ANALYZE students; ANALYZE grants;
"""
ALL = "SET LOCAL hub.sees = 'all'"
KIM = "SET LOCAL hub.sees = 'granted'; SET LOCAL hub.subject = 'kim'"
PLANS = {
    "a student by id": (ALL, "id = '550e8400-e29b-41d4-a716-446655440000'", "pk_students"),
    "a name by its blind index": (ALL, "name_index = '\\x00'", "ix_students_name_index"),
    "metadata": (ALL, """metadata @> '{"interests": ["topic7"]}'""", "ix_students_metadata"),
    "a class": (
        ALL,
        "school_id = 'SCH1' AND grade = 1 AND class_name = '1반'",
        "uq_students_number",
    ),
    "a teacher's class": (
        KIM,
        "school_id = 'SCH1' AND grade = 1 AND class_name = '1반'",
        "uq_students_number",
    ),
    "a name that a teacher looks for": (KIM, "name_index = '\\x00'", "ix_students_name_index"),
    "all whom a teacher sees": (
        KIM,
        "id = ANY (CAST((SELECT students_of_subject()) AS uuid[])) ORDER BY id LIMIT 51",
        "pk_students",
    ),
}


@pytest.mark.parametrize("query", PLANS)
async def test_a_query_below_the_policy_has_its_index(
    owner: asyncpg.Connection, database_url: str, query: str
) -> None:
    """Among 5,000 students the plan reads by the index, and never the whole table."""
    await owner.execute(MANY)
    opening, condition, index = PLANS[query]
    hub = await asyncpg.connect(database_url, server_settings={"role": HUB_ROLE})
    async with hub.transaction():
        await hub.execute(opening)
        lines = await hub.fetch(f"EXPLAIN SELECT * FROM students WHERE {condition}")  # noqa: S608 (the cases above)
    plan = "\n".join(line[0] for line in lines)
    await hub.close()
    assert index in plan
    assert "Seq Scan on students" not in plan
