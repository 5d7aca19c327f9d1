"""The base of every table, with the one clock column type and the naming of constraints."""

from datetime import datetime
from typing import Annotated, ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
BigInt = Annotated[int, mapped_column(BigInteger)]


class Base(MappedAsDataclass, DeclarativeBase):
    """The base of all tables; rows never leave a repository."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)
