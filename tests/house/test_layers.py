"""The house's rules that a reader cannot check at a glance: who may import whom, and through which door."""

import ast
from pathlib import Path

from layers import LINES

import gradcli

ROOT = Path(gradcli.__file__).parent
FLOOR = {name: floor for floor, names in enumerate(LINES) for name in names}
DOORS = {
    "lark": {"language.tables"},
    "click": {"cli"},
    "numpy": {"compute", "formats", "job", "verify", "autograd"},
    "scipy": {"compute.backends.special"},
    "orjson": {"formats", "cli.check_report", "cli.explain"},
    "pyarrow": {"formats.parquet", "formats.csv_arrow"},
    "zstandard": {"formats.compression"},
    "llvmlite": {"compute.backends.native.target"},
}
"""Outside libraries, each behind its door (numpy's rooms are those that hold arrays)."""

FREE = {"_tables", "__init__"}
"""The parser's tables as a build writes them; the package's own file holds public names."""


def files() -> dict[str, ast.Module]:
    """Every file by its name below the package; a folder's `__init__` has the folder's."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = ast.parse(path.read_text())
    return found


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
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, name
        assert not imports(tree) & {"pickle", "marshal", "subprocess", "shelve"}, name
