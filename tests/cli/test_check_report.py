"""What check prints: the text, JSON, JUnit's XML, GitHub's annotations, and the exit code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command import Shell, process

from gradcli.cli import check_report
from gradcli.expr import var
from gradcli.verify import Example, Place, Report, Verdict
from gradcli.verify.claims import Claim


def verdict(name: str, status: str, place: Place | None = None, **more: object) -> Verdict:
    claim = Claim(name, var("x"), 2 * var("x"), "f", (0,), "x +\n  0", place)
    return Verdict(claim, status, **more)  # type: ignore[arg-type]


WRONG = Example({"x": -0.5, "a b": 3.0}, math.inf, 2.0, "the sign is wrong")
VERDICTS = [
    (verdict("df_dx", "agrees", same=True), "agrees     the same expression"),
    (verdict("df_dx", "agrees", compared=1, kinks=1), "agrees     at 1 point; at 1 kink it is on a side of the jump"),
    (
        verdict("df_dx", "agrees", compared=1200, ulps=1234.5, kinks=2, holes=1),
        "agrees     at 1,200 points; largest difference 1.23e+03 ulp, as rounding explains; "
        "at 2 kinks it is on a side of the jump; it has no value at 1 point where the derivative has",
    ),
    (
        verdict("df_dx", "agrees", compared=2, ulps=0.5, tolerance_given=True),
        "agrees     at 2 points; largest difference 0.5 ulp, as asked",
    ),
    (verdict("df_dx", "unchecked", reason="no points"), "unchecked  no points"),
    (
        verdict("df_dx", "disagrees", example=WRONG),
        "DISAGREES  at x=-0.5, `a b`=3: claimed inf, true 2 (the sign is wrong)",
    ),
    (verdict("df_dx", "disagrees", example=Example({}, 1.0, 2.0, "")), "DISAGREES  claimed 1, true 2"),
]


@pytest.mark.quick
@pytest.mark.parametrize(("found", "told"), VERDICTS)
def test_a_verdict_in_words(found: Verdict, told: str) -> None:
    first, *below, last = check_report.table(Report([found], {}, None), False).splitlines()
    assert first == f"df_dx  {told}"
    typed = ["       claimed    x + 0", "       true       2*x"]
    assert below == (typed if found.status == "disagrees" else [])
    assert last == f"1 claim: 1 {found.status if found.status != 'unchecked' else 'could not be checked'}"


@pytest.mark.quick
def test_claims_are_counted_and_aligned() -> None:
    agrees, wrong, open_ = (verdict(*words) for words in (("f", "agrees"), ("df_dx", "disagrees"), ("g", "unchecked")))
    told = check_report.table(Report([agrees, agrees, wrong, wrong, wrong, open_], {}, 7), False).splitlines()
    assert told[0].startswith("f      agrees     at 0 points") and told[-2].startswith("g      unchecked  ")
    assert told[-1] == "6 claims: 2 agree, 3 disagree, 1 could not be checked (points chosen by --seed 7)"
    same = Report([verdict("f", "agrees", same=True)], {}, 7)
    assert check_report.table(same, False).splitlines()[-1] == "1 claim: 1 agrees"
    assert "\x1b[32magrees\x1b[0m     the same" in check_report.table(same, True)
    assert [Report(found, {}, 0).exit_code for found in ([agrees], [agrees, open_], [open_, wrong])] == [0, 2, 1]


@pytest.mark.quick
def test_the_same_verdicts_for_machines() -> None:
    wrong = verdict("df_dx", "disagrees", Place("a,b.grad", 3, 9), example=WRONG)
    open_ = verdict("df_d<x>", "unchecked", reason="50 %")
    report = Report([verdict("f", "agrees", same=True), wrong, open_], {"f": "x**2"}, 0)
    found = json.loads(check_report.json(report, False))
    assert (found["ok"], found["seed"], found["expressions"]) == (False, 0, {"f": "x**2"})
    assert found["checks"][0] == {
        "name": "f", "status": "agrees", "claimed": "x +\n  0", "true": "2*x", "same": True,
        "points": 0, "kinks": 0, "holes": 0, "outside": 0, "ulps": 0.0,
    }  # fmt: skip
    assert found["checks"][1]["counterexample"]["claimed"] is None and "reason" not in found["checks"][1]
    assert found["checks"][2]["reason"] == "50 %" and "counterexample" not in found["checks"][2]
    assert json.loads(check_report.json(Report([report.verdicts[0]], {}, None), False))["ok"] is True
    suite = ElementTree.fromstring(check_report.junit(report))[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["3", "1", "1", "0"]
    assert [[case.get(key) for key in ("classname", "name", "file", "line")] for case in suite] == [
        ["f", "f", None, None], ["f", "df_dx", "a,b.grad", "3"], ["f", "df_d<x>", None, None],
    ]  # fmt: skip
    assert [(case[0].tag, case[0].get("message")) for case in suite] == [
        ("system-out", None),
        ("failure", "at x=-0.5, `a b`=3: claimed inf, true 2 (the sign is wrong)"),
        ("error", "50 %"),
    ]
    assert suite[1][0].text == (
        "at x=-0.5, `a b`=3: claimed inf, true 2 (the sign is wrong)\nclaimed x + 0\ntrue    2*x"
    )
    assert list(check_report.github(report)) == [
        "::error file=a%2Cb.grad,line=3,col=9,title=gradcli check%3A df_dx::df_dx disagrees "
        "at x=-0.5, `a b`=3: claimed inf, true 2 (the sign is wrong); true: 2*x\n",
        "::warning title=gradcli check%3A df_d<x>::df_d<x> unchecked 50 %25; true: 2*x\n",
    ]


# The command.


@pytest.mark.quick
def test_the_text(shell: Shell) -> None:
    code, out, err = shell(
        "check", "x**2 * sin(y)", "--claim", "df_dx = 2*x*sin(y)", "--claim", "df_dy = x**2*sin(y)",
        "--grid", "x=-3:3:41", "--grid", "y=-3:3:41",
    )  # fmt: skip
    assert (code, err) == (1, "")
    assert out == (
        "df_dx  agrees     the same expression\n"
        "df_dy  DISAGREES  at x=-0.3, y=0: claimed 0, true 0.09 (it is f)\n"
        "       claimed    x**2*sin(y)\n"
        "       true       x**2*cos(y)\n"
        "2 claims: 1 agrees, 1 disagrees\n"
    )


def test_json_junit_and_annotations(shell: Shell) -> None:
    Path("model.grad").write_text("r = x*x + y*y\nu = log(r)\n")
    Path("claims.grad").write_text("# by hand\ndu_dx = 2*x/r\ndu_dy = y/r\n")
    words = ["-f", "model.grad", "--claims", "claims.grad", "--junit", "report.xml"]
    code, out, _ = shell("check", *words, "--json")
    found = json.loads(out)
    assert code == 1
    assert [c["status"] for c in found["checks"]] == ["agrees", "disagrees"]
    assert found["checks"][1]["counterexample"] == {
        "point": {"x": 0.0, "y": 1.0}, "claimed": 1.0, "true": 2.0, "pattern": "it is 0.5 times what it should be",
    }  # fmt: skip
    suite = ElementTree.parse("report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite[1].get("name") == "du_dy"
    assert "0.5 times" in suite[1][0].get("message", "")
    code, out, _ = shell("check", *words, "--github", "-o", "found.json")
    assert out.startswith(
        "::error file=claims.grad,line=3,col=9,title=gradcli check%3A du_dy::du_dy disagrees at x=0, y=1"
    )
    assert json.loads(Path("found.json").read_text()) == found


def test_columns_of_data(shell: Shell) -> None:
    Path("runs.csv").write_text("t,a,b,ga,gb\n1,2,3,0.049787068367863944,-0.09957413673572789\n0.5,2,1,0.6065,0.6\n")
    words = ["a*exp(-b*t)", "--input", "runs.csv", "--claim-column", "df_da=ga", "--claim-column", "df_db=gb"]
    code, out, _ = shell("check", *words)
    assert code == 1
    assert out.startswith("df_da  DISAGREES  at a=2, b=1, t=0.5: claimed 0.6065, true 0.6065306597126334\n")
    code, out, _ = shell("check", *words[:5], "--rtol", "1e-4")
    assert (code, out) == (
        0,
        "df_da  agrees     at 2 points; largest difference 2.76e+11 ulp, as asked\n1 claim: 1 agrees\n",
    )


@pytest.mark.quick
def test_exit_codes(shell: Shell) -> None:
    assert shell("check", "x**2", "--claim", "2*x")[0] == 0
    assert shell("check", "x**2", "--claim", "3*x")[0] == 1
    assert shell("check", "log(-1 - x**2)", "--claim", "x")[0] == 2
    assert shell("check", "x**2", "--claim", "2*y")[0] == 2
    assert shell("check", "-f", "-", "--claims", "-")[0] == 2
    assert [shell("check", "x", "--claim", "1", "--seed", str(seed))[0] for seed in (-1, 0, 2**63, 2**63 + 1)] == [
        2, 0, 0, 2,
    ]  # fmt: skip
    done = process("check", "-f", "-", "--claim", "2*x", input="x**2\n")
    assert (done.returncode, done.stdout) == (0, "df_dx  agrees     the same expression\n1 claim: 1 agrees\n")
