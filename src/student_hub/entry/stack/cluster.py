"""PostgreSQL's files: found, made whole or not at all, and refused when they cannot be used."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from student_hub.entry.stack.binaries import Account, make_open_folder, reaches
from student_hub.entry.stack.errors import StackError, failure
from student_hub.entry.stack.private import write_private
from student_hub.entry.stack.program import plain_environment

NAME = "pgdata"
SUPERUSER = "student_hub"
_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# The collation is built in, so that it is the same everywhere and never changes with the C library.
_LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


@dataclass(frozen=True)
class Initdb:
    """How to make a cluster."""

    bin: Path
    account: Account | None
    password: str
    durable: bool


def locate(data_dir: Path, account: Account | None, fallback: Path) -> Path:
    """Where the cluster is or shall be: in the data folder if the account can enter it.

    Else below the fallback, with a link to it in the data folder.
    """
    place = data_dir / NAME
    if place.is_symlink():
        return _followed(place)
    if account is None or place.exists() or reaches(account, data_dir):
        return place
    try:
        return _elsewhere(place, fallback)
    except OSError as error:
        raise failure(str(fallback), "could not be used for PostgreSQL", str(error)) from error


def owner(pgdata: Path, account: Account | None) -> Account | None:
    """Who runs the server: whoever owns a cluster that exists, when root starts it."""
    if account is None or not pgdata.exists():
        return account
    found = pgdata.stat()
    return Account(str(found.st_uid), found.st_uid, found.st_gid) if found.st_uid else account


def exists(pgdata: Path, major: str) -> bool:
    """Whether a usable cluster is there; raises StackError for one that is not usable."""
    try:
        if not pgdata.exists():
            return False
        version = (pgdata / "PG_VERSION").read_text().strip()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StackError(
            f"{pgdata} is no whole PostgreSQL database (PG_VERSION is missing): "
            "put a backup in its place, or move it away to start with an empty one."
        ) from error
    except PermissionError as error:
        raise StackError(
            f"{pgdata} belongs to another account: start as the one that made it."
        ) from error
    if version != major:
        raise StackError(
            f"{pgdata} was made by PostgreSQL {version} and this is PostgreSQL {major}: use the "
            "version of the hub that made it, or take the data over with pg_dump."
        )
    return True


def create(pgdata: Path, how: Initdb) -> None:
    """Make a cluster under a temporary name and rename it when it is whole."""
    _sweep(pgdata)
    new = pgdata.with_name(f"{pgdata.name}.new-{os.getpid()}")
    with _password_file(new, how) as password_file:
        done = _run_initdb(new, password_file, how)
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise failure("PostgreSQL", "could not make its database", done.stdout)
    new.rename(pgdata)


def _elsewhere(place: Path, fallback: Path) -> Path:
    home = make_open_folder(make_open_folder(fallback) / secrets.token_hex(6))
    (home / "made-for").write_text(f"{place.parent}\n")
    place.symlink_to(home / NAME)
    return home / NAME


def _followed(link: Path) -> Path:
    target = link.readlink()
    if not target.parent.is_dir():
        raise StackError(
            f"the database of this data folder was in {target} and is gone: put it back, "
            f"or remove the link {link} to start with an empty one."
        )
    return target


def _sweep(pgdata: Path) -> None:
    for left in pgdata.parent.glob(f"{pgdata.name}.new-*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@contextmanager
def _password_file(new: Path, how: Initdb) -> Iterator[Path]:
    file = new.with_name(f"{new.name}.password")
    write_private(file, how.password + "\n")
    try:
        if how.account:
            os.chown(file, how.account.uid, how.account.gid)
            new.mkdir(mode=0o700)
            os.chown(new, how.account.uid, how.account.gid)
        yield file
    finally:
        file.unlink(missing_ok=True)


def _run_initdb(new: Path, password_file: Path, how: Initdb) -> subprocess.CompletedProcess[str]:
    settings = [part for key, value in _SETTINGS.items() for part in ("--set", f"{key}={value}")]
    rest = ["--no-instructions", *([] if how.durable else ["--no-sync"])]
    account = how.account
    return subprocess.run(  # noqa: S603 - our own binary
        [
            str(how.bin / "initdb"),
            f"--pgdata={new}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            *_LOCALE,
            *settings,
            *rest,
        ],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        env=plain_environment(),
        cwd=new.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
