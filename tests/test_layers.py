"""The house's rules that a reader cannot check at a glance: who may import whom, and through which door."""

import ast
from pathlib import Path

import gradcli

ROOT = Path(gradcli.__file__).parent
LINES = [
    ["errors"],
    ["work"],
    ["expr", "memory", "cycles", "threads"],
    ["functions"],
    ["parse", "forward", "reverse"],
    ["derive", "levels", "rounding", "simplify"],
    ["notation"],
    ["program"],
    ["backends.special", "backends.erf"],
    ["backends.scalar", "backends.vector"],
    ["languages", "explain"],
    ["backends.native.store"],
    ["backends.native.machine"],
    ["backends.native.emit"],
    ["backends.native.mathematics"],
    ["backends.native.loops"],
    ["backends.native.parts"],
    ["backends.native"],
    ["grid"],
    ["spread", "formats", "totals"],
    ["job"],
    ["check"],
    ["tensor", "cli"],
    ["__main__"],
]
"""From the ground up; names on one line never import each other."""

FLOOR = {name: floor for floor, names in enumerate(LINES) for name in names}
DOORS = {
    "lark": {"tables"},
    "click": {"cli"},
    "numpy": {
        "backends.vector",
        "backends.special",
        "backends.erf",
        "backends.native",
        "grid",
        "spread",
        "totals",
        "formats",
        "job",
        "check",
        "tensor",
    },
    "scipy": {"backends.special"},
    "orjson": {"formats", "cli.verdicts", "cli.explain"},
    "pyarrow": {"formats.parquet", "formats.arrow_rows"},
    "zstandard": {"formats.packed"},
    "llvmlite": {"backends.native.machine"},
}  # fmt: skip
"""Outside libraries, each behind its door (numpy's rooms are those that hold arrays)."""

FREE = {"tables", "_tables", "backends", "__init__"}
"""The table maker and its output serve parse alone; packages' own files hold no code."""


def rooms() -> dict[str, ast.Module]:
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor(room: str) -> int | None:
    """The floor of a room, or of the folder it is a part of."""
    while room:
        if room in FLOOR:
            return FLOOR[room]
        room = room.rpartition(".")[0]
    return None


def room_of(module: str) -> str | None:
    name = module.removeprefix("gradcli.")
    while name and name not in FLOOR and name.partition(".")[0] not in FLOOR:
        if name in FREE:
            return None
        name = name.rpartition(".")[0]
    return name or None


def test_every_room_has_its_floor():
    missing = [room for room in rooms() if floor(room) is None and room not in FREE]
    assert not missing


def test_imports_only_go_down():
    wrong = []
    for room, tree in rooms().items():
        here = floor(room)
        for module in imports(tree):
            if here is None or not module.startswith("gradcli."):
                continue
            target = room_of(module)
            there = floor(target) if target else None
            same_folder = (
                target is not None
                and target.partition(".")[0] == room.partition(".")[0]
                and "." not in (next(n for n in FLOOR if target == n or target.startswith(f"{n}.")))
            )
            if there is not None and there >= here and not same_folder:
                wrong.append((room, module))
    assert not wrong


def test_one_door_per_library():
    wrong = []
    for room, tree in rooms().items():
        for module in imports(tree):
            library = module.partition(".")[0]
            doors = DOORS.get(library)
            if doors is not None and room not in doors and room.partition(".")[0] not in doors:
                wrong.append((room, module))
    assert not wrong


def test_nothing_evaluates_text_or_unpickles():
    for room, tree in rooms().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, room
        assert not imports(tree) & {"pickle", "marshal", "subprocess", "shelve"}, room
