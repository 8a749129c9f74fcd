"""The house's rules that a reader cannot check at a glance: who may import whom, and through which door."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from command import environment
from layers import LINES

import gradcli

pytestmark = pytest.mark.quick

ROOT = Path(gradcli.__file__).parent
FLOOR = {name: floor for floor, names in enumerate(LINES) for name in names}
DOORS = {
    "lark": {"language.tables"},
    "click": {"cli"},
    "numpy": {"compute", "formats", "job", "verify", "autograd", "callables", "plot", "uncertainty"},
    "scipy": {"compute.backends.special"},
    "orjson": {"formats", "cli.check_report", "cli.explain"},
    "pyarrow": {"formats.parquet_read", "formats.csv_arrow", "callables.frame_kinds"},
    "narwhals": {"callables.frame_kinds"},
    "zstandard": {"formats.compression"},
    "llvmlite": {"compute.backends.native.llvm"},
    "flint": {"truth"},
    "matplotlib": {"plot.raster"},
    "fsspec": {"storage.remote"},
    "distributed": {"parts.cluster"},
    "subprocess": {"parts.pool"},
}
"""Outside libraries, each behind its door (numpy's rooms are those that hold arrays), and what starts processes."""

FREE = {"_tables", "__init__"}
"""The parser's tables as a build writes them; the package's own file holds public names."""


LONG = {
    "cli.options": "a table: a row per option",
    "functions.elementary": "a table: a row per function",
    "functions.special": "a table: a row per function",
}
"""The files of more than 300 lines, and why. The list may only get shorter."""

STATE = {
    "autograd.graph:_serials": "the order in which nodes of the tape are made; a count is atomic",
    "expr.node:_pauses": "how many ask the garbage collector to rest",
    "expr.node:_table": "expressions that are equal are one object",
    "expr.printing:FORMS": "the function table's textbook forms, written by its rows",
    "expr.printing:KINKS": "the function table's kinks, written by its rows",
    "expr.printing:WORDS_OF": "the function table's words, written by its rows",
    "functions.row:SPELLED": "the function table by every spelling",
    "functions.row:TABLE": "the function table",
    "limits.work:_budget": "what is left to each thread of the work a call may do",
    "truth.balls:LOCK": "flint has one precision for all threads",
}
"""What a module holds that changes, and why it is no harm."""

CHANGES = {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "move_to_end", "pop", "popitem",
           "remove", "setdefault", "update"}  # fmt: skip
CHANGING = {"Condition", "Event", "Lock", "RLock", "bytearray", "count", "defaultdict", "deque", "dict", "iter", "list",
            "local", "set", "WeakKeyDictionary", "WeakSet", "WeakValueDictionary"}  # fmt: skip
"""Methods that change what they are called on, and classes whose instances change, made without arguments."""

FIRST, MORE = 44, 18
"""Files that a single point loaded before the rooms were split, and how many more it may: 0.3 ms each."""


@cache
def files() -> dict[str, ast.Module]:
    """Every file by its name below the package; a folder's `__init__` has the folder's."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = ast.parse(path.read_text())
    return found


@cache
def imports(tree: ast.Module) -> set[str]:
    """What a file imports when it runs, inside functions too; what only a type checker imports is left out."""
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def graph() -> dict[str, set[str]]:
    """The files of the package that each file imports."""
    trees = files()
    found: dict[str, set[str]] = {name: set() for name in trees}
    for name, tree in trees.items():
        for module in imports(tree):
            target = module.removeprefix("gradcli.")
            while target and target not in trees:
                target = target.rpartition(".")[0]
            if module.startswith("gradcli.") and target not in ("", "__init__"):
                found[name].add(target)
    return found


def room(name: str) -> str:
    return name.partition(".")[0]


def test_every_room_has_its_line():
    assert {room(name) for name in files()} - FREE == FLOOR.keys()


def test_imports_only_go_up_the_lines():
    wrong = [
        (name, target)
        for name, targets in graph().items()
        for target in targets
        if not {room(name), room(target)} & FREE
        and room(name) != room(target)
        and FLOOR[room(target)] >= FLOOR[room(name)]
    ]
    assert not wrong


def test_no_circle_among_files():
    arrows = graph()

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        stack = [start]
        while stack:
            for target in arrows[stack.pop()] - seen:
                seen.add(target)
                stack.append(target)
        return seen

    reach = {name: reached(name) for name in arrows}
    circles = {frozenset(n for n in reach[name] if name in reach[n]) for name in arrows if name in reach[name]}
    assert not circles


def test_one_door_per_library():
    wrong = []
    for name, tree in files().items():
        for module in imports(tree):
            doors = DOORS.get(room(module))
            if doors is not None and not any(name == door or name.startswith(f"{door}.") for door in doors):
                wrong.append((name, module))
    assert not wrong


def test_nothing_evaluates_text_or_unpickles():
    for name, tree in files().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if (name, node.func.id) == ("compute.backends.compiled", "compile"):
                    # A tree of nodes that are made there, and no text.
                    assert isinstance(node.args[0], ast.Call) and ast.unparse(node.args[0].func) == "ast.Module"
                    continue
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, name
        assert not imports(tree) & {"pickle", "marshal", "shelve"}, name


def named(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def test_an_init_has_code_or_names_for_others():
    """Where a file of the folder imports it: it would get half of a module else."""
    trees, arrows = files(), graph()
    wrong = []
    for name, tree in trees.items():
        inside = f"{name}."
        needed = any(name in targets for other, targets in arrows.items() if other.startswith(inside))
        code = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
        listed = [s for s in tree.body if "__all__" in named(s) and isinstance(s, ast.Assign)]
        own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        again = any(set(ast.literal_eval(s.value)) - own for s in listed)
        if needed and code and again:
            wrong.append(name)
    assert not wrong


def test_no_file_is_long():
    long = {name for name in files() if len(path_of(name).read_text().splitlines()) > 300}
    assert long == LONG.keys()


def path_of(name: str) -> Path:
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def fills(value: ast.AST | None, classes: set[str]) -> bool:
    """Whether an expression makes something that is empty, to be filled, or that is of a class that changes."""
    if isinstance(value, ast.Call) and not value.args:
        return ast.unparse(value.func).rpartition(".")[2] in CHANGING | classes
    return isinstance(value, ast.Dict | ast.List) and not ast.unparse(value).strip("{}[]")


def changing(tree: ast.Module) -> set[str]:
    """The names of a module whose values change while it is used: made to be filled, or changed by a function."""
    top, found, classes = set(), set(), set()
    for node in tree.body:
        top |= named(node)
        if fills(getattr(node, "value", None), classes):
            found |= named(node)
        if isinstance(node, ast.ClassDef):
            parents = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            values = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Assign | ast.AnnAssign)]
            if parents & (CHANGING | classes) or any(fills(value, classes) for value in values):
                classes.add(node.name)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        local = {argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)}
        inner = list(ast.walk(function))
        local |= {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        for node in inner:
            if isinstance(node, ast.Global):
                found |= set(node.names)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
                found |= {node.func.value.id} & (top - local) if isinstance(node.func.value, ast.Name) else set()
            elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                found |= {node.value.id} & (top - local) if isinstance(node.value, ast.Name) else set()
    return found


def test_modules_hold_nothing_that_changes():
    found = {f"{name}:{state}" for name, tree in files().items() if name not in FREE for state in changing(tree)}
    assert found == STATE.keys()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("A = {}", {"A"}),
        ("A: list[int] = []", {"A"}),
        ("A = [1]\ndef f():\n    A.append(2)", {"A"}),
        ("A = [1]\ndef f():\n    A = []\n    A.append(2)", set()),
        ("A = {1: 2}\ndef f(k):\n    A[k] = 3", {"A"}),
        ("A = 0\ndef f():\n    global A\n    A += 1", {"A"}),
        ("class B:\n    def __init__(self):\n        self.held = {}\nA = B()", {"A"}),
        ("class B: pass\nA = B()", set()),
        ("A = threading.local()", {"A"}),
        ("A = {1: 2}\ndef f(k):\n    return A[k]", set()),
    ],
)
def test_what_changes_is_seen(source: str, names: set[str]):
    assert changing(ast.parse(source)) == names


def test_every_folder_of_tests_has_a_quick_one():
    tests = Path(__file__).parents[1]
    folders = {path.parent.name for path in tests.rglob("test_*.py")}
    assert {p.parent.name for p in tests.rglob("test_*.py") if "\n@pytest.mark.quick" in (t := p.read_text())
            or "\npytestmark = pytest.mark.quick\n" in t} == folders  # fmt: skip


def test_no_room_bears_the_name_of_a_public_function():
    """Importing the room would replace the function."""
    assert not {room(name) for name in files()} & {*gradcli.__all__, "function", "check", "propagate"}


def test_a_point_loads_few_files():
    code = (
        "import sys; from gradcli.cli import run; run(sys.argv[1:]); "
        "print(*[n for n, m in sys.modules.items() if n.startswith('gradcli') and getattr(m, '__file__', None)])"
    )
    words = [sys.executable, "-P", "-c", code, "diff", "x**2", "--at", "x=3"]
    out = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True).stdout
    loaded = set(out.splitlines()[-1].split()) - {"gradcli._tables"}
    assert {"gradcli", "gradcli.cli.diff", "gradcli.compute.backends.scalar"} <= loaded
    assert len(loaded) <= FIRST + MORE
