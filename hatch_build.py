"""What hatchling runs to build a wheel: the parser's tables become gradcli/_tables.py, in the wheel alone."""

import os
import subprocess
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CHECK = """
import json, sys
root, folder = sys.argv[1:]
sys.path.insert(0, root)
sys.modules["lark"] = None
import gradcli
gradcli.__path__.insert(0, folder)
from gradcli.expr import text
from gradcli.parse import parse
with open(root + "/grammar/accept.jsonl", encoding="utf-8") as file:
    for case in map(json.loads, file):
        found = [text(e) for _, e in parse(case["text"]).outputs]
        wanted = [text(e) for _, e in parse(case["same"]).outputs] if "same" in case else [*case["outputs"].values()]
        if found != wanted:
            sys.exit(f"{case['text']!r} is read as {found}, and should be {wanted}")
"""
"""Reads all of grammar/accept.jsonl by the tables in ``folder`` alone: without Lark no others can be made."""


def check(root: str, folder: str) -> None:
    """Use the _tables.py of a folder as an installation would, in another process. Raises RuntimeError if it fails."""
    command = [sys.executable, "-I", "-B", "-c", CHECK, root, folder]  # -B: nothing is written into the source tree
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        raise RuntimeError(f"the parser's tables, as written, do not read grammar/accept.jsonl:\n{done.stderr}")


class WriteTables(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from gradcli import tables

        with open(os.path.join(self.root, "grammar", tables.GRAMMAR), encoding="utf-8") as file:
            text = tables.source(file.read())
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "_tables.py")
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        check(self.root, self.folder.name)
        build_data["force_include"][path] = "gradcli/_tables.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()
