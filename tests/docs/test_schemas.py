"""What is printed as JSON is what docs/schemas says, field for field, and nothing in a schema is never printed."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from command import Shell
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.quick

SCHEMAS = ROOT / "docs" / "schemas"

PRINTED = {
    "values": [
        ["diff", "x**2", "--at", "x=3", "--json"],
        ["diff", "x*y", "--order", "2", "--grid", "x=0:1:3", "--grid", "y=1,2", "--format", "json"],
        ["eval", "log(x)", "--grid", "2x3", "--json"],
        ["eval", "1/x", "--at", "x=0", "--json"],
        ["diff", "x*log(x)", "--at", "x=0", "--why", "--json"],
        ["diff", "abs(x)", "--grid", "x=0,1", "--sides", "--trust", "--json"],
        ["diff", "exp(x)", "--grid", "x=0,1", "--digits", "30", "--json"],
        ["eval", "x + 1", "--input", "rows.csv", "--keep", "--json"],
        ["grad", "y = a*x**2", "--wrt", "a,x", "--at", "a=2", "--grid", "x=1,2", "--json"],
        ["grad", "x**2", "--wrt", "x,z", "--at", "x=3", "--allow-unused", "--json"],
        ["eval", "3x²", "--natural", "--at", "x=3", "--json"],
    ],
    "propagate": [
        ["propagate", "4*pi**2*L/T**2", "--at", "L=1.000(2),T=2.00(1)", "--json"],
        ["propagate", "x*y; x/y", "--at", "x=1(1),y=2(1)", "--correlations", "-k", "2", "--mc", "2e3", "--json"],
        ["propagate", "x*y", "--at", "x=1(1),y=2(1)", "--df", "x=9", "--coverage", "95", "--mc", "2e3", "--json"],
        ["propagate", "sqrt(abs(x))", "--at", "x=0(1)", "--json"],
        ["propagate", "x**2", "--u", "x=0.1", "--grid", "x=0:1:3", "--second-order", "--budget", "--json"],
        ["propagate", "4π²L/T²", "--natural", "--at", "L=1.000(2),T=2.00(1)", "--json"],
    ],
    "formulas": [
        ["propagate", "x*y", "--json"],
        ["diff", "x**n", "--json"],
        ["show", "exp(sin(x))", "--order", "3", "--json"],
        ["show", "x*y", "u = x", "--json"],
        ["grad", "x**2", "--wrt", "x,z", "--create-graph", "--allow-unused", "--json"],
        ["diff", "3x²", "--natural", "--json"],
    ],
    "row": [
        ["diff", "x**2", "--grid", "x=1,2", "--jsonl"],
        ["diff", "abs(x)", "--grid", "x=0,1", "--verdict", "--digits", "20", "--jsonl"],
        ["eval", "log(x)", "--input", "rows.csv", "--keep", "--jsonl"],
        ["propagate", "log(x)", "--u", "x=0.1", "--grid", "x=0,1", "--jsonl"],
        ["grad", "x**2", "--wrt", "x", "--grid", "x=1,2", "--jsonl"],
    ],
    "statement": [
        ["show", "exp(sin(x))", "--order", "3", "--jsonl"],
        ["grad", "x**2", "--wrt", "x,z", "--create-graph", "--allow-unused", "--jsonl"],
    ],
    "check": [
        ["check", "x**2", "--claim", "2*x", "--json"],
        ["check", "x**2", "--claim", "3*x", "--json"],
        ["check", "abs(x)", "--claim", "where(x > 0, 1, -1)", "--json"],
        ["check", "x**2", "--claim", "1/x", "--at", "x=0", "--json"],
        ["check", "log(x)", "--claim", "log(x)", "--at", "x=-1", "--json"],
        ["check", "x**2", "--claim", "2*x", "--claim", "df_dy = 1", "--json"],
        ["check", "sinc(x)", "--claim", "(cos(pi*x) - sinc(x))/x", "--json"],
        ["check", "abs(sin(2*x) - 2*sin(x)*cos(x))", "--claim", "0", "--json"],
        ["check", "one.grad", "two.grad", "--json"],
        ["check", "3x²", "--natural", "--claim", "6x", "--json"],
        ["check", "three.grad", "two.grad", "--natural", "--json"],
    ],
    "parts": [
        ["parts", "parts/", "--verify", "--json"],
        ["parts", "begun/", "--json"],
    ],
    "bounds": [
        ["bounds", "sqrt(x)", "--over", "x=0:1", "--json"],
        ["bounds", "x*x", "--over", "x=-1e308:1e308", "--order", "0", "--json"],
        ["bounds", "2x", "--natural", "--over", "x=0:1", "--json"],
    ],
    "tangent": [
        ["tangent", "x**3 - 3*x", "--at", "x=2", "--json"],
        ["tangent", "x*exp(y)", "u = x*y", "--at", "x=3,y=4", "--json"],
        ["tangent", "cbrt(x)", "--at", "x=0", "--json"],
        ["tangent", "3x²", "--natural", "--at", "x=2", "--json"],
    ],
    "taylor": [
        ["taylor", "exp(sin(x))", "--remainder", "x=-0.1:0.1", "--json"],
        ["taylor", "exp(x*y)", "--at", "x=0,y=0", "--json"],
        ["taylor", "a*x*exp(b*x)", "--wrt", "x", "--at", "b=2", "--json"],
        ["taylor", "x sin x", "--natural", "--json"],
    ],
    "implicit": [
        ["implicit", "x**2 + y**2 = 25", "--at", "x=3,y=4", "--order", "3", "--json"],
        ["implicit", "x**2 + y**2 = z", "--order", "2", "--json"],
        ["implicit", "x² + y² = 25", "--natural", "--at", "x=3,y=4", "--json"],
    ],
    "study": [
        ["study", "x**3/(x**2 - 1)", "(x**2 - 1)/(x - 1)", "--grid", "x=-5:5", "--json"],
        ["study", "abs(x) + floor(x)", "where(x > 0, sin(1/x), x)", "--grid", "x=-1:1/100", "--json"],
        ["study", "exp(x)", "max(x, 0)", "--grid", "x=-1:1000", "--json"],
        ["study", "gamma(x)", "--grid", "x=1:2", "--json"],
        ["study", "x² - 2x", "--natural", "--grid", "x=-5:5", "--json"],
    ],
    "explain": [
        ["explain", "x**2*sin(x)", "--json"],
        ["explain", "x*exp(-x*y)", "--wrt", "y,x", "--at", "x=1,y=2", "--json"],
        ["explain", "where(x > 0, sqrt(x), y)", "1/x", "--at", "x=0,y=1", "--json"],
        ["explain", "sin(1/x)", "x**pi", "--at", "x=0", "--json"],
        ["explain", "x sin x", "--natural", "--json"],
    ],
    "functions": [["functions", "--json"], ["functions", "erf", "bessel", "--json"]],
    "version": [["version", "--json"]],
}


@cache
def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return found


def closed(part: Any) -> Any:
    """A schema that takes no field it does not describe: readers should, these tests should not."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    extra = {"additionalProperties": False} if part.get("type") == "object" and "properties" in part else {}
    return {key: closed(value) for key, value in part.items()} | extra


