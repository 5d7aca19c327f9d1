"""Requests at /mcp: faultless ones of every revision, and such with faults of every sort."""

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from doorway import ADMINISTRATOR_KEY, KNOWN, UNKNOWN

MODERN = "2026-07-28"
ERAS = (MODERN, "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", None)
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {"sampling": {}},
    "io.modelcontextprotocol/clientInfo": {"name": "테스트", "version": "1"},
}
ARGUMENTS: dict[str, dict[str, object]] = {
    "echo_student": {"student_id": str(KNOWN), "days": 7, "include_history": False},
    "echo_encoded": {"student_id": str(KNOWN)},
    "echo_oddly": {"student_id": str(KNOWN)},
    "break_down": {},
    "ask_node": {},
}


@dataclass
class Sent:
    """A request on its way: mutations change it in place."""

    era: str | None
    headers: list[tuple[str, str]]
    body: Any
    method: str = "POST"
    path: str = "/mcp"
    text: Callable[[str], str] = field(default=lambda text: text)

    def wire(self) -> bytes:
        content = self.text(json.dumps(self.body)).encode("utf-8", "surrogatepass")
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(content)}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode() + content


def valid(era: str | None, name: str) -> Sent:
    """A call in which nothing is wrong."""
    params: dict[str, object] = {"name": name, "arguments": dict(ARGUMENTS[name])}
    headers = [
        ("Host", "localhost:8000"),
        ("X-API-Key", ADMINISTRATOR_KEY),
        ("X-Request-Id", "same"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
    ]
    if era is not None:
        headers.append(("MCP-Protocol-Version", era))
    if era == MODERN:
        headers += [("Mcp-Method", "tools/call"), ("Mcp-Name", name)]
        params["_meta"] = copy.deepcopy(META)
    return Sent(era, headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.0, 1.5, 1e19, 2**53, 2**53 + 1, 2**63, 2**64, 10**30, -(10**19)),
    *("", "1", " ", "2.0", "tools/call", "echo_student", "김철수", "\u200b", "\ud800", "x" * 300),
    *(str(KNOWN), str(UNKNOWN), str(KNOWN).upper(), [], [1], {}, {"a": None}, [[{}]], 30, "30"),
    *(MODERN, "2025-06-18", "1999-01-01", "tools/list", "ping", "server/discover", "initialize"),
    *("prompts/list", "notifications/initialized", "no/such", {"sampling": 1}, {"x": 2**70}),
)
ODD_KEYS = ("task", "inputResponses", "requestState", "days", "id", "progressToken", "x", "이름")
ODD_HEADERS = (
    *(("Origin", "http://localhost:8000"), ("Origin", "https://evil.example"), ("Origin", "")),
    *(("Mcp-Session-Id", "abc"), ("Mcp-Param-Days", "7"), ("Mcp-Name", "echo_student")),
    *(("Mcp-Method", "tools/call"), ("MCP-Protocol-Version", MODERN), ("Accept", "text/html")),
    *(("Content-Encoding", "gzip"), ("Last-Event-ID", "1"), ("X-Other", "1")),
    *(("Authorization", "Bearer other"), ("Host", "evil.example"), ("Cookie", "a=b")),
)
ODD_TEXTS = (
    *("", " ", "tools/call", "TOOLS/CALL", "echo_encoded", "=?base64?ZWNob19zdHVkZW50?=", MODERN),
    *("2025-06-18", "2024-11-05", "1999-01-01", "application/json; charset=utf-8", "text/plain"),
    *("application/json;charset=euc-kr", "Application/JSON", "application/vnd.x+json", "*/*"),
    *("application/*", "text/event-stream", "application/json;q=0", "localhost", "LOCALHOST"),
    *("localhost:1", "localhost.evil.example", "[::1]:1", "127.0.0.1", "a, b", "é"),
)
TEXT_CHANGES: tuple[Callable[[str], str], ...] = (
    lambda _: "",
    lambda text: f"[{text}]",
    lambda text: f"[{text},{text}]",
    lambda _: "[]",
    lambda text: f" \n\t{text}\r\n",
    lambda text: f"\ufeff{text}",
    lambda text: f"{text}{text}",
    lambda text: text[: len(text) // 2],
    lambda text: text[:-1],
    lambda text: text.replace('"id":', '"id": 7, "id":', 1),
    lambda text: text.replace('"name":', '"name": "ask_node", "name":', 1),
    lambda text: text.replace('"name":', '"n\\u0061me": "ask_node", "name":', 1),
    lambda text: text.replace('"name":', '"n\\u0061me":', 1),
    lambda text: text.replace('"student_id":', '"student_id": null, "student_id":', 1),
    lambda text: text.replace('"days": 7', '"days": 7.0', 1),
    lambda text: text.replace('"days": 7', '"days": 7e0', 1),
    lambda text: text.replace('"days": 7', '"days": -0', 1),
    lambda text: text.replace('"days": 7', '"days": NaN', 1),
    lambda text: text.replace('"id": 1', '"id": 1e0', 1),
    lambda text: text.replace('"id": 1', '"id": 123456789012345678901234567890', 1),
    lambda text: text.replace('"id": 1', '"id": 01', 1),
    lambda text: text.replace("{", "{,", 1),
    lambda text: '{"a":' * 70 + text + "}" * 70,
    lambda text: text.replace("'", '"') + "\x00",
)


def change_headers(sent: Sent, dice: random.Random) -> None:
    open_to_change = [at for at, (name, _) in enumerate(sent.headers) if name != "X-Request-Id"]
    at = dice.choice(open_to_change)
    name, value = sent.headers[at]
    changed = {
        "drop": [],
        "twice": [(name, value), (name, value)],
        "two": [(name, value), (name, dice.choice(ODD_TEXTS))],
        "value": [(name, dice.choice(ODD_TEXTS))],
        "blanks": [(name, dice.choice((f"  {value}", f"{value} \t", f"\t{value} ")))],
        "case": [(dice.choice((name.upper(), name.lower())), value)],
        "value's case": [(name, dice.choice((value.upper(), value.title())))],
        "add": [(name, value), dice.choice(ODD_HEADERS)],
    }
    sent.headers[at : at + 1] = changed[dice.choice(sorted(changed))]


def change_body(sent: Sent, dice: random.Random) -> None:
    if not isinstance(sent.body, dict):
        return
    objects = [sent.body]
    for node in objects:
        objects += [inner for inner in node.values() if isinstance(inner, dict)]
    node = dice.choice(objects)
    key = dice.choice([*node, dice.choice(ODD_KEYS)])
    if dice.random() < 0.25:
        node.pop(key, None)
    else:
        node[key] = dice.choice(ODD_VALUES)


def change_text(sent: Sent, dice: random.Random) -> None:
    sent.text = dice.choice(TEXT_CHANGES)


def change_line(sent: Sent, dice: random.Random) -> None:
    sent.method = dice.choice(("GET", "DELETE", "PUT", "POST", "HEAD"))
    sent.path = dice.choice(("/mcp", "/mcp/", "/mcp?x=1", "/MCP", "//mcp", "/%6dcp"))


CHANGES = (*[change_headers] * 4, *[change_body] * 5, *[change_text] * 2, change_line)


def mutated(dice: random.Random) -> Sent:
    sent = valid(dice.choice((MODERN, MODERN, *ERAS)), dice.choice(sorted(ARGUMENTS)))
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        dice.choice(CHANGES)(sent, dice)
    return sent
