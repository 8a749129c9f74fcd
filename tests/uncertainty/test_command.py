"""The command propagate: text, LaTeX, JSON, tables, parts, notes and exit codes."""

import json
import math

import pytest

pytestmark = pytest.mark.quick

PENDULUM = ("propagate", "g = 4*pi**2*L/T**2", "--at", "L=1.000±0.002,T=2.00±0.01")


def test_the_largest_contribution_comes_first(shell):
    code, out, err = shell(*PENDULUM)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "g = 9.87(10)",
        "input  value      u  sensitivity  contribution   share",
        "T       2.00   0.01      -9.8696      0.098696  96.2 %",
        "L      1.000  0.002       9.8696     0.0197392   3.8 %",
    ]


@pytest.mark.parametrize(("options", "line"), [
    (["--rounding", "1"], "g = 9.9(1)"),
    (["--rounding", "none"], "g = 9.86960440108935800("),
    (["--as", "latex"], r"g = 9.87 \pm 0.10"),
    (["--as", "siunitx"], r"g = \num{9.87(10)}"),
    (["--corr", "L,T=1"], "g = 9.870(79)"),
])  # fmt: skip
def test_forms(shell, options, line):
    code, out, _ = shell(*PENDULUM, *options)
    assert code == 0
    assert out.splitlines()[0].startswith(line)


def test_two_sided_and_second_order(shell):
    assert shell("propagate", "exp(x)", "--at", "x=0+0.10-0.20")[1].splitlines()[0] == "f = 1.00+0.10-0.20"
    code, out, err = shell("propagate", "x**2", "--at", "x=0±10", "--second-order")
    assert out.splitlines()[:2] == ["f = 0(0)", "second order: f = 100(140)"]
    assert "note: f is not linear enough" in err
    assert "non-finite" not in err
    assert code == 0


def test_flags_with_strict(shell):
    code, out, err = shell("propagate", "abs(x)", "--at", "x=0.05±0.1", "--strict")
    assert code == 1
    assert out.startswith("f = 0.05(10)\n")
    assert "f has a kink within 2 u, 0.5 u away, at x=0" in err
    assert shell(*PENDULUM, "--strict")[0] == 0


def test_json_of_a_point(shell):
    code, out, _ = shell(*PENDULUM, "--second-order", "--json")
    data = json.loads(out)
    assert (code, data["schema"], data["shape"], data["expressions"]) == (0, "gradcli/1", [], {"g": "4*pi**2*L/T**2"})
    assert data["variables"] == ["L", "T"]
    assert data["columns"].keys() == {"L", "T", "u_L", "u_T", "g", "u_g", "g_second", "u_g_second", "linear"}
    assert data["columns"]["u_g"] == pytest.approx(0.10065061086519174, rel=1e-15)
    assert data["budget"]["T"].keys() == {"value", "u", "sensitivity", "contribution", "share"}
    assert data["budget"]["T"]["share"] == pytest.approx(25 / 26, rel=1e-14)
    assert data["flags"] == []


def test_json_of_several_results(shell):
    words = ("propagate", "R = V/I; P = V*I", "--at", "V=5.0(1),I=0.20(1)", "--correlations", "--json")
    data = json.loads(shell(*words)[1])
    assert data["budget"]["R"]["V"]["contribution"] == pytest.approx(0.5)
    assert data["correlations"]["R"]["P"] == data["columns"]["r_R_P"] == data["correlations"]["P"]["R"]
    assert data["correlations"]["R"]["R"] == 1
    relative = [0.02**2, 0.05**2]
    assert data["columns"]["r_R_P"] == pytest.approx((relative[0] - relative[1]) / sum(relative), rel=1e-13)


def test_infinities_are_null_in_json(shell):
    data = json.loads(shell("propagate", "a + b", "--at", "a=3±0.5,b=4±0.5", "--corr", "a,b=-1", "--json")[1])
    assert data["columns"]["u_f"] == 0
    assert data["budget"]["a"]["share"] is None


def test_expanded_uncertainties(shell, empty_folder):
    words = ("propagate", "x*y", "--at", "x=1.0±0.1,y=2.0±0.1")
    assert shell(*words, "-k", "2")[1].splitlines()[1] == (
        "expanded: f = 2.00 ± 0.45 (k = 2, infinite degrees of freedom)"
    )
    out = shell(*words, "--df", "x=4", "--coverage", "95")[1]
    assert "95 %, 6.25 degrees of freedom, k = 2.447 if these are truncated to 6)" in out
    data = json.loads(shell(*words, "-k", "2", "--json")[1])
    assert data["expanded"] == {
        "k": 2.0, "degrees_of_freedom": None, "coverage": None, "U": pytest.approx(2 * math.sqrt(0.05)),
        "k_truncated": None,
    }  # fmt: skip
    (empty_folder / "a.csv").write_text("x,u_x\n3,0.1\n")
    assert (
        shell("propagate", "x**2", "-i", "a.csv", "-k", "2", "--select", "U_f", "--csv")[1]
        == "U_f\n1.2000000000000002\n"
    )


