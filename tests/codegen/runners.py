"""The languages' own tools: each runs texts at points and gives their numbers back."""

import atexit
import csv
import functools
import getpass
import io
import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tools import need

# Tools: each takes (text, variables, points, count of results) for many texts, and gives rows of results for each.


def output_of(*command, text=None, cwd=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return done.stdout


def numbers(text, jobs):
    """Rows of printed numbers, dealt out to the jobs."""
    rows = iter(text.splitlines())
    return [[[float(cell) for cell in next(rows).split()] for _ in points] for _, _, points, _ in jobs]


def run_python(jobs, tmp, arrays=False):
    for k, (text, *_) in enumerate(jobs):
        (tmp / f"m{k}.py").write_text(text)
    given = [[list(p.values()) for p in points] for _, _, points, _ in jobs]
    call = (
        "list(zip(*[np.broadcast_to(r, len(rows)).tolist() for r in f(*map(np.array, zip(*rows)))]))"
        if arrays
        else ("[f(*row) for row in rows]")
    )
    script = f"""
import importlib, json, sys
{"import numpy as np" if arrays else ""}
for k, rows in enumerate(json.load(sys.stdin)):
    f = importlib.import_module(f"m{{k}}").f
    for row in {call}:
        print(*map(float, row))
"""
    (tmp / "main.py").write_text(script)
    return numbers(output_of(sys.executable, "-W", "error", "main.py", text=json.dumps(given), cwd=tmp), jobs)


def run_numpy(jobs, tmp):
    pytest.importorskip("scipy")
    return run_python(jobs, tmp, arrays=True)


def cell(x):
    return repr(float(x))


def run_c(jobs, tmp, compiler=("cc", "-std=c99", "-O1", "-ffp-contract=off", "-pedantic")):
    need("cc")
    calls = []
    for k, (text, variables, points, count) in enumerate(jobs):
        (tmp / f"m{k}.c").write_text(f"#define f f{k}\n{text}")
        calls.append(f"    {{ void f{k}({', '.join(['double'] * len(variables) + ['double *'])}); double r[{count}];")
        for p in points:
            calls.append(f"    f{k}({', '.join([*map(cell, p.values()), 'r'])}); show(r, {count});")
        calls.append("    }")
    shown = 'static void show(double *r, int n) { for (int i = 0; i < n; i++) printf("%.17g ", r[i]); puts(""); }'
    (tmp / "main.c").write_text(
        f"#include <stdio.h>\n#include <math.h>\n{shown}\nint main(void) {{\n" + "\n".join(calls) + "\nreturn 0; }\n"
    )
    # The optimizer takes its time over thousands of lines.
    plain = ["-O0"] if max(len(text) for text, *_ in jobs) > 100_000 else []
    output_of(*compiler, *plain, *[f"m{k}.c" for k in range(len(jobs))], "main.c", "-o", "main", "-lm", cwd=tmp)
    return numbers(output_of("./main", cwd=tmp), jobs)


def run_rust(jobs, tmp):
    need("rustc")
    parts = []
    calls = []
    for k, (text, _, points, _) in enumerate(jobs):
        parts.append(f"mod m{k} {{\n{text}}}\n")
        calls += [f"show(&m{k}::f({', '.join(f'{cell(v)}' for v in p.values())}));" for p in points]
    show = 'fn show(r: &[f64]) { for v in r { print!("{:e} ", v); } println!(); }\n'
    (tmp / "main.rs").write_text("".join(parts) + show + "fn main() {\n" + "\n".join(calls) + "\n}\n")
    output_of("rustc", "-A", "warnings", "--edition", "2021", "main.rs", cwd=tmp)
    return numbers(output_of("./main", cwd=tmp), jobs)


def run_julia(jobs, tmp):
    need("julia")
    parts, calls = [], []
    for k, (text, _, points, _) in enumerate(jobs):
        parts.append(f"module M{k}\n{text}end\n")
        calls += [f'println(join(M{k}.f({", ".join(map(cell, p.values()))}), " "))\n' for p in points]
    (tmp / "main.jl").write_text("".join([*parts, *calls]))
    return numbers(output_of("julia", "--startup-file=no", "main.jl", cwd=tmp), jobs)


def run_fortran(jobs, tmp):
    need("gfortran")
    parts, uses, calls = [], [], []
    for k, (text, _, points, count) in enumerate(jobs):
        assert all(len(line) <= 132 for line in text.split("\n") if not line.startswith("!"))
        parts.append(text.replace("module derivatives", f"module m{k}"))
        uses.append(f"  use m{k}, only: f{k} => f")
        for p in points:
            given = ", &\n".join([*[f"{cell(v)}_8" for v in p.values()], f"r(1:{count})"])
            calls.append(f"  call f{k}({given})\n  print '(1000es25.16e3)', r(1:{count})")
    main = "\n".join(["program main", *uses, "  real(8) :: r(100)", *calls, "end program"])
    (tmp / "main.f90").write_text("\n".join([*parts, main]) + "\n")
    flags = ("-std=f2008", "-ffp-contract=off", "-Werror=conversion")
    output_of("gfortran", *flags, "main.f90", "-o", "main", cwd=tmp)
    return numbers(output_of("./main", cwd=tmp), jobs)


def run_javascript(jobs, tmp):
    need("node")
    given = [[text, [list(p.values()) for p in points]] for text, _, points, _ in jobs]
    (tmp / "main.js").write_text(f"""
for (const [text, rows] of {json.dumps(given)}) {{
  const f = new Function('"use strict";' + text + "; return f;")();
  const shown = (v) => Object.is(v, -0) ? "-0" : String(v).replace("inity", "");
  for (const row of rows) console.log(f(...row).map(shown).join(" "));
}}
""")
    return numbers(output_of("node", "main.js", cwd=tmp), jobs)


def by_process(command, spell, read):
    """A runner for tools that take one text and rows of points."""

    def run(jobs, tmp):
        need(command[0])
        found = []
        for text, variables, points, _ in jobs:
            (tmp / "program").write_text(text)
            found.append(read(output_of(*command, "program", text=spell(variables, points), cwd=tmp)))
        return found

    return run


def spell_fields(variables, points):
    return "".join(" ".join(cell(v) for v in p.values()) + "\n" for p in points)


def spell_objects(variables, points):
    return "".join(json.dumps({k: None if v != v else v for k, v in p.items()}) + "\n" for p in points)


def read_fields(text):
    return [[float(v) for v in line.split()] for line in text.splitlines()]


def read_objects(text):
    return [[number(v) for v in json.loads(line).values()] for line in text.splitlines()]


def number(v):
    return math.nan if v is None else float(v)


def run_miller(jobs, tmp):
    need("mlr")
    found = []
    for text, variables, points, count in jobs:
        (tmp / "program").write_text(text)
        rows = io.StringIO()
        csv.writer(rows, lineterminator="\n").writerows([variables or ["unused"], *[p.values() or [0] for p in points]])
        rows = output_of(
            "mlr",
            "--icsv",
            "--ocsv",
            "--headerless-csv-output",
            "put",
            "-f",
            "program",
            text=rows.getvalue(),
            cwd=tmp,
        )
        found.append([[float(v) for v in line.split(",")[-count:]] for line in rows.splitlines()])
    return found


def run_query(execute, jobs, kind):
    found = []
    for text, variables, points, _ in jobs:
        columns = ", ".join('"' + v.replace('"', '""') + f'" {kind}' for v in variables)
        execute("DROP TABLE IF EXISTS points")
        execute(f"CREATE TABLE points ({columns or 'unused ' + kind})")
        for p in points:
            values = [float(v) for v in p.values()] or [0.0]
            execute(f"INSERT INTO points VALUES ({', '.join('?' * len(values))})", values)
        found.append([[number(v) for v in row] for row in execute(text).fetchall()])
    return found


def run_sqlite(jobs, tmp):
    base = sqlite3.connect(":memory:")
    try:
        base.execute("SELECT ln(1), sqrt(2)")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no mathematics")
    try:
        return run_query(base.execute, jobs, "REAL")
    finally:
        base.close()


def run_duckdb(jobs, tmp):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as base:
        return run_query(base.execute, jobs, "DOUBLE")


def postgres_tools():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("PostgreSQL is not here")
    need("psql")
    return found[-1]


@functools.cache
def postgres():
    """The command that talks to a server of its own, over a socket in its own folder; it refuses to run as root."""
    tools = postgres_tools()
    folder = tempfile.mkdtemp()
    lower, user = [], getpass.getuser()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        lower, user = ["runuser", "-u", "postgres", "--"], "postgres"
    server = [*lower, f"{tools}/pg_ctl", "-D", f"{folder}/d", "-w", "-l", f"{folder}/log"]
    output_of(*lower, f"{tools}/initdb", "-D", f"{folder}/d", "-A", "trust", "-N", "-U", user, cwd="/")
    output_of(*server, "-o", f"-k {folder} -c listen_addresses=", "start", cwd="/")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(output_of, *server, "-m", "immediate", "stop", cwd="/")
    psql = ["psql", "-h", folder, "-U", user, "-d", "postgres", "-qAtF ", "-v", "ON_ERROR_STOP=1"]
    return [*lower, *psql]


def run_postgres(jobs, tmp):
    parts = ["SET client_min_messages = error;"]
    for text, variables, points, _ in jobs:
        columns = ", ".join('"' + v.replace('"', '""') + '" float8' for v in variables) or "unused float8"
        rows = ", ".join(f"({', '.join(quoted_cell(v) for v in p.values()) or '0'})" for p in points)
        parts.append(f"DROP TABLE IF EXISTS points; CREATE TABLE points ({columns});")
        parts.append(f"INSERT INTO points VALUES {rows};\n{text}")
    return numbers(output_of(*postgres(), text="\n".join(parts), cwd="/"), jobs)


def quoted_cell(x):
    return f"'{float(x)!r}'"


RUN = {
    "python": run_python, "numpy": run_numpy, "c": run_c, "rust": run_rust, "fortran": run_fortran,
    "julia": run_julia,
    "javascript": run_javascript, "sqlite": run_sqlite, "duckdb": run_duckdb, "mlr": run_miller, "sql": run_postgres,
    "jq": by_process(["jq", "-c", "-f"], spell_objects, read_objects),
    "gawk": by_process(["gawk", "-f"], spell_fields, read_fields),
    "mawk": by_process(["mawk", "-f"], spell_fields, read_fields),
    "original-awk": by_process(["original-awk", "-f"], spell_fields, read_fields),
    "busybox-awk": by_process(["busybox", "awk", "-f"], spell_fields, read_fields),
}  # fmt: skip


def run(tool, jobs, tmp):
    return RUN[tool](jobs, tmp)


def language_of(tool):
    return "awk" if tool.endswith("awk") else tool


SEEN = ("mlr", "sql", "duckdb", "sqlite")
"""Those that write the names of columns as they are, and so refuse what cannot be seen."""
