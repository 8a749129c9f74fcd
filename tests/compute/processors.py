"""Machines with fewer features than this one, to run what their users run."""

from typing import Any

from gradcli.compute.backends.native.llvm import Target

LESS = {"four lanes": ("avx512",), "two lanes": ("avx", "fma", "f16c", "xop", "vaes", "vpclmulqdq")}
"""By name, how the features begin that such a processor lacks; x86-64 alone has them."""


class Lesser:
    """llvmlite's binding on a processor without some features."""

    def __init__(self, llvm: Any, without: tuple[str, ...]) -> None:
        self._llvm, self._without = llvm, without

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llvm, name)

    def get_host_cpu_name(self) -> str:
        return "x86-64"

    def get_host_cpu_features(self) -> Any:
        found = self._llvm.get_host_cpu_features()
        for feature in found:
            if feature.startswith(self._without):
                found[feature] = False
        return found


def machine(name: str) -> Target:
    import llvmlite.binding as llvm

    return Target(Lesser(llvm, LESS[name]))
