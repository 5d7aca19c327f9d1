"""The stage of the matrix: a real hub, a student in every place, and a key for each of the cast."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from access.matrix import ABSENT, CAST, PLACES, Actor, Target
from whole_hub import WholeHub, whole_hub


@dataclass
class Stage:
    """A hub with a student in every place, and a client for each of the cast."""

    hub: WholeHub
    administrator: httpx2.Client
    targets: dict[str, Target] = field(default_factory=dict)
    clients: dict[str, httpx2.Client] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)

    def prepare(self, stack: ExitStack) -> None:
        self.targets = {place: Target.at(place) for place in (*PLACES, ABSENT)}
        for place in PLACES:
            target = self.targets[place]
            done(self.administrator.post("/v1/students", json=target.register()))
            done(self.administrator.post("/v1/events", json={"events": [target.event()]}))
        for name, actor in CAST.items():
            key = self.key_of(name, actor)
            self.clients[name] = stack.enter_context(self.hub.client(key))
            self.grant(name, actor)

    def key_of(self, name: str, actor: Actor) -> str:
        wanted = {
            "name": name,
            "role": actor.role,
            "scopes": sorted(actor.scopes),
            "subject": f"cast:{name}",
        }
        key: str = done(self.administrator.post("/admin/keys", json=wanted)).json()["key"]
        return key

    def grant(self, name: str, actor: Actor) -> None:
        if actor.grant is None:
            return
        child = actor.grant["kind"] == "student"
        to = {"student_id": str(self.targets["own"].id)} if child else {}
        wish = {"subject": f"cast:{name}", "relation": "planted", **actor.grant, **to}
        made = done(self.administrator.post("/admin/grants", json=wish)).json()
        self.grants[name] = made["id"]
        if actor.revoked:
            done(self.administrator.delete(f"/admin/grants/{made['id']}"))


def done(response: httpx2.Response) -> httpx2.Response:
    assert response.status_code < 300, response.text
    return response


@contextmanager
def set_up(database_url: str, valkey_url: str, folder: Path) -> Iterator[Stage]:
    """The stage with its cast."""
    limits = {"rate_limit_per_minute": 0, "expensive_rate_limit_per_minute": 0}
    with (
        whole_hub(database_url, valkey_url, data_dir=folder, **limits) as hub,
        ExitStack() as stack,
    ):
        stage = Stage(hub, stack.enter_context(hub.client()))
        stage.prepare(stack)
        yield stage


def said(response: httpx2.Response, target: Target) -> tuple[int, list[str], str]:
    """An answer without what differs between any two: ids of the request and of who was asked."""
    own = response.headers["x-request-id"]
    text = response.text.replace(own, "…").replace(str(target.id), "…")
    return response.status_code, sorted(response.headers), re.sub(r"\s", "", text)
