"""Students with sealed personal data, their wrapped keys and their generations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _students()
    _keys_and_generations()


def downgrade() -> None:
    op.drop_table("student_generations")
    op.execute("DROP SEQUENCE student_generation_seq")
    op.drop_table("student_keys")
    op.drop_table("students")


def _students() -> None:
    op.create_table(
        "students",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("name_index", sa.LargeBinary(), nullable=False),
        sa.Column("school_id", sa.String(50), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("class_name", sa.String(50), nullable=False),
        sa.Column("student_number", sa.String(20)),
        sa.Column("email", sa.LargeBinary()),
        sa.Column("parent_contact", sa.LargeBinary()),
        sa.Column("metadata", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_students"),
        sa.UniqueConstraint(
            "school_id", "grade", "class_name", "student_number", name="uq_students_number"
        ),
        sa.CheckConstraint("grade BETWEEN 1 AND 12", name=op.f("ck_students_grade")),
    )
    _student_indexes()


def _student_indexes() -> None:
    op.create_index("ix_students_school_id", "students", ["school_id"])
    op.create_index("ix_students_name_index", "students", ["name_index"])
    op.create_index("ix_students_grade_class_name", "students", ["grade", "class_name"])
    op.create_index(
        "ix_students_metadata",
        "students",
        ["metadata"],
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )
    op.create_index(
        "uq_students_unnumbered",
        "students",
        ["school_id", "grade", "class_name", "name_index"],
        unique=True,
        postgresql_where=sa.text("student_number IS NULL"),
    )


def _keys_and_generations() -> None:
    op.create_table(
        "student_keys",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name="pk_student_keys"),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["students.id"],
            name="fk_student_keys_student_id_students",
            ondelete="CASCADE",
        ),
    )
    op.execute("CREATE SEQUENCE student_generation_seq")
    op.create_table(
        "student_generations",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name="pk_student_generations"),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["students.id"],
            name="fk_student_generations_student_id_students",
            ondelete="CASCADE",
        ),
    )