@pytest.mark.parametrize(("options", "message"), [
    (["-k", "2", "--coverage", "95"], "--coverage and -k exclude each other"),
    (["-k", "-2"], "-k -2: a coverage factor is positive and finite"),
    (["-k", "nan"], "a coverage factor is positive and finite"),
    (["--coverage", "95", "--grid", "y=1:2:2"], "--coverage is for a result at one point"),
    (["--coverage", "120"], "--coverage"),
    (["--coverage", "95", "--u", "y=1", "--corr", "x,y=0.5", "--df", "x=3"], "x is correlated"),
])  # fmt: skip
def test_errors_about_expanded_uncertainties(shell, options, message):
    at = "x=1.0±0.1" if "--grid" in options else "x=1.0±0.1,y=2"
    code, _, err = shell("propagate", "x*y", "--at", at, *options)
    assert code == 2
    assert message in err


def test_a_simulation(shell):
    words = (*PENDULUM, "--mc", "1e5", "--seed", "7")
    code, out, err = shell(*words)
    assert (code, err) == (0, "")
    assert out.splitlines()[1].startswith("Monte Carlo: g = 9.87(10), 95 % from 9.68 to 10.07, shortest from 9.6")
    assert out.splitlines()[2].startswith("the law of propagation agrees with it")
    data = json.loads(shell(*words, "--json")[1])["monte_carlo"]
    assert data["u"] == pytest.approx(0.1007, rel=0.01)
    assert data["validated"] is True
    assert data["trials"] == 100_000
    assert data["symmetric"][0] < data["mean"] < data["symmetric"][1]
    assert shell(*words, "--json", "--threads", "1")[1] == shell(*words, "--json", "--threads", "2")[1]
    assert shell(*words, "--json")[1] != shell(*words[:-1], "8", "--json")[1]


def test_a_simulation_draws_from_the_distributions(shell):
    words = ["propagate", "a + b + c + d", "--mc", "2e5", "--json"]
    for name in "abcd":
        words += ["--dist", f"{name}=R(-sqrt(3),sqrt(3))"]
    data = json.loads(shell(*words)[1])["monte_carlo"]
    assert data["u"] == pytest.approx(2, abs=0.02)
    assert data["symmetric"] == pytest.approx([-3.88, 3.88], abs=0.05)
    data = json.loads(shell("propagate", "x", "--at", "x=1.0±0.1", "--df", "x=5", "--mc", "2e5", "--json")[1])
    assert data["monte_carlo"]["u"] == pytest.approx(0.1 * math.sqrt(5 / 3), rel=0.02)
    data = json.loads(shell("propagate", "x", "--at", "x=1+0.3-0.1", "--mc", "2e5", "--json")[1])
    assert data["monte_carlo"]["symmetric"] == pytest.approx([1 - 0.196, 1 + 0.588], abs=0.01)


def test_a_simulation_that_is_not_finite_everywhere(shell):
    _, _, err = shell("propagate", "sqrt(x)", "--at", "x=0.1±0.1", "--mc", "1e4")
    assert "of 10,000 trials of f are not finite and left out" in err


@pytest.mark.parametrize(("options", "message"), [
    (["--mc", "10"], "10 trials are too few"),
    (["--mc", "many"], "--mc: 'many' is no number of trials"),
    (["--mc", "0"], "is no number of trials"),
    (["--mc", "1e6", "--corr", "x,y=0.5", "--df", "x=3"], "their degrees of freedom differ"),
    (["--mc", "1e15"], "trials of 1 result would"),
])  # fmt: skip
def test_errors_of_a_simulation(shell, options, message):
    code, _, err = shell("propagate", "x*y", "--at", "x=1.0±0.1,y=2±0.1", *options)
    assert code in (2, 3)
    assert message in err


def test_a_simulation_is_for_one_point(shell):
    code, _, err = shell("propagate", "x*y", "--at", "x=1.0±0.1", "--grid", "y=1:2:3", "--mc", "1e5")
    assert code == 2
    assert "--mc is for a result at one point" in err


def test_a_simulation_is_never_left_out(shell):
    code, _, err = shell(*PENDULUM, "--mc", "1e5", "--csv")
    assert code == 2
    assert "--mc: csv has no place for a simulation" in err


def test_degrees_of_freedom_that_are_whole_are_not_truncated(shell):
    out = shell("propagate", "x", "--at", "x=1.0±0.1", "--df", "x=5", "--coverage", "95")[1]
    assert "(k = 2.571, 95 %, 5 degrees of freedom)" in out


