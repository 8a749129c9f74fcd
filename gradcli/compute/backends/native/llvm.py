"""The target of compilation, this processor and its C library, through llvmlite.

It compiles text in LLVM's intermediate representation to functions.
Layer: must not know programs or mathematics.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from threading import RLock
from typing import Any

from gradcli.compute.backends.native import cache
from gradcli.errors import GradError, optional
from gradcli.limits import memory
from gradcli.limits.memory import lacking
from gradcli.limits.threads import in_thread

_LIBRARIES = {
    "linux": ("libm.so.6", "libmvec.so.1"), "darwin": ("libSystem.dylib",), "win32": ("ucrtbase.dll",),
}  # fmt: skip
_LLVM = (20,)
"""The first version of LLVM that accepts the text emitted here, which uses ``splat`` constants."""
_ISA_LETTERS = {("x86_64", 8): "e", ("x86_64", 4): "d", ("x86_64", 2): "b", ("aarch64", 2): "n"}
"""The letter of the instruction set in the names of vector functions, by processor and lanes (vector function ABI)."""
_SPARE = 96 << 20
"""Bytes of address space that a compilation takes at most, the stack of its thread included."""


class Target:
    """A processor and its C library.

    ``lanes``: doubles in a vector register. ``fma``: whether the processor has fused multiply-add. ``attributes``: the
    attributes of every function, which allow it to use the widest registers.
    """

    def __init__(self, llvm: Any) -> None:
        self._llvm = llvm
        # llvmlite's own lock, which it holds during every call into LLVM.
        self._lock: Any = getattr(getattr(llvm.ffi.lib, "_lock", None), "_lock", None) or RLock()
        if hasattr(os, "register_at_fork"):
            # A fork waits for the call in progress, which would leave the child with a locked and inconsistent LLVM.
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
        self._make_target_machine = partial(
            llvm.Target.from_triple(triple).create_target_machine, cpu=llvm.get_host_cpu_name(),
            features=features.flatten(), opt=2, jit=True, codemodel="small", reloc="pic",
        )  # fmt: skip
        self._target_machine = self._make_target_machine()
        version = ".".join(map(str, llvm.llvm_version_info))
        self._identity = f"{version} {triple} {llvm.get_host_cpu_name()} {features.flatten()}"
        self._libraries = []
        for name in _LIBRARIES.get(sys.platform, ()):
            try:
                self._libraries.append(ctypes.CDLL(name))
            except OSError:
                continue
        self._libraries.append(ctypes.CDLL(None) if sys.platform != "win32" else ctypes.cdll.msvcrt)

    @lru_cache(None)  # noqa: B019 (there is one target, which lives as long as the process)
    def library(self, name: str) -> bool:
        """Return whether the C library has a function; if so, make it callable from compiled code by its name."""
        for library in self._libraries:
            try:
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            except AttributeError:
                continue
            self._llvm.add_symbol(name, address)
            return True
        return False

    def vector_function(self, name: str, arity: int) -> str | None:
        """Return the name of the C library's vector version of a function, or None if it has none."""
        letter = _ISA_LETTERS.get((self.processor, self.lanes))
        vector = f"_ZGV{letter}N{self.lanes}{'v' * arity}_{name}"
        return vector if letter and self.library(vector) else None

    def compile(self, text: str, names: Iterable[str]) -> dict[str, Callable[[int, int], None]]:
        """Compile a module, or load its code from the cache; return the functions of these names.

        They take two addresses, and release the interpreter lock while they run.
        """
        # LLVM ends the process where an allocation fails.
        memory.spare(_SPARE)
        llvm = self._llvm
        key = cache.key(text, self._identity)
        code = cache.load(key)
        if code is None:
            code = self._object_code(text)
            cache.save(key, code)
        # The MCJIT engine takes ownership of its target machine and frees it, so each engine gets a new one.
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._make_target_machine())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        functions: dict[str, Callable[[int, int], None]] = {}
        for name in names:
            function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(engine.get_function_address(name))
            # The code lives as long as the engine.
            function.engine = engine  # type: ignore[attr-defined]
            functions[name] = function
        return functions

    def _object_code(self, text: str) -> bytes:
        """Compile a module to an object file, in another thread, so that this one can handle signals meanwhile.

        If this thread is in a call into LLVM already, as in a signal handler or a finalizer, compile here: another
        thread would deadlock on llvmlite's lock.
        """

        def emit() -> bytes:
            code: bytes = self._target_machine.emit_object(self._llvm.parse_assembly(text))
            return code

        return emit() if self._lock._is_owned() else in_thread(emit)


@lru_cache(None)
def target() -> Target:
    """Return this processor. Raise GradError if llvmlite is not installed or does not support it."""
    try:
        llvm = optional("llvmlite.binding", "native", "the native engine needs llvmlite, which is not installed")
        if llvm.llvm_version_info < _LLVM:
            raise GradError(
                f"the native engine needs llvmlite 0.45 or later, which is here with LLVM {llvm.llvm_version_info[0]}",
                hint="pip install --upgrade 'gradcli[native]'",
            )
        return Target(llvm)
    except (GradError, ImportError):
        raise
    except Exception as error:  # a broken installation raises exceptions of any class
        if lacking(error):
            raise MemoryError from error
        reason = str(error).partition(". ")[0]
        raise GradError(f"llvmlite does not serve this machine: {reason}", hint="use --engine vector") from None
