"""Why a database could not be brought to a revision."""

from student_hub.platform.db.roles import HUB_ROLE


class RoleNotMade(Exception):
    """The owner of the database may not make the role that the hub works as."""

    def __init__(self, owner: str) -> None:
        super().__init__(
            f"the account {owner} may not make the role {HUB_ROLE}: a superuser of the database "
            f"server has to run CREATE ROLE {HUB_ROLE} NOLOGIN; once, and "
            f'GRANT {HUB_ROLE} TO "{owner}"; (or to the account of DATABASE_URL)'
        )
