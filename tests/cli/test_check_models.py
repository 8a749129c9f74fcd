"""check with many models, with claims that cannot be read, and where it could not be carried out at all."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from checkout import ROOT
from command import Shell

pytestmark = pytest.mark.usefixtures("empty_folder")

LOGISTIC = """\
# logistic loss of one example
z = w*x + b
loss = softplus(z) - y*z
p = 1/(1 + exp(-z))  # used by claims alone
dloss_dw = (p - y)*x
dloss_db = (
    p - y)
"""
POLAR = "r = sqrt(x*x + y*y); u = log(r)\ndu_dx = x/r\ndu_dy = y/r**2\n"


def suites(path: str) -> list[ElementTree.Element]:
    return list(ElementTree.parse(path).getroot())


# A model and its claims in one file.


@pytest.mark.quick
def test_a_file_may_hold_a_model_and_its_claims(shell: Shell) -> None:
    Path("logistic.grad").write_text(LOGISTIC)
    Path("notes.txt").write_text(LOGISTIC)
    code, out, err = shell("check", "logistic.grad", "--json")
    checks = json.loads(out)["checks"]
    assert (code, err, [c["name"] for c in checks]) == (0, "", ["dloss_dw", "dloss_db"])
    assert {c["status"] for c in checks} == {"agrees"}
    # By --file any name will do, and stdin.
    assert shell("check", "-f", "notes.txt", "--json") == (0, out, "")
    # With claims it is the expressions, as ever.
    assert shell("check", "-f", "notes.txt", "--claim", "loss = softplus(z) - y*z")[0] == 0


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("f = x**2\ndf_dx = 3*x\n", ["df_dx"]),
        ("x**2*y\ndf_dx = 2*x*y\nd2f_dxdy = 2*y", ["d2f_dxdy"]),
        ("df_dx = exp(x)\nf = exp(x)", []),
        ("f = exp(x)\ndf_dx = f\nd2f_dx2 = df_dx", []),
        ("f = x*y; g = f**2; df_dx = y; dg_dx = 2*f*df_dx; dg_dy = f", ["dg_dy"]),
        # The name of a derivative of a variable is that of a definition.
        ("dx_dt = -k*x\nf = dx_dt*2\ndf_dx = -2*k", []),
        ("`temp C`**2\n`df_dtemp C` = 2*`temp C`", []),
    ],
)
def test_what_the_claims_of_a_model_are(text: str, wrong: list[str], shell: Shell) -> None:
    Path("m.grad").write_text(text)
    code, out, err = shell("check", "m.grad", "--json")
    assert err == ""
    checks = json.loads(out)["checks"]
    assert checks and [c["name"] for c in checks if c["status"] != "agrees"] == wrong
    assert code == bool(wrong)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("f = x**2\ndf_dx = 2*x\ndfx_dx = 2", "no value and no derivative of these expressions is called 'dfx_dx'", 3),
        ("f = x**2\ndf_dx = 2*x\ndf_dy = 2*z", "'z' is in the claim and not in the expression", 3),
        ("f = x**2\ndf_dx = 2*x; d2f_dx2 = 2.0.1", "", 2),
        ("f = x**2\nd2f_dx2 = (2\ndf_dx = 2*x\n", "the '(' at line 2, column 11 is never closed", 2),
        ("f = x**2\ng = sn(x)\ndf_dx = 2*x", "unknown function 'sn'", 2),
    ],
)
def test_what_cannot_be_read_does_not_hide_the_rest(text: str, message: str, line: int, shell: Shell) -> None:
    Path("m.grad").write_text(text)
    code, out, err = shell("check", "m.grad", "--junit", "r.xml", "--github")
    assert code == 2
    assert re.match("df_dx +agrees +the same expression\n2 claims: 1 agrees, 1 could not be read\n::error ", out)
    assert message in err and re.match(rf"gradcli: error: m\.grad:{line}:[0-9]+: ", err) and err.count("error:") == 1
    assert re.search(rf"^::error file=m\.grad,line={line},col=[0-9]+,title=gradcli check::", out, re.M)
    (suite,) = suites("r.xml")
    assert {k: suite.get(k) for k in ("tests", "failures", "errors")} == {"tests": "2", "failures": "0", "errors": "1"}
    assert suite[1].get("line") == str(line) and message in suite[1][0].attrib["message"]


# Several files, and folders.


@pytest.mark.quick
def test_many_models_in_one_call(shell: Shell) -> None:
    Path("m/.hidden").mkdir(parents=True)
    Path("m/sub").mkdir()
    Path("m/logistic.grad").write_text(LOGISTIC)
    Path("m/sub/polar.grad").write_text(POLAR)
    Path("m/sub/none.grad").write_text("f = x\n")
    Path("m/.hidden/wrong.grad").write_text("f = x\ndf_dx = 2\n")
    code, out, err = shell("check", "m/", "--junit", "r.xml")
    assert (code, err) == (1, "gradcli: note: 1 file without a claim is left out: m/sub/none.grad\n")
    assert shell("check", "m/", "-q")[2] == ""
    assert re.fullmatch(
        r"m/logistic\.grad\ndloss_dw  agrees .*\ndloss_db  agrees .*\n\n"
        r"m/sub/polar\.grad\ndu_dx  DISAGREES .*\n +claimed +x/r\n +true .*\ndu_dy  agrees .*\n\n"
        r"4 claims in 2 models: 3 agree, 1 disagrees \(points chosen by --seed 0\)\n",
        out,
    )
    assert [(s.get("name"), s.get("failures")) for s in suites("r.xml")] == [
        ("m/logistic.grad", "0"), ("m/sub/polar.grad", "1"),
    ]  # fmt: skip
    assert shell("check", "m/logistic.grad", "m/sub/polar.grad")[1] == out
    assert shell("check", "-f", "m/logistic.grad", "-f", "m/sub/polar.grad")[1] == out
    found = json.loads(shell("check", "m/", "--json")[1])
    assert [(c["model"], c["status"]) for c in found["checks"]] == [
        ("m/logistic.grad", "agrees"), ("m/logistic.grad", "agrees"),
        ("m/sub/polar.grad", "disagrees"), ("m/sub/polar.grad", "agrees"),
    ]  # fmt: skip
    assert [model["name"] for model in found["models"]] == ["m/logistic.grad", "m/sub/polar.grad"]


def test_the_error_of_one_model_does_not_hide_the_others(shell: Shell) -> None:
    Path("polar.grad").write_text(POLAR.replace("x/r\n", "x/r**2\n"))
    Path("broken.grad").write_text("f = (x\n")
    code, out, err = shell("check", "nope.grad", "broken.grad", "polar.grad")
    assert code == 2 and "du_dy  agrees" in out and "2 could not be read" in out
    assert "nope.grad: No such file" in err and "broken.grad:1:" in err


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["none.grad"], "none.grad: nothing is claimed", "df_dx = 2*x"),
        (["empty/"], "there is no file *.grad in this folder", ""),
        (["m"], "nothing is claimed", "gradcli check m/"),
        (["m/"], "nothing is claimed", "df_dx = 2*x"),
        (
            ["none.grad", "--claim", "df_dx = 1"],
            "a model holds its expressions and its claims",
            "-f FILE --claims FILE",
        ),
        (["none.grad", "x**2"], "a model holds its expressions and its claims", ""),
    ],
)
def test_what_is_no_model(words: list[str], message: str, hint: str, shell: Shell) -> None:
    Path("empty").mkdir()
    Path("m").mkdir()
    for path in ("none.grad", "m/none.grad"):
        Path(path).write_text("f = x**2\n")
    code, out, err = shell("check", *words)
    assert (code, out) == (2, "") and message in err and hint in err


# A check that could not be carried out.


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "message", "place"),
    [
        (["x**2", "--claim", "df_dx = sn(x)"], "unknown function 'sn'", ""),
        (["-f", "model.grad", "--claim", "df_dx = 1"], "unknown function 'sn'", "file=model.grad,line=2,col=5,"),
        (["x**2", "--claims", "claims.grad"], "'y' is in the claim", "file=claims.grad,line=1,col=11,"),
        (["x**2", "--claim", "df_dx = 2*x", "--ponts", "3"], "No such option: --ponts", ""),
        (["x**2", "--claim", "df_dx = 2*x", "--points", "many"], "Invalid value for '--points'", ""),
        (["x**2", "--claims", "nope.grad"], "nope.grad: No such file", ""),
        (["x**2"], "nothing is claimed", ""),
    ],
)
def test_reports_speak_where_nothing_could_be_checked(words: list[str], message: str, place: str, shell: Shell) -> None:
    """A report that says all is well is there already."""
    assert shell("check", "x**2", "--claim", "2*x", "--junit", "r.xml")[0] == 0
    Path("model.grad").write_text("# a slip\nf = sn(x)\n")
    Path("claims.grad").write_text("df_dx = 2*y\n")
    code, out, err = shell("check", *words, "--junit", "r.xml", "--github")
    assert code == 2 and message in err
    (suite,) = suites("r.xml")
    assert {k: suite.get(k) for k in ("tests", "failures", "errors")} == {"tests": "1", "failures": "0", "errors": "1"}
    assert message in suite[0][0].attrib["message"]
    assert out.startswith(f"::error {place}title=gradcli check::") and message in out and out.count("\n") == 1


def test_a_report_that_fails_writes_into_no_input(shell: Shell) -> None:
    code, out, err = shell("check", "x**2", "--claim", "2*y", "--junit=no/r.xml")
    assert (code, out) == (2, "") and "'y' is in the claim" in err and not Path("no").exists()
    assert shell("check", "x**2", "--claim", "2*y", "--junit", "-")[1] == ""
    code, out, err = shell("check", "x**2", "--claim", "2*y", "--github", "--json")
    assert (code, out) == (2, "") and "::error title=gradcli check::'y' is in the claim" in err


# In a repository.


def test_the_hook_and_the_jobs_are_what_their_readers_take(shell: Shell) -> None:
    yaml = pytest.importorskip("yaml")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "files"} <= hook.keys()
    Path("polar.grad").write_text(POLAR)
    assert re.search(hook["files"], "models/polar.grad") and not re.search(hook["files"], "polar.gradient")
    # pre-commit adds the names of the files to the words of the entry.
    assert shell(*hook["entry"].split()[1:], "polar.grad")[0] == 1
    shown = re.findall("`([^`\n]+)`:\n\n```yaml\n(.*?)^```", (ROOT / "docs/cookbook-ci.md").read_text(), re.S | re.M)
    files = [(name, yaml.safe_load(text)) for name, text in shown]
    assert [name for name, _ in files] == [
        ".pre-commit-config.yaml", ".pre-commit-config.yaml", ".github/workflows/gradients.yml", ".gitlab-ci.yml",
    ]  # fmt: skip
    ours, local = (config["repos"][0]["hooks"][0] for _, config in files[:2])
    assert ours["id"] == hook["id"] and local["entry"].startswith("gradcli check ")
    job = files[2][1]["jobs"]["gradients"]
    assert [step["run"].split()[:2] for step in job["steps"] if "run" in step][-1] == ["gradcli", "check"]
    assert files[3][1]["gradients"]["script"][-1].startswith("gradcli check ")