def keys(value: Any) -> Iterator[str]:
    """Every key in a JSON value."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(inner)


def described(part: Any) -> Iterator[str]:
    """Every field that a schema describes."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "properties":
                yield from value
            yield from described(value)
    elif isinstance(part, list):
        for inner in part:
            yield from described(inner)


@pytest.fixture
def printed(shell: Shell) -> Any:
    """What a command prints, as JSON values; each line is one where ``--jsonl`` is asked for."""
    Path("rows.csv").write_text('name,x,n\n"a, b",1,2\nc,0,\n')
    Path("one.grad").write_text("f = x**2\ndf_dx = 2*x\n")
    Path("three.grad").write_text("f = 3x\ndf_dx = 3\n")
    Path("two.grad").write_text("g = x**3\ndg_dx = 3*x**2\nd2g_dx2 = sn(x)\n")
    Path("wrong.csv").write_text("x,n\none,2\n")
    shell("eval", "x + 1", "--input", "rows.csv", "--csv", "-o", "parts/", "--part-bytes", "1")
    shell("eval", "x + 1", "--input", "rows.csv", "--input", "wrong.csv", "--csv", "-o", "begun/")

    def call(words: list[str]) -> list[Any]:
        _, out, _ = shell(*words)
        return [json.loads(line) for line in out.splitlines()] if "--jsonl" in words else [json.loads(out)]

    return call


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_is_what_the_schema_says(name: str, printed: Any) -> None:
    Draft202012Validator.check_schema(schema(name))
    validator = Draft202012Validator(closed(schema(name)))
    met: set[str] = set()
    for words in PRINTED[name]:
        for value in printed(words):
            assert not [e.message for e in validator.iter_errors(value)], words
            met.update(keys(value))
    assert not set(described(schema(name))) - met


def test_every_schema_is_tested() -> None:
    assert {path.stem for path in SCHEMAS.iterdir()} == PRINTED.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("values", {"schema": "gradcli/1", "expressions": {}, "variables": [], "order": 0, "shape": [],
                    "columns": {"x": {}}}),
        ("values", {"schema": "gradcli/2", "expressions": {}, "variables": [], "order": 0, "shape": [], "columns": {}}),
        ("row", {"x": [1]}),
        ("statement", {"name": "f"}),
        ("check", {"schema": "gradcli-check/1", "expressions": {}, "seed": 0, "ok": True, "checks": [{}]}),
    ],
)  # fmt: skip
def test_a_schema_refuses_what_it_does_not_say(name: str, value: Any) -> None:
    assert not Draft202012Validator(schema(name)).is_valid(value)
