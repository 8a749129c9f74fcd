"""The language: what is accepted and what it means, what is refused and in which words, at any depth."""

import contextlib
import gc
import importlib.util
import json
import logging
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from checkout import DATA, ROOT
from hypothesis import given
from hypothesis import strategies as st

import gradcli
from gradcli.calculus.reductions import has_reductions
from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.expr import (
    BOOLEANS,
    COMPARISONS,
    ZERO,
    Expr,
    apply,
    const,
    constant,
    reachable,
    readable,
    statements,
    text,
    var,
)
from gradcli.functions import SPELLED, TABLE
from gradcli.language import parse, tables
from gradcli.language.actions import ACTIONS, BINARY, LEAVES
from gradcli.limits import work

pytestmark = pytest.mark.quick

x = var("x")


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def named(source: str) -> dict[str, Expr]:
    """Outputs by name; unnamed ones as a request names them."""
    outputs = parse(source).outputs
    unnamed = [e for name, e in outputs if name is None]
    numbers = iter(range(1, len(unnamed) + 1))
    return {name or ("f" if len(unnamed) == 1 else f"f{next(numbers)}"): e for name, e in outputs}


def only(source: str) -> Expr:
    [(_, e)] = parse(source).outputs
    return e


ACCEPTED, REJECTED = rows(ROOT / "grammar" / "accept.jsonl"), rows(ROOT / "grammar" / "reject.jsonl")


@pytest.mark.parametrize("case", ACCEPTED, ids=[repr(case["text"]) for case in ACCEPTED])
def test_accepted(case):
    found = named(case["text"])
    if "same" in case:
        assert list(found.values()) == list(named(case["same"]).values())
    else:
        assert {name: text(e) for name, e in found.items()} == case["outputs"]
        assert list(found) == list(case["outputs"])


@pytest.mark.parametrize("case", REJECTED, ids=[ascii(case["text"]) for case in REJECTED])
def test_rejected(case):
    with pytest.raises(GradError) as caught:
        parse(case["text"])
    error = caught.value
    assert re.search(case["says"], error.message)
    assert re.search(case.get("hint", ""), error.hint or "")
    assert error.source == Source(case["text"])
    assert error.span is not None and case["text"][slice(*error.span)] == case["marks"]
    assert error.source.place(error.span.start)[:2] == (case["line"], case["column"])
    assert error.exit_code == 2
    assert all(c.isprintable() or c == "\n" for c in str(error))


# Facts and functions.


def test_the_real_expressions_parse():
    files = sorted((DATA / "derivatives").glob("*.jsonl"))
    assert len(files) == 5
    for path in (*files, DATA / "kinks.jsonl"):
        for row in rows(path):
            only(row["expr"])
            if "grad" in row:
                assert set(parse(row["expr"]).variables) <= set(row["point"])


@pytest.mark.parametrize("word", SPELLED)
def test_every_function_is_called_by_every_spelling(word):
    row = SPELLED[word]
    letters = ["a", "b", "c"][: row.arity[0]]
    selects = row.name in ("where", "instead")
    args = ["a > 0", "b", "c"] if selects else letters
    value = 2 if row.parameter else None
    nodes = [apply("gt", var("a"), ZERO), var("b"), var("c")] if selects else [var(a) for a in letters]
    assert only(f"{word}({', '.join(['2'] * row.parameter + args)})") is apply(row.name, *nodes, value=value)


# Round trips.

NAMES = st.sampled_from(["x", "y", "x1", "temp C", "sin", "if", "e", "gamma", "\u03b1", "t1"])
NUMBERS = st.one_of(
    st.integers(-20, 20),
    st.floats(),
    st.fractions(max_denominator=10**6),
    st.builds(lambda n, k: Fraction(n, 10**k), st.integers(-(10**60), 10**60), st.integers(0, 300)),
    st.builds(lambda n, k: Fraction(n, 2**k), st.integers(-(10**9), 10**9), st.integers(0, 900)),
)
ROWS = [row for row in TABLE.values() if row.name not in {"where", "instead", *BOOLEANS}]
LEAF = st.one_of(NAMES.map(var), st.sampled_from(["pi", "e", "tau"]).map(constant), NUMBERS)


