"""Every setting of the hub, read once by `entry` from the environment and `.env`."""

import json
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from student_hub.platform.security.caller import Role


def _json_or(text: object) -> object:
    """The value of JSON; anything else as it is."""
    return json.loads(text) if isinstance(text, str) and text[:1] in tuple("[{") else text


def _issuers(value: object) -> object:
    """Issuers by alias; the host's name is the alias of a URL that was given none."""
    said = _json_or(value)
    urls = [said] if isinstance(said, str) and said else said
    if not isinstance(urls, list):
        return urls or {}
    named = {urlsplit(str(url)).hostname or "": url for url in urls}
    if len(named) != len(urls):
        raise ValueError("two issuers of one host need aliases: a JSON object of aliases and URLs")
    return named


def _names(value: object) -> object:
    """One name, or a JSON list of them."""
    said = _json_or(value)
    return [said] if isinstance(said, str) and said else said or []


class ToolName(BaseModel):
    """How a node's team calls one of its tools: its name, and our argument names to theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: dict[str, str] = {}


class Settings(BaseSettings):
    """The environment variables that the hub obeys; the field names in capitals."""

    model_config = SettingsConfigDict(env_file=".env", frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 14+ (postgresql://…); none: embedded"
    )
    database_owner_url: SecretStr | None = Field(
        None, description="who migrates, when that is not the role of DATABASE_URL"
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis 7+ or Valkey (redis://…); none: embedded"
    )
    celery_broker_url: SecretStr | None = Field(None, description="default: REDIS_URL")
    celery_result_backend: SecretStr | None = Field(
        None, description="handed to Celery; the hub keeps no results there, its ledger has them"
    )
    api_key: SecretStr | None = Field(None, description="a first administrator key")
    encryption_key: SecretStr | None = Field(
        None, description="32 random bytes in base64: the master key of all personal data"
    )
    encryption_keys_known: SecretStr | None = Field(
        None, description="other master keys that may still open what they sealed, comma separated"
    )
    oidc_issuers: Annotated[dict[str, str], NoDecode, BeforeValidator(_issuers)] = Field(
        {},
        description="whose tokens are taken: a URL, a JSON list of URLs, or a JSON object "
        "of aliases and URLs",
    )
    resource_url: str | None = Field(
        None, description="the hub's public address, for which tokens are issued"
    )
    oidc_audience: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        [], description="what tokens call the hub in `aud`, if not RESOURCE_URL"
    )
    oidc_roles_claim: str | None = Field(
        None, description="where tokens name roles, as a path with dots"
    )
    oidc_role_map: dict[str, Role] = Field(
        {}, description="JSON: names of roles in tokens to the hub's; default: the hub's own names"
    )
    oidc_role_choice: Literal["least", "most"] = Field(
        "least", description="which role counts when a token has several"
    )
    oidc_allow_http: bool = Field(
        False, description="ask issuers over plain HTTP too, also on other machines"
    )
    node1_url: str = "http://localhost:8001/mcp"
    node2_url: str = "http://localhost:8002/mcp"
    node3_url: str = "http://localhost:8003/mcp"
    node4_url: str = "http://localhost:8004/mcp"
    node5_url: str = "http://localhost:8005/mcp"
    node6_url: str = "http://localhost:8006/mcp"
    node_tools: dict[str, ToolName] = Field(
        {},
        description="renamed node tools, JSON: {'q-dna.get_mastery_level': {'name': 'mastery', "
        "'arguments': {'student_id': 'learner'}}}",
    )
    node_timeout_ms: Annotated[int, Field(ge=10)] = Field(
        500, description="one node call of a profile is cut after so long"
    )
    profile_deadline_ms: Annotated[int, Field(ge=50)] = Field(
        1_200, description="all node calls of a profile together"
    )
    profile_ttl_s: Annotated[int, Field(ge=0)] = Field(
        300, description="how long a good section of a profile is served from the cache"
    )
    forward_events: bool = Field(
        True, description="hand new learning events to node 4 (its tool record_events)"
    )
    allowed_hosts: list[str] = Field(
        ["localhost", "127.0.0.1", "[::1]"],
        description="JSON list of Host names that /mcp answers to",
    )
    allowed_origins: list[str] = Field([], description="JSON list of browser origins for /mcp")
    max_body_bytes: Annotated[int, Field(ge=1_024)] = Field(
        8 * 1_024 * 1_024, description="a larger request body is refused with 413"
    )
    rate_limit_per_minute: Annotated[int, Field(ge=0)] = Field(
        6_000, description="calls of one caller; 0: no limit"
    )
    expensive_rate_limit_per_minute: Annotated[int, Field(ge=0)] = Field(
        100, description="expensive calls of one caller (imports, exports, plans, analytics)"
    )
    audit_spool_dir: Path | None = Field(
        None, description="where reads are noted until the database has them; default: DATA_DIR"
    )
    audit_retention_days: Annotated[int, Field(ge=365)] = Field(
        730, description="older entries of the audit log may go"
    )
    history_retention_days: Annotated[int, Field(ge=0)] = Field(
        0, description="older months of the learning history are dropped; 0: none"
    )
    consent_up_to_grade: Annotated[int, Field(ge=0, le=12)] = Field(
        0, description="up to this grade nothing is processed without a guardian's consent"
    )
    database_pool_size: Annotated[int, Field(ge=1)] = Field(
        10, description="connections of one process"
    )
    high_priority_threads: Annotated[int, Field(ge=1)] = Field(
        2, description="jobs of the queue high_priority that a worker does at a time"
    )
    default_threads: Annotated[int, Field(ge=1)] = Field(2, description="of the queue default")
    low_priority_threads: Annotated[int, Field(ge=1)] = Field(
        1, description="of the queue low_priority"
    )
    intervention_approval: Literal["none", "auto", "all"] = Field(
        "none",
        description="plans that wait for a teacher's decision: none, those of type auto, all",
    )
    worker_metrics_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        0, description="a worker's own /metrics, on HOST; 0: none"
    )
    smtp_url: SecretStr | None = Field(
        None, description="mail server (smtp://… or smtps://…); none: no mail"
    )
    mail_from: str = Field("student-hub@localhost", description="the address that mail comes from")
    webhook_secret: SecretStr | None = Field(
        None, description="what webhooks' secrets are made of; none: no webhooks"
    )
    webhook_allow_private: bool = Field(
        False, description="webhooks may go to private addresses, and to loopback over http"
    )
    quiet_hours: str = Field(
        "21:00-08:00 Asia/Seoul", description="when no mail or webhook goes out; off: never"
    )
    notification_retention_days: Annotated[int, Field(ge=1)] = Field(
        180, description="older messages are deleted, read or not"
    )
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8_000
    data_dir: Path = Field(
        Path("data"), description="folder of the embedded servers, keys and logs"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
