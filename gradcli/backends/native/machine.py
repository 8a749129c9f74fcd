"""The processor and the C library, through llvmlite: text of LLVM's language in, addresses of functions out.

Must not know programs or mathematics.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache, partial
from threading import RLock
from typing import Any

from gradcli.backends.native import store
from gradcli.errors import GradError, missing
from gradcli.memory import lacking
from gradcli.threads import apart

_LIBRARIES = {
    "linux": ("libm.so.6", "libmvec.so.1"), "darwin": ("libSystem.dylib",), "win32": ("ucrtbase.dll",),
}  # fmt: skip
_LLVM = (20,)
"""The first version that reads our texts."""
_LETTERS = {("x86_64", 8): "e", ("x86_64", 4): "d", ("x86_64", 2): "b", ("aarch64", 2): "n"}
"""How the C library's vector functions are called after the processor and the lanes (the vector function ABI)."""


class Machine:
    """``lanes``: doubles in a register; ``fma``: whether it multiplies and adds with one rounding; ``attributes`` of
    every function, which let it use whole registers.
    """

    def __init__(self, llvm: Any) -> None:
        self._llvm = llvm
        # llvmlite's own, held in every call into LLVM.
        self._lock: Any = getattr(getattr(llvm.ffi.lib, "_lock", None), "_lock", None) or RLock()
        if hasattr(os, "register_at_fork"):
            # A fork waits for the call in progress: half of what it does would be of no use to the child.
            release = self._lock.release
            os.register_at_fork(before=self._lock.acquire, after_in_parent=release, after_in_child=release)
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        triple = llvm.get_process_triple()
        features = llvm.get_host_cpu_features()
        self.processor = triple.partition("-")[0].replace("amd64", "x86_64").replace("arm64", "aarch64")
        has = features.get
        self.avx512 = bool(has("avx512f") and has("avx512dq") and has("avx512vl"))
        wide = bool(has("avx2") and has("fma"))
        self.lanes = 8 if self.avx512 else 4 if wide else 2
        width = 64 * self.lanes
        self.attributes = f'nounwind "prefer-vector-width"="{width}" "min-legal-vector-width"="{width}"'
        self.fma = self.avx512 or wide or self.processor == "aarch64"
        self._make_target = partial(
            llvm.Target.from_triple(triple).create_target_machine, cpu=llvm.get_host_cpu_name(),
            features=features.flatten(), opt=2, jit=True, codemodel="small", reloc="pic",
        )  # fmt: skip
        self._target = self._make_target()
        version = ".".join(map(str, llvm.llvm_version_info))
        self._known_as = f"{version} {triple} {llvm.get_host_cpu_name()} {features.flatten()}"
        self._libraries = []
        for name in _LIBRARIES.get(sys.platform, ()):
            try:
                self._libraries.append(ctypes.CDLL(name))
            except OSError:
                continue
        self._libraries.append(ctypes.CDLL(None) if sys.platform != "win32" else ctypes.cdll.msvcrt)

    @cache  # noqa: B019 (there is one machine, which lives as long as the process)
    def library(self, name: str) -> bool:
        """Whether the C library has a function; it can then be called by that name."""
        for library in self._libraries:
            try:
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            except AttributeError:
                continue
            self._llvm.add_symbol(name, address)
            return True
        return False

    def vectors(self, name: str, arity: int) -> str | None:
        """The C library's function of whole registers, by its name there, or None."""
        letter = _LETTERS.get((self.processor, self.lanes))
        found = f"_ZGV{letter}N{self.lanes}{'v' * arity}_{name}"
        return found if letter and self.library(found) else None

    def compile(self, text: str) -> Code:
        """Machine code for a module; what is compiled lives as long as the result."""
        llvm = self._llvm
        name = store.key(text, self._known_as)
        code = store.load(name)
        if code is None:
            code = self._emitted(text)
            store.save(name, code)
        # An engine owns its target, and takes it along when it goes.
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._make_target())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return Code(engine)

    def _emitted(self, text: str) -> bytes:
        """Compiled in a thread of its own: this one can still be told to end, which no call into LLVM can.

        Not where this thread is in a call into LLVM already, and a signal's handler or a finalizer wants another: the
        two would wait for each other.
        """

        def emit() -> bytes:
            found: bytes = self._target.emit_object(self._llvm.parse_assembly(text))
            return found

        return emit() if self._lock._is_owned() else apart(emit)


class Code:
    """Compiled functions, by name."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def function(self, name: str) -> Callable[[int, int], None]:
        """A function of two addresses. It lets other threads run."""
        found = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(self._engine.get_function_address(name))
        found.code = self  # type: ignore[attr-defined]
        return found


@cache
def machine() -> Machine:
    """This machine. Raises GradError where llvmlite is not installed or cannot serve it."""
    try:
        import llvmlite.binding as llvm

        if llvm.llvm_version_info < _LLVM:
            raise GradError(
                f"the native engine needs llvmlite 0.45 or later, which is here with LLVM {llvm.llvm_version_info[0]}",
                hint="pip install --upgrade 'gradcli[native]'",
            )
        return Machine(llvm)
    except ImportError as error:
        if not missing(error, "llvmlite"):
            raise
        raise GradError(
            "the native engine needs llvmlite, which is not installed", hint="pip install 'gradcli[native]'"
        ) from None
    except GradError:
        raise
    except Exception as error:  # whatever a broken installation raises
        if lacking(error):
            raise MemoryError from error
        why = str(error).partition(". ")[0]
        raise GradError(f"llvmlite does not serve this machine: {why}", hint="use --engine vector") from None