@st.composite
def expressions(draw):
    """Grown bottom-up, parts shared; a step that would leave the range of a double is left out."""
    nodes = [x, const(2)]
    conditions = [apply("lt", x, const(1))]
    for leaf in draw(st.lists(LEAF, max_size=4)):
        with contextlib.suppress(GradError):
            nodes.append(leaf if isinstance(leaf, Expr) else const(leaf))
    for kind in draw(st.lists(st.sampled_from(["sum", "call", "where", "compare", "and", "not", "diff"]), max_size=10)):
        node, condition = st.sampled_from(nodes), st.sampled_from(conditions)
        with contextlib.suppress(GradError):
            if kind == "sum":
                op = draw(st.sampled_from(["add", "sub", "mul", "div", "power", "mod"]))
                nodes.append(apply(op, draw(node), draw(node)))
            elif kind == "call":
                row = draw(st.sampled_from(ROWS))
                least, most = row.arity
                args = draw(st.lists(node, min_size=least, max_size=most or 4))
                made = apply(row.name, *args, value=draw(st.integers(0, 9)) if row.parameter else None)
                # The printed form has constants of its own, which may leave the range of a double.
                if not any(e.op in TABLE and TABLE[e.op].internal for e in reachable(readable([made]))):
                    nodes.append(made)
            elif kind == "where":
                nodes.append(apply("where", draw(condition), draw(node), draw(node)))
            elif kind == "compare":
                conditions.append(apply(draw(st.sampled_from(sorted(COMPARISONS))), draw(node), draw(node)))
            elif kind == "and":
                conditions.append(apply(draw(st.sampled_from(["and", "or"])), draw(condition), draw(condition)))
            elif kind == "not":
                conditions.append(apply("not", draw(condition)))
            else:
                body = draw(node)
                if not has_reductions([body]):  # which diff refuses
                    nodes.append(apply("diff", body, var(draw(NAMES)), value=draw(st.integers(1, 5))))
    return draw(st.sampled_from(nodes))


@given(expressions())
def test_what_is_printed_parses_to_the_same_node(e):
    assert [only(text(e))] == readable([e])


@given(expressions(), expressions())
def test_printed_statements_parse_to_the_same_nodes(a, b):
    lines = "\n".join(f"{name} = {body}" for name, body in statements([("out_a", a), ("out_b", b)]))
    assert [e for _, e in parse(lines).outputs] == readable([a, b])


@given(st.text(alphabet="xe1.2+-*/^()<=,;\n #`_if else\u00b2", max_size=30))
def test_any_text_is_parsed_or_refused_with_its_place(source):
    try:
        parsed = parse(source)
    except GradError as error:
        assert error.span is not None
        assert str(error)
    else:
        assert parsed.outputs


@given(st.text(max_size=12))
def test_any_characters_are_survived(source):
    try:
        parse(source)
    except GradError as error:
        assert error.span is not None and error.span.end <= len(source)


# What comes along with the outputs.


def test_variables_stand_in_order_of_first_appearance():
    parsed = parse("r = z*b**0; a + r; diff(q*z, q) + where(w > 0, 1, 2)")
    assert parsed.variables == ("z", "b", "a", "q", "w")


def test_spans_are_the_first_places():
    source = "1 + sin(x*y) + x*y*(a + b)"
    parsed = parse(source)

    def at(e):
        start, end = parsed.spans[e]
        return source[start:end]

    assert at(var("x")) == "x" and parsed.spans[var("x")] == Span(8, 9)
    assert at(only("x*y")) == "x*y" and parsed.spans[only("x*y")].start == 8
    assert at(only("sin(x*y)")) == "sin(x*y)"
    assert at(only("a + b")) == "a + b"
    assert parsed.spans[parsed.outputs[0][1]] == Span(0, len(source))


def test_a_files_name_is_said_once():
    with pytest.raises(GradError) as caught:
        parse(Source("x\n2y", "some/file"))
    assert str(caught.value).startswith("some/file:2:2: unexpected 'y' after '2'")
    assert "column" not in caught.value.message


def test_the_caret_stands_under_the_end():
    with pytest.raises(GradError) as caught:
        parse("x +")
    assert str(caught.value).splitlines()[1:] == ["  x +", "     ^"]


@pytest.mark.parametrize("digits", ["1" * 641, "0." + "1" * 641, "1" * 100_000])
def test_numbers_are_bounded(digits):
    with pytest.raises(GradError, match=r"digits|beyond"):
        parse(f"x*{digits}")


@pytest.mark.parametrize("zeros", [307, 308, 323, 324, 309, 398, 399, 400, 401, 10**7, 10**8, 10**9])
def test_powers_of_ten_at_the_ends_of_the_range(zeros):
    for spelled, power, highest, says in (
        ([f"1e{zeros}", f"0.001e{zeros + 3}"], zeros, 308, "beyond the range"),
        ([f"1e-{zeros}", f"1000e-{zeros + 3}"], -zeros, 323, "too small"),
    ):
        for source in spelled:
            if zeros <= highest:
                assert only(source).value == Fraction(10) ** power
            else:
                with pytest.raises(GradError, match=says):
                    parse(source)


def test_a_longer_text_may_take_more_work():
    source = "+".join(["x*y"] * 200)
    with work.within(10):
        parse(source)
        assert len(source) ** 2 - 20_000 < work._budget.left < len(source) ** 2


