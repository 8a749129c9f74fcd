"""At least 20,000 inputs made from seeds: nothing comes of any but a result or a GradError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checkout import DATA
from fuzz.targets import TARGETS, cases, fault

FOUND = DATA / "fuzz.jsonl"


@pytest.mark.parametrize("name", list(TARGETS))
def test_made_inputs(name: str) -> None:
    wrong = []
    for given in cases(TARGETS[name], 1, TARGETS[name].count):
        told = fault(TARGETS[name], given)
        if told is not None:
            wrong.append((given, told))
    assert wrong == []


def test_there_are_enough() -> None:
    assert sum(target.count for target in TARGETS.values()) >= 20_000


@pytest.mark.quick
@pytest.mark.parametrize("found", [json.loads(line) for line in FOUND.read_text("utf-8").splitlines()], ids=repr)
def test_what_was_found(found: dict[str, Any]) -> None:
    assert fault(TARGETS[found["target"]], found["input"]) is None
