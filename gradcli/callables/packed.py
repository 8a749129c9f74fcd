"""Functions of one vector, as SciPy's solvers call them.

Solvers call a function thousands of times with a vector of a few numbers. Its elements become the last positional
arguments, after the fixed ones, so that a call takes little longer than that of the function itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from gradcli.callables.arguments import array
from gradcli.callables.evaluation import Evaluation
from gradcli.callables.vectors import Vectors
from gradcli.compute.backends.compiled import Matrix
from gradcli.compute.backends.compiled_arrays import Quiet
from gradcli.errors import BadValue
from gradcli.job.once import once

_DOUBLE = np.dtype(np.float64)


class Packed(Vectors):
    """A function of the vector z of its variables in ``wrt``, the other arguments fixed; made by `Function.packed`.

    Shapes: n is the number of variables, N that of results: the outputs times the fixed points, which are the elements
    of the shape that the fixed arguments broadcast to. The results stand in order of the outputs, and for each of them
    in C order of the points. A function of one output whose fixed arguments are numbers has a single result and no
    axis of results. Results are in units of the output per units of the variables.

    The fixed arrays are copied. A packed function may be called from several threads, and pickled. Its methods raise
    BadType for a vector that does not hold real numbers, and BadValue for one of another length.
    """

    # Values and derivatives.

    def fun(self, z: Any) -> Any:
        """The results at z, of shape (N,); a float if there is a single one.

        For fixed numbers, z of shape (n, k) holds k vectors, as vectorized solvers pass them, and is answered by an
        array of shape (N, k), or (k,) for a single result.

        >>> from gradcli import function
        >>> function("a*exp(-b*x)", wrt="a,b").packed(x=[0, 1]).fun([2, 0])
        array([2., 2.])
        """
        # Equal dtypes are nearly always one object; others are read below.
        if z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape:
            return self._fun(*z.tolist())
        vectors = self._vectors(z)
        result = self._fun(*vectors)
        several = self._outputs > 1 and vectors and isinstance(vectors[0], np.ndarray)
        return np.ascontiguousarray(result.T) if several else result

    __call__ = fun

    def jac(self, z: Any) -> Any:
        """The Jacobian at z, of shape (N, n); the gradient, of shape (n,), of a single result.

        >>> from gradcli import function
        >>> function("a*exp(-b*x)", wrt="a,b").packed(x=[0, 1]).jac([2, 0])
        array([[ 1., -0.],
               [ 1., -2.]])
        """
        if z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape:
            return self._jac(*z.tolist())
        return self._jac(*self._vector(z))

    def hess(self, z: Any, v: Any = None) -> Any:
        """The Hessian at z, of shape (n, n), of a single result; with ``v`` that of the sum of results times weights.

        ``v``: weights of shape (N,), as `scipy.optimize.NonlinearConstraint` passes them. Raises GradError if there are
        several results and no weights.

        >>> from gradcli import function
        >>> function("x**2*y").packed().hess([2, 3])
        array([[6., 4.],
               [4., 0.]])
        """
        if v is None and not self._single:
            raise self._several("hess", "hess(z, v) adds the Hessians of the results, each times its element of v")
        if z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape:
            result = self._hess(*z.tolist())
        else:
            result = self._hess(*self._vector(z))
        return result if v is None else self._weighted(result, v)

    def hessp(self, z: Any, p: Any) -> Any:
        """The Hessian at z times the vector ``p``, of shape (n,), of a single result. Raises GradError for several.

        >>> from gradcli import function
        >>> function("x**2*y").packed().hessp([2, 3], [1, 10])
        array([46.,  4.])
        """
        if not self._single:
            raise self._several("hessp", "jac(z) is the Jacobian of all of them")
        fast = z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape
        return self._ordered.hvp(p, *self._head, *(z.tolist() if fast else self._vector(z)))

    def value_and_grad(self, z: Any) -> tuple[Any, Any]:
        """``fun(z)`` and ``jac(z)`` in one pass, for solvers with ``jac=True``. Raises GradError for several outputs.

        >>> from gradcli import function
        >>> function("x**2*y").packed().value_and_grad([2, 3])
        (12.0, array([12.,  4.]))
        """
        fast = z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape
        pair: tuple[Any, Any] = self._value_and_grad(*(z.tolist() if fast else self._vector(z)))
        return pair

    def residuals(self, y: Any) -> Residuals:
        """The results less the observations ``y``, as a function of z; its Jacobian is `jac`.

        ``y``: a number or an array that broadcasts to the shape of the fixed points, for several outputs with a first
        axis of outputs. Raises BadValue for another shape.

        >>> from gradcli import function
        >>> r = function("a*exp(-b*x)", wrt="a,b").packed(x=[0, 1]).residuals([2, 1])
        >>> r([2, 0])
        array([0., 1.])
        """
        observed, _ = array(y, "y")
        shape = ((self._outputs,) if self._outputs > 1 else ()) + self.points
        try:
            whole = np.broadcast_to(observed, shape)
        except ValueError:
            raise BadValue(f"y has the shape {observed.shape}, and the results have {shape}") from None
        return Residuals(self, whole.flatten() if shape else float(whole))

    # Differential equations.

    def rhs(self, t: Any, z: Any) -> Any:
        """The right-hand side of dz/dt at the time t, of shape (n,): the outputs, in the order of the variables.

        t is the argument that ``time`` names; without ``time`` the system is autonomous, and t is ignored. z of shape
        (n, k) holds k states. Raises GradError if there are not as many outputs as variables.

        >>> from gradcli import function
        >>> function("v; -k*u", wrt="u,v").packed(k=4).rhs(0, [1, 2])
        array([ 2., -4.])
        """
        now = () if self.time is None else (t,) if t.__class__ is float else self._now(t)
        if z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape:
            return self._rhs(*now, *z.tolist())
        result = self._rhs(*now, *self._vectors(z))
        return result if result.ndim == 1 else np.ascontiguousarray(result.T)

    def jac_t(self, t: Any, z: Any) -> Any:
        """The Jacobian of `rhs` in z, of shape (n, n), for implicit methods.

        >>> from gradcli import function
        >>> function("v; -k*u", wrt="u,v").packed(k=4).jac_t(0, [1, 2])
        array([[ 0.,  1.],
               [-4.,  0.]])
        """
        now = () if self.time is None else (t,) if t.__class__ is float else self._now(t)
        fast = z.__class__ is ndarray and z.dtype is _DOUBLE and z.shape == self._shape
        return self._jac_t(*now, *(z.tolist() if fast else self._vector(z)))

    # The functions of positional arguments that these methods call.

    def _prepared(self, method: str) -> Callable[..., Any]:
        return self._fixing(self._ordered._prepared(method))

    def _fixing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call of all arguments as one of the elements of the vector alone."""
        return partial(call, *self._head) if self._head else call

    def _columns(self) -> Callable[..., Any]:
        """The outputs as an array, whose last axis is that of the outputs."""
        places = tuple(range(self._outputs))
        return self._fixing(Evaluation(self._ordered._model, 0, places, Matrix((len(places),), places)).call)

    @once
    def _fun(self) -> Callable[..., Any]:
        self._timeless("fun(z)", "rhs(t, z)")
        if self._outputs == 1:
            return self._prepared("value")
        call = self._columns()
        return (lambda *args: call(*args).T.reshape(-1)) if self.points else call

    @once
    def _jac(self) -> Callable[..., Any]:
        self._timeless("jac(z)", "jac_t(t, z)")
        call = self._prepared("jacobian")
        n = len(self.wrt)
        flat = self.points and self._outputs > 1
        return (lambda *args: call(*args).transpose(1, 0, 2).reshape(-1, n)) if flat else call

    @once
    def _hess(self) -> Callable[..., Any]:
        self._timeless("hess(z)", "jac_t(t, z)")
        return self._prepared("hessian")

    @once
    def _value_and_grad(self) -> Callable[..., Any]:
        self._timeless("value_and_grad(z)", "rhs(t, z)")
        return self._prepared("value_and_grad")

    @once
    def _rhs(self) -> Callable[..., Any]:
        self._square("rhs")
        return self._columns()

    @once
    def _jac_t(self) -> Callable[..., Any]:
        self._square("jac_t")
        call = self._prepared("jacobian")
        return (lambda *args: call(*args).reshape(1, 1)) if self._outputs == 1 else call


class Residuals:
    """The results of a packed function less observations, as a function of z; ``jac`` is its Jacobian."""

    def __init__(self, packed: Packed, y: Any) -> None:
        self._packed, self._y = packed, y
        self._quiet = Quiet()
        self.jac = packed.jac

    def __call__(self, z: Any) -> Any:
        """The residuals at z, of the shape of the results: for several vectors z, a column each."""
        results = self._packed.fun(z)
        if not isinstance(results, ndarray):
            return results - self._y
        observed = self._y[:, None] if np.ndim(self._y) < results.ndim and np.ndim(self._y) else self._y
        # Infinities give nan in silence, as in results.
        return self._quiet.run(np.subtract, results, observed)

    def __reduce__(self) -> tuple[type[Residuals], tuple[Any, ...]]:
        return Residuals, (self._packed, self._y)