def test_reductions_where_a_value_at_each_point_is_needed_are_pointed_at():
    parsed = parse("x + 2*sum(x)*max(x, y)")
    assert list(parsed.reductions) == [apply("sum", x)] and parse("max(x, y)").pointwise("no") is not None
    with pytest.raises(GradError, match="why") as caught:
        parsed.pointwise("why", "a hint")
    error = caught.value
    assert error.message == "sum with one argument takes all points at once, why"
    assert (error.hint, error.span, error.source) == ("a hint", Span(6, 12), parsed.source)


def test_long_numbers_are_exact():
    digits = "123456789" * 71
    e = only(f"0.{digits}")
    assert e.value == Fraction(int(digits), 10 ** len(digits))
    assert only(text(e)) is e
    assert only("1" + "0" * 300 + "." + "0" * 5000).value == 10**300


# Depth and size.

DEEP = 20_000


def test_a_long_sum():
    assert only("+".join(["x"] * DEEP)).op == "add"


def test_nested_brackets():
    assert only("(" * DEEP + "x" + ")" * DEEP) is var("x")


def test_many_signs():
    assert only("-" * DEEP + "x") is var("x")
    assert only("-" * (DEEP + 1) + "x") is apply("neg", var("x"))


def test_nested_calls():
    e = only("sin(" * DEEP + "x" + ")" * DEEP)
    for _ in range(DEEP):
        assert e.op == "sin"
        (e,) = e.args
    assert e is var("x")


def test_a_tower_of_powers_and_choices():
    assert only("**".join(["x"] * DEEP)).op == "power"
    assert only(" if x > 0 else ".join(["x"] * DEEP)).op == "where"


def test_many_arguments_statements_and_lines():
    assert len(only(f"max({','.join(f'x{n}' for n in range(DEEP))})").args) == DEEP
    assert len(parse("\n".join(f"y{n} = x + {n}" for n in range(DEEP))).outputs) == DEEP
    assert only("(" * DEEP + "\n" * DEEP + "x" + "\n)" * DEEP) is var("x")


def test_a_large_text():
    assert only("+".join(["x*x"] * 60_000)).op == "add"


def test_an_error_deep_inside_a_large_text():
    source = "(" * DEEP + "x + ) "
    with pytest.raises(GradError, match=rf"^column {DEEP + 5}: unexpected '\)'"):
        parse(source)


def test_nothing_is_left_behind():
    assert gc.isenabled()
    with pytest.raises(GradError):
        parse("x +")
    parse("x")
    assert gc.isenabled()
    gc.disable()
    try:
        parse("x")
        assert not gc.isenabled()
    finally:
        gc.enable()


# The tables.


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The module a build writes, in the place where an installation has it."""
    grammar = tables.grammar_text()
    assert grammar is not None
    path = tmp_path / "_tables.py"
    path.write_text(tables.source(grammar), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("gradcli._tables", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "gradcli._tables", module)
    monkeypatch.setattr(gradcli, "_tables", module, raising=False)
    return module


def test_the_written_tables_are_the_made_ones(written, monkeypatch):
    made_now = tables.make(tables.grammar_text())
    monkeypatch.setitem(sys.modules, "lark", None)
    loaded = tables.load()
    assert loaded == made_now
    assert all(isinstance(rule, tables.Rule) for rule in loaded.rules)


@pytest.mark.parametrize(("field", "value"), [("GRAMMAR", "another"), ("FORMAT", -1)])
def test_tables_of_another_grammar_are_not_used(written, monkeypatch, field, value):
    monkeypatch.setattr(written, field, value)
    monkeypatch.setattr(written, "TABLES", ())
    assert tables.load().states


def test_written_tables_do_without_the_grammar(written, monkeypatch):
    monkeypatch.setattr(tables, "grammar_text", lambda: None)
    assert tables.load().states


def test_tables_depend_on_the_grammar_alone():
    code = "from gradcli.language import tables; print(tables.source(tables.grammar_text()))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_the_grammar_has_no_conflicts(caplog):
    with caplog.at_level(logging.DEBUG, logger="lark"):
        tables.make(tables.grammar_text())
        assert not caplog.records
        tables.make('program: program PLUS program | X\nX: "x"\nPLUS: "+"')
        assert any("conflict" in record.message for record in caplog.records)


def test_every_rule_has_its_meaning():
    rules = tables.make(tables.grammar_text()).rules
    meanings = {rule.meaning for rule in rules}
    assert meanings - {""} == set(ACTIONS) | BINARY | LEAVES
    assert all(rule.size == 1 for rule in rules if rule.meaning in LEAVES | {""})
    assert all(rule.size == 3 for rule in rules if rule.meaning in BINARY)
