"""Which hub a command means: the one that the settings name, or the stack of a data folder."""

import base64
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError

from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.private import write_private
from student_hub.entry.stack.state import StackState, read_state
from student_hub.entry.usable import require_usable
from student_hub.platform.settings import Settings

LISTENS_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (read only)
"""Addresses for all of a machine's, and the one of them that always reaches it."""


@dataclass(frozen=True)
class FolderKeys:
    """The secrets that belong to a data folder."""

    encryption_key: str
    api_key: str


def read_settings(data_dir: Path | None, **changes: object) -> Settings:
    """The settings of environment and `.env`, with a command's options on top; StackError."""
    options = changes if data_dir is None else {**changes, "data_dir": data_dir}
    try:
        settings = Settings.model_validate({**_from_outside(), **options})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        raise StackError(f"the setting {name} is not usable: {first['msg']}.") from error
    require_usable(settings)
    return settings


def kept_keys(folder: Path) -> FolderKeys:
    """The folder's keys, made at random when there are none."""
    return FolderKeys(
        _kept(folder / "encryption.key", base64.b64encode(os.urandom(32)).decode()),
        _kept(folder / "api.key", f"shk_admin_{secrets.token_urlsafe(32)}"),
    )


def connected(settings: Settings) -> Settings:
    """The settings with what is missing taken from the stack that runs on the data folder.

    Raises StackError when nothing says where the database is.
    """
    if settings.database_url and settings.redis_url and settings.encryption_key:
        return settings
    state = running_stack(settings)
    keys = kept_keys(settings.data_dir.expanduser().resolve())
    return completed(settings, keys, database_url=state.database_url, redis_url=state.redis_url)


def completed(settings: Settings, keys: FolderKeys, **urls: str) -> Settings:
    """The settings, with these values where none were given."""
    offered = {**urls, "encryption_key": keys.encryption_key, "api_key": keys.api_key}
    missing = {k: SecretStr(v) for k, v in offered.items() if getattr(settings, k) is None}
    return settings.model_copy(update=missing)


def running_stack(settings: Settings) -> StackState:
    """The stack that runs on the data folder; StackError when none does."""
    folder = settings.data_dir.expanduser().resolve()
    state = read_state(folder)
    if state is None:
        raise StackError(
            f"no hub runs on the data folder {folder}: start one with `student-hub up`, name "
            "another folder with --data-dir DIR, or set DATABASE_URL, REDIS_URL and ENCRYPTION_KEY."
        )
    return state


def secret(settings: Settings, name: str) -> str:
    """The value of a setting that the hub cannot do without; StackError names it when absent."""
    value = given(settings, name)
    if value is None:
        raise StackError(f"{name.upper()} is not set.")
    return value


def given(settings: Settings, name: str) -> str | None:
    """The value of a secret setting; None when it is not set."""
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else None


def owner_url(settings: Settings) -> str:
    """As whom the database is migrated: DATABASE_OWNER_URL, else DATABASE_URL."""
    return given(settings, "database_owner_url") or secret(settings, "database_url")


def broker_url(settings: Settings) -> str:
    """Where Celery's messages go: CELERY_BROKER_URL, else REDIS_URL."""
    return given(settings, "celery_broker_url") or secret(settings, "redis_url")


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which another process reads these same settings."""
    known = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    values = {
        name.upper(): _plain(getattr(settings, name), dumped) for name, dumped in known.items()
    }
    return {**os.environ, **values, "DATA_DIR": str(settings.data_dir)}


def local_url(settings: Settings) -> str:
    """Where this machine reaches the API: loopback when it listens everywhere, else its HOST."""
    host = LISTENS_EVERYWHERE.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _from_outside() -> dict[str, object]:
    try:
        return Settings().model_dump(exclude_unset=True)
    except SettingsError as error:  # a list or object that is not JSON
        name = re.findall(r'"(\w+)"', str(error))
        raise StackError(f"the setting {''.join(name[:1]).upper()} is not JSON.") from error


def _plain(value: object, dumped: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(dumped) if isinstance(dumped, (dict, list)) else str(dumped)


def _kept(path: Path, new: str) -> str:
    if not path.exists():
        write_private(path, new + "\n")
    return path.read_text().strip()