def test_expressions_without_points(shell):
    code, out, _ = shell("propagate", "g = L/T")
    assert (code, out) == (0, "g = L/T\nu_g = hypot(u_L*(1/T), -u_T*(L/T/T))\n")
    assert "0.3" in shell("propagate", "g = L/T", "--corr", "L,T=0.3")[1]
    code, _, err = shell("propagate", "g = L/T", "--as", "latex")
    assert code == 2
    assert "gradcli show --as latex" in err
    code, _, err = shell("propagate", "g = L/T", "--u", "L=0.1")
    assert code == 2
    assert "--u is about points" in err


def test_expressions_are_read_again(shell, empty_folder):
    words = ("propagate", "g = exp(L)/T", "--corr", "L,T=0.3", "--second-order")
    (empty_folder / "g.grad").write_text(shell(*words)[1])
    data = json.loads(shell("eval", "-f", "g.grad", "--at", "L=1,T=2,u_L=0.1,u_T=0.2", "--json")[1])["columns"]
    same = json.loads(shell(*words, "--at", "L=1±0.1,T=2±0.2", "--json")[1])["columns"]
    assert data.keys() == same.keys()
    assert data == pytest.approx(same, rel=1e-14)


def test_other_formats_of_a_point(shell):
    assert shell(*PENDULUM, "--csv", "--select", "g,u_g")[1] == "g,u_g\n9.869604401089358,0.10065061086519174\n"
    code, _, err = shell(*PENDULUM, "--csv", "--as", "latex")
    assert code == 2
    assert "--as latex has one form" in err


def test_a_cell_with_an_uncertainty(shell, empty_folder):
    (empty_folder / "a.csv").write_text("L,u_L\n1.02±0.005,.002\n")
    code, _, err = shell("propagate", "2*L", "--input", "a.csv")
    assert code == 2
    assert "a.csv:2:1: '1.02±0.005'" in err
    assert "two columns, such as L and u_L" in err


def test_parts_equal_one_file(shell, empty_folder):
    for name in ("a", "b"):
        rows = [f"{1 + k / 7},0.002,{2 + k / 9},0.01" for k in range(300)]
        (empty_folder / f"{name}.csv").write_text("\n".join(["L,u_L,T,u_T", *rows]) + "\n")
    words = ("propagate", "g = 4*pi**2*L/T**2", "--corr", "L,T=0.3", "--budget", "-i", "a.csv", "-i", "b.csv")
    assert shell(*words, "-o", "one.csv")[0] == 0
    assert shell(*words, "-o", "out/", "--csv", "--part-bytes", "4000")[0] == 0
    parts = [path.read_text().splitlines(keepends=True) for path in sorted((empty_folder / "out").glob("part*.csv"))]
    assert len(parts) > 3
    assert (
        "".join([parts[0][0], *[line for part in parts for line in part[1:]]]) == (empty_folder / "one.csv").read_text()
    )
    code, _, err = shell(*words, "-o", "out/", "--csv", "--part-bytes", "4000")
    assert code == 0
    assert "0 made" in err


def test_a_small_uncertainty_is_not_lost(shell):
    data = json.loads(shell("propagate", "tanh(x)", "--at", "x=20±0.1", "--json")[1])
    assert data["columns"]["u_f"] == pytest.approx(1.6993417021166355e-18, rel=1e-14)
    assert math.isfinite(data["budget"]["x"]["share"])


def test_strict_of_results_that_are_not_finite(shell):
    code, out, err = shell("propagate", "sqrt(x)", "--at", "x=-1±0.1", "--strict")
    assert (code, out) == (1, "")
    assert "at x=-1.0, u_x=0.1: f is nan" in err
    code, out, err = shell("propagate", "x**2", "--at", "x=0±10", "--strict")
    assert (code, out.splitlines()[0]) == (1, "f = 0(0)")
    assert "linear is inf" not in err


def test_names_in_backquotes(shell):
    out = shell("propagate", "`my x`**2", "--at", "`my x`=1.0±0.1", "--csv")[1]
    assert out == "my x,u_my x,f,u_f\n1.0,0.1,1.0,0.2\n"


def test_a_shape_is_filled_beside_an_uncertainty(shell):
    data = json.loads(shell("propagate", "x**2", "--grid", "2x2", "--u", "x=0.1", "--json")[1])
    assert data["columns"]["u_f"] == [[0.0, 0.2], [0.2, 0.4]]


def test_a_formula_that_overflows_on_the_way(shell):
    pytest.importorskip("flint")
    words = ("propagate", "x*exp(x)/exp(x)", "--at", "x=1000±1", "--second-order", "--json")
    data = json.loads(shell(*words)[1])
    assert (data["columns"]["f"], data["columns"]["u_f"], data["columns"]["linear"]) == (1000, 1, 1)
    assert data["budget"]["x"]["sensitivity"] == 1
    assert data["flags"] == []


def test_a_hole_is_told(shell):
    _, out, err = shell("propagate", "sin(x)/x", "--at", "x=0±0.1")
    assert out.startswith("f = nan ± nan\n")
    assert "f has a hole here along x: it has no value there, but tends to 1 on both sides" in err
    assert "--sides" not in err
