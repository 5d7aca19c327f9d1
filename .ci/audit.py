"""Says what pip-audit found (its JSON on stdin), and for how many packages it could look at all.

Exit code 1 for a known weakness; 2 when nothing could be looked up and AUDIT_STRICT is set: an
index without advisories finds no weakness in anything.
"""
# ruff: noqa: INP001, T201 (a script, which prints)

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any


def lines_of(packages: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each weakness, each package that was not looked up, and the sum."""
    skipped = [one for one in packages if "skip_reason" in one]
    weak = [one for one in packages if one.get("vulns")]
    for one in weak:
        for found in one["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version"
            yield f"WEAK: {one['name']} {one['version']}: {found['id']}, mended in {mended}"
    if skipped:
        yield f"not looked up: {', '.join(one['name'] for one in skipped)}"
    looked = len(packages) - len(skipped)
    yield f"looked up {looked} of {len(packages)} packages, {len(weak)} with a known weakness"
    if not looked:
        yield "NOTHING WAS AUDITED: this index has no advisories (PIP_INDEX_URL names another)"


def code_of(packages: Sequence[dict[str, Any]], *, strict: bool) -> int:
    """What the caller's shell is told."""
    if any(one.get("vulns") for one in packages):
        return 1
    return 2 if strict and all("skip_reason" in one for one in packages) else 0


def main() -> int:
    """Reads, says, and gives the exit code."""
    answer = sys.stdin.read()
    if not answer:
        print("pip-audit did not get to an end; run it by itself to see why")
        return 1
    packages = json.loads(answer)["dependencies"]
    print(*lines_of(packages), sep="\n")
    return code_of(packages, strict=bool(os.environ.get("AUDIT_STRICT")))


if __name__ == "__main__":
    sys.exit(main())
