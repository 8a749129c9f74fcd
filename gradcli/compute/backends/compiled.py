"""A program as a Python function of numbers, compiled from `ast` nodes: a tenth of the time of the scalar kernel.

The nodes are made here: assignments to numbered names, constants, and calls of kernels bound in the function's
globals. No text is made or parsed, and no word of a user becomes a name. The function has no state, so that threads
share it. Its numbers are those of the scalar engine, bit for bit but for the sign of nan.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from gradcli.compute.backends import nodes, scalar
from gradcli.compute.program import Program, Step

_GENERIC: dict[str, Any] = {"type_params": []} if sys.version_info >= (3, 12) else {}
STEPS_LIMIT = 20_000
"""Steps up to which a program is compiled, each in 10 us and 7 kB of memory for a while."""

_BINARY: dict[str, ast.operator] = {
    "add": ast.Add(), "sub": ast.Sub(), "mul": ast.Mult(), "div": ast.Div(), "mod": ast.Mod(),
    "and": ast.BitAnd(), "or": ast.BitOr(),
}  # fmt: skip
_COMPARED: dict[str, ast.cmpop] = {
    "lt": ast.Lt(), "le": ast.LtE(), "gt": ast.Gt(), "ge": ast.GtE(), "eq": ast.Eq(), "ne": ast.NotEq(),
}  # fmt: skip
_RAISING: dict[str, Callable[..., float]] = {
    "power": math.pow, "atanh": math.atanh, "fmod": math.fmod,
    **{
        name: getattr(math, name)
        for name in ("sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin",
                     "acos", "sinh", "cosh", "acosh")
    },
}  # fmt: skip
"""Kernels without their guards: where one raises an exception, the kernel with guards computes the whole point."""


@dataclass(frozen=True)
class Matrix:
    """Outputs returned as an array of ``shape``, whose elements in C order are the outputs ``places``."""

    shape: tuple[int, ...]
    places: tuple[int, ...]


Layout = int | Matrix | tuple["int | Matrix", ...]
"""What a compiled function returns: the number of an output, an array of several, or a tuple of these."""


def compiled(
    program: Program, names: Sequence[str], layout: Layout, otherwise: Callable[..., Any], mask: int | None = None,
    checked: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """A function of the values of the variables ``names``, as positional arguments, that returns ``layout``.

    It returns ``otherwise(*arguments)`` instead where an argument is not exactly a float, where a kernel raises an
    exception, where the output ``mask`` is not 0, and, if ``checked``, where an output is not finite.
    """
    build = Steps(program, names)
    shown = sorted({*_places(layout)})
    # Outputs add constants to the bindings when they are read.
    bindings = build.bindings
    bindings |= {"otherwise": otherwise, "float": float}
    if any(isinstance(part, Matrix) for part in (layout if isinstance(layout, tuple) else (layout,))):
        import numpy as np

        bindings |= {"empty": np.empty, "array": np.array}
    arguments = [load(f"a{k}") for k in range(len(names))]
    # The kernels raise ValueError, OverflowError and ZeroDivisionError, the last two of which are ArithmeticErrors.
    bindings["raised"] = (ArithmeticError, ValueError)
    instead = nodes.Return(call("otherwise", arguments))
    body: list[ast.stmt] = [
        nodes.Try(build.body, [nodes.ExceptHandler(load("raised"), None, [instead])], [], [])
    ] if build.body else []  # fmt: skip
    conditions: list[ast.expr] = []
    if checked and shown:
        total = build.output(shown[0])
        for n, k in enumerate(shown[1:], 1):
            total = nodes.BinOp(total, ast.Add(), build.output(k))
            if n % _NESTED == 0:
                body.append(assign("s", total))
                total = load("s")
        body.append(assign("s", total))
        # Only the difference of finite numbers is 0; a sum that overflows is looked at again, and left as it is.
        same = nodes.BinOp(load("s"), ast.Sub(), load("s"))
        conditions.append(nodes.Compare(same, [ast.Eq()], [nodes.Constant(0.0)]))
    if mask is not None:
        conditions.append(nodes.Compare(build.output(mask), [ast.Eq()], [nodes.Constant(0.0)]))
    done = _returned(build, layout)
    body += [nodes.If(_all(conditions), done, [])] if conditions else done
    kinds = [nodes.Compare(nodes.Attribute(a, "__class__", ast.Load()), [ast.Is()], [load("float")]) for a in arguments]
    statements: list[ast.stmt] = [nodes.If(_all(kinds), body, [])] if kinds else body
    statements.append(nodes.Return(call("otherwise", arguments)))
    return defined([f"a{k}" for k in range(len(names))], statements, bindings)


def defined(parameters: Sequence[str], body: list[ast.stmt], bindings: dict[str, Any]) -> Callable[..., Any]:
    """The function of positional parameters with a body of statements, whose globals are ``bindings``."""
    arguments = ast.arguments([], [nodes.Argument(name) for name in parameters], None, [], [], None, [])
    function = nodes.FunctionDef("point", arguments, body, [], **_GENERIC)
    module = compile(ast.Module([function], []), "<expression>", "exec")
    code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    return FunctionType(code, bindings)


def _places(layout: Layout) -> list[int]:
    parts = layout if isinstance(layout, tuple) else (layout,)
    return [k for part in parts for k in (part.places if isinstance(part, Matrix) else (part,))]


def _returned(build: Steps, layout: Layout) -> list[ast.stmt]:
    statements: list[ast.stmt] = []

    def value(part: int | Matrix) -> ast.expr:
        if not isinstance(part, Matrix):
            return build.output(part)
        name = f"m{len(statements)}"
        values = [build.output(k) for k in part.places]
        if len(part.shape) == 1 and len(values) <= _FEW:
            # Storing few numbers one by one takes half the time of a conversion.
            statements.append(assign(name, call("empty", [nodes.Constant(part.shape[0])])))
            for k, v in enumerate(values):
                element = nodes.Subscript(load(name), nodes.Constant(k), ast.Store())
                statements.append(nodes.Assign([element], v))
            return load(name)
        array = call("array", [nodes.Tuple(values, ast.Load())])
        if len(part.shape) == 1:
            return array
        shape = nodes.Tuple([nodes.Constant(n) for n in part.shape], ast.Load())
        return nodes.Call(nodes.Attribute(array, "reshape", ast.Load()), [shape], [])

    result: ast.expr
    if isinstance(layout, tuple):
        result = nodes.Tuple([value(part) for part in layout], ast.Load())
    else:
        result = value(layout)
    return [*statements, nodes.Return(result)]


_NESTED = 16
"""Additions in one statement: the compiler walks nodes by recursion."""
_FEW = 6
"""Numbers of an array that are stored one by one."""


class Steps:
    """The statements that compute the steps of a program, and the kernels they call."""

    def __init__(self, program: Program, names: Sequence[str]) -> None:
        self.program = program
        first = len(program.constants)
        self.constants = program.constants
        self.inputs = {first + i: f"a{names.index(name)}" for i, (name, _) in enumerate(program.inputs)}
        self.registers = first + len(program.inputs)
        self.bindings: dict[str, Any] = {"__builtins__": {}}
        self.body: list[ast.stmt] = []
        self._kernels: dict[tuple[str, int | None], str] = {}
        for stratum in program.strata:
            for step in stratum.steps:
                self.body.append(assign(f"r{step.out}", self.value(step)))

    def kernel(self, step: Step) -> Callable[..., Any]:
        """The kernel that a call of a step calls."""
        return _RAISING.get(step.function) or scalar.step_function(step)

    def output(self, place: int) -> ast.expr:
        """An output as a float: a Boolean register holds True or False."""
        slot = self.program.outputs[place]
        read = self.slot(slot)
        if slot >= self.registers and self.program.registers[slot - self.registers].boolean:
            return nodes.IfExp(read, nodes.Constant(1.0), nodes.Constant(0.0))
        return read

    def slot(self, slot: int) -> ast.expr:
        if slot < len(self.constants):
            return self.constant(slot)
        return load(self.inputs.get(slot, f"r{slot}"))

    def constant(self, slot: int) -> ast.expr:
        # The compiler folds operations on constants, which may raise no exception then: infinities are bound by name.
        name = f"c{slot}"
        self.bindings[name] = self.constants[slot]
        return load(name) if not math.isfinite(self.constants[slot]) else nodes.Constant(self.constants[slot])

    def value(self, step: Step) -> ast.expr:
        name = step.function
        ins = [self.slot(slot) for slot in step.ins]
        if name in _BINARY:
            return nodes.BinOp(ins[0], _BINARY[name], ins[1])
        if name in _COMPARED:
            return nodes.Compare(ins[0], [_COMPARED[name]], [ins[1]])
        if name == "neg":
            return nodes.UnaryOp(ast.USub(), ins[0])
        if name == "where":
            return nodes.IfExp(ins[0], ins[1], ins[2])
        if name == "defined":
            return nodes.IfExp(nodes.Compare(ins[0], [ast.Eq()], [ins[0]]), ins[1], self._nan())
        return call(self.bound(step), ins)

    def _nan(self) -> ast.expr:
        self.bindings["nan"] = math.nan
        return load("nan")

    def bound(self, step: Step) -> str:
        key = step.function, step.value
        if key not in self._kernels:
            self._kernels[key] = f"k{len(self._kernels)}"
            self.bindings[self._kernels[key]] = self.kernel(step)
        return self._kernels[key]


def load(name: str) -> ast.expr:
    return nodes.Name(name, ast.Load())


def assign(name: str, value: ast.expr) -> ast.stmt:
    return nodes.Assign([nodes.Name(name, ast.Store())], value)


def call(name: str, arguments: Sequence[ast.expr]) -> ast.expr:
    return nodes.Call(load(name), list(arguments), [])


def _all(conditions: Sequence[ast.expr]) -> ast.expr:
    return conditions[0] if len(conditions) == 1 else nodes.BoolOp(ast.And(), list(conditions))
