"""What a folder of parts holds: its plan, the records beside the parts, and the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.errors import GradError
from gradcli.parts.part import RECORD, stands
from gradcli.parts.plan import PART, Part, Plan, plan_of
from gradcli.storage.folder import Folder, folder
from gradcli.storage.manifest import MANIFEST, PLAN, dumps, loads

BATCH = 1000
"""Records that are read at a time."""


class Ledger:
    """The state of a folder of parts when it was opened; ``sizes`` are those of its files.

    ``plan``: that of the run which began it last, None if there is none.
    """

    def __init__(self, path: str) -> None:
        self.folder: Folder = folder(path)
        self.path = path
        try:
            self.sizes = self.folder.listing()
            self.plan = plan_of(loads(self.folder.read(PLAN))) if PLAN in self.sizes else None
        except OSError as error:
            raise failed(path, error) from None
        self._entries: list[dict[str, Any]] | None = None
        self.parts = {name for name in self.sizes if PART.fullmatch(name)}

    @property
    def foreign(self) -> list[str]:
        """The files that are no part, nor about parts; those whose name begins with a point are not looked at."""
        known = (PLAN, MANIFEST)
        return sorted(
            n for n, size in self.sizes.items()
            if n not in known and not n.startswith(".")
            and (size < 0 or not any(map(PART.fullmatch, (n, n.removesuffix(RECORD)))))
        )  # fmt: skip

    def begin(self) -> None:
        """Create the folder. Raise GradError if it holds anything else than parts."""
        if foreign := self.foreign:
            raise GradError(
                f"{self.path}: '{foreign[0]}' does not belong to a folder of parts",
                hint="give a folder of its own, new or empty",
            )
        self._done(self.folder.create)
        self._done(self.folder.clean)

    def records(self, parts: Sequence[Part]) -> dict[str, dict[str, Any]]:
        """The records of those of ``parts`` that stand, by name."""
        known = self.read_records(parts)
        return {p.name: known[p.name] for p in parts if stands(p, known.get(p.name), self.sizes.get(p.name))}

    def read_records(self, parts: Sequence[Part]) -> dict[str, dict[str, Any]]:
        """The records of ``parts`` by name, of those that have one."""
        there = [part for part in parts if part.name + RECORD in self.sizes]
        repeated = {str(entry.get("part")): entry for entry in self._manifest()}
        known = {part.name: repeated[part.name] for part in there if part.name in repeated}
        asked = [part for part in there if part.name not in known]
        for start in range(0, len(asked), BATCH):
            names = [part.name + RECORD for part in asked[start : start + BATCH]]
            for name, data in self._done(lambda names=names: self.folder.read_many(names)).items():
                if (told := loads(data)) is not None:
                    known[name.removesuffix(RECORD)] = told
        for told in known.values():
            told.pop("schema", None)
        return known

    def closed(self, plan: Plan) -> bool:
        """Whether the manifest is that of a plan, and no other parts are there."""
        keys = [(entry.get("part"), entry.get("key")) for entry in self._manifest()]
        return keys == [(part.name, part.key) for part in plan.parts] and len(self.parts) == len(plan.parts)

    def _manifest(self) -> list[dict[str, Any]]:
        """The records that the manifest repeats, so that they need not be read one by one."""
        if self._entries is None:
            told = loads(self._done(lambda: self.folder.read(MANIFEST))) if MANIFEST in self.sizes else None
            entries = told.get("parts") if told else None
            self._entries = [entry for entry in entries or () if isinstance(entry, dict)]
        return self._entries

    def write_plan(self, plan: Plan) -> None:
        """Write the plan if it is another than the one that is there."""
        old = self.plan
        if old is None or (old.asked, old.parts) != (plan.asked, plan.parts) or old.work.lasting != plan.work.lasting:
            self._write(PLAN, plan.told())

    def open_manifest(self) -> None:
        """Take the manifest away, since parts are about to change."""
        if MANIFEST in self.sizes:
            self._done(lambda: self.folder.remove(MANIFEST))

    def close(self, plan: Plan, records: dict[str, dict[str, Any]]) -> list[str]:
        """Write the manifest, and remove parts that the plan does not have; return their names."""
        stale = sorted(self.parts - {part.name for part in plan.parts})
        for name in stale:
            # The record first: a part without one is no part.
            self._done(lambda name=name: self.folder.remove(name + RECORD))
            self._done(lambda name=name: self.folder.remove(name))
        entries = [records[part.name] for part in plan.parts]
        total = {name: sum(entry[name] for entry in entries) for name in ("rows_in", "rows", "bytes")}
        self._write(MANIFEST, {**total, "columns": entries[0]["columns"], "parts": entries})
        return stale

    def _write(self, name: str, told: dict[str, Any]) -> None:
        def write() -> None:
            with self.folder.write(name) as out:
                out(dumps(told))

        self._done(write)

    def _done(self, work: Any) -> Any:
        try:
            return work()
        except OSError as error:
            raise failed(self.path, error) from None


def failed(path: str, error: OSError) -> GradError:
    """Return the error for a folder that cannot be read or written."""
    return GradError(f"{path}: {error.strerror or error}", exit_code=3)
