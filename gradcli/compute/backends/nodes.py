"""The nodes of `ast` with a place in the source, as `compile` needs it: one for all, since there is no text.

The place is the attribute of a class: to set it in each node takes longer than to compile them.
"""

from __future__ import annotations

import ast
from typing import TypeVar

_Node = TypeVar("_Node", bound=ast.AST)


def _placed(kind: type[_Node]) -> type[_Node]:
    return type(kind.__name__, (kind,), {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0})


Argument = _placed(ast.arg)
Assign = _placed(ast.Assign)
Attribute = _placed(ast.Attribute)
BinOp = _placed(ast.BinOp)
BoolOp = _placed(ast.BoolOp)
Call = _placed(ast.Call)
Compare = _placed(ast.Compare)
Constant = _placed(ast.Constant)
ExceptHandler = _placed(ast.ExceptHandler)
FunctionDef = _placed(ast.FunctionDef)
If = _placed(ast.If)
IfExp = _placed(ast.IfExp)
Name = _placed(ast.Name)
Pass = _placed(ast.Pass)
Return = _placed(ast.Return)
Subscript = _placed(ast.Subscript)
Try = _placed(ast.Try)
Tuple = _placed(ast.Tuple)
UnaryOp = _placed(ast.UnaryOp)
