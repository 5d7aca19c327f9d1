"""Roles and subjects of keys, and grants: who may see which students.

Every change of a grant is told to who listens, as that of a key is: the payload is the subject.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SHAPE = """
CASE kind
    WHEN 'school' THEN num_nonnulls(grade, class_name, student_id) = 0 AND school_id IS NOT NULL
    WHEN 'grade' THEN num_nonnulls(class_name, student_id) = 0 AND num_nulls(school_id, grade) = 0
    WHEN 'class' THEN student_id IS NULL AND num_nulls(school_id, grade, class_name) = 0
    WHEN 'student' THEN num_nonnulls(school_id, grade, class_name) = 0 AND student_id IS NOT NULL
    ELSE false
END
"""
ROLES = "role IN ('admin', 'teacher', 'student', 'parent', 'service')"
TELL = """
CREATE FUNCTION tell_grant_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('grant_changed', subject) FROM changed;
    RETURN NULL;
END $$
"""
TRIGGERS = {
    "tell_insert": ("INSERT", "NEW"),
    "tell_update": ("UPDATE", "NEW"),
    "tell_update_before": ("UPDATE", "OLD"),
    "tell_delete": ("DELETE", "OLD"),
}


def upgrade() -> None:
    _keys()
    _grants()
    op.execute(TELL)
    for name, (event, rows) in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON grants REFERENCING {rows} TABLE AS changed "
            "FOR EACH STATEMENT EXECUTE FUNCTION tell_grant_changed()"
        )


def downgrade() -> None:
    op.drop_table("grants")
    op.execute("DROP FUNCTION tell_grant_changed()")
    # Without roles every key that may read sees every student: these must not.
    op.execute(
        "UPDATE api_keys SET revoked_at = now() "
        "WHERE role NOT IN ('admin', 'service') AND revoked_at IS NULL"
    )
    op.drop_index("ix_api_keys_line", "api_keys")
    op.drop_constraint(op.f("ck_api_keys_role"), "api_keys")
    for column in ("replaced_by", "line", "master_key_id", "subject", "role"):
        op.drop_column("api_keys", column)


def _keys() -> None:
    op.add_column("api_keys", sa.Column("role", sa.Text(), server_default="service"))
    op.execute("UPDATE api_keys SET role = 'admin' WHERE 'admin' = ANY(scopes)")
    op.alter_column("api_keys", "role", nullable=False)
    op.create_check_constraint(op.f("ck_api_keys_role"), "api_keys", ROLES)
    for column in ("subject", "master_key_id", "line", "replaced_by"):
        op.add_column("api_keys", sa.Column(column, sa.Text()))
    op.create_index("ix_api_keys_line", "api_keys", ["line"])


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(320), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("school_id", sa.String(50)),
        sa.Column("grade", sa.SmallInteger()),
        sa.Column("class_name", sa.String(50)),
        sa.Column("student_id", sa.Uuid()),
        sa.Column("relation", sa.String(50), nullable=False),
        sa.Column("granted_by", sa.String(320), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["students.id"],
            name="fk_grants_student_id_students",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("grade BETWEEN 1 AND 12", name=op.f("ck_grants_grade")),
        sa.CheckConstraint(SHAPE, name=op.f("ck_grants_shape")),
    )
    op.create_index("ix_grants_subject", "grants", ["subject"])
    op.create_index("ix_grants_place", "grants", ["school_id", "grade", "class_name"])
    op.create_index("ix_grants_student_id", "grants", ["student_id"])
