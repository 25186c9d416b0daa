"""Where the order of a set would decide something: hash seeds differ from process to process, so it must not.

A set is what is written as one, annotated as one, made by one's operators, or kept in an attribute or variable that
is given one anywhere. Looking for a member, counting, sorting without a key and making another set are harmless; a
loop, a list, a text, `pop`, and sorting or choosing by a key (ties!) are not. Numbers have the same order everywhere.
"""

import ast
from collections.abc import Iterator

HARMLESS = {"any", "all", "sum", "len", "set", "frozenset", "bool", "update", "isinstance"}
SORTING = {"sorted", "min", "max"}  # harmless without a key
ORDERED = {"list", "tuple", "enumerate", "iter", "map", "filter", "zip", "next", "reversed", "join", "fromkeys"}
ORDERED |= {"extend", "str", "repr", "deque", "chain", "print", "dict", "pairwise", "batched"}
OPERATORS = ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor
SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module | ast.ClassDef


def called(node: ast.AST) -> str:
    """The last name of what a call calls."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", ""))


def says_set(annotation: ast.AST | None) -> bool:
    """Whether an annotation is that of a set of something else than whole numbers."""
    text = ast.unparse(annotation) if annotation is not None else ""
    return text.strip("'\"").startswith(("set", "frozenset", "AbstractSet")) and "[int" not in text


class Package:
    """What is a set in all modules together: by the name of the attribute, and of the function."""

    def __init__(self, trees: dict[str, ast.Module]):
        self.trees = trees
        self.attributes: dict[str, set[bool]] = {}  # name → whether what it is given is a set
        self.functions = {
            node.name
            for tree in trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and says_set(node.returns)
        }
        for tree in trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.AnnAssign):
                    name = getattr(node.target, "attr", getattr(node.target, "id", ""))
                    self.attributes.setdefault(name, set()).add(says_set(node.annotation))
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                    if isinstance(node.value, ast.SetComp) or (called(node.value) == "set" and not node.value.args):
                        self.attributes.setdefault(node.targets[0].attr, set()).add(True)
        self.attributes = {name: found for name, found in self.attributes.items() if found == {True}}

    def is_set(self, node: ast.AST, local: dict[str, bool]) -> bool:
        """Whether the expression *node* is a set, as far as one can read."""
        match node:
            case ast.Set(elts):
                return not all(isinstance(e, ast.Constant) and isinstance(e.value, int) for e in elts)
            case ast.SetComp():
                return True
            case ast.Name(name):
                return local.get(name, False)
            case ast.Attribute(_, name):
                return name in self.attributes
            case ast.BinOp(left, operator, right) if isinstance(operator, OPERATORS):
                return any(self.is_set(side, local) or called(side) in {"keys", "items"} for side in (left, right))
            case ast.IfExp(_, body, orelse):
                return self.is_set(body, local) or self.is_set(orelse, local)
            case ast.BoolOp(_, values):
                return any(self.is_set(value, local) for value in values)
            case ast.NamedExpr(_, value):
                return self.is_set(value, local)
            case ast.Call(ast.Attribute(value, "union" | "difference" | "intersection" | "copy"), _, _):
                return self.is_set(value, local)
            case ast.Call():
                return called(node) in self.functions or called(node) in {"set", "frozenset"}
        return False

    def offences(self) -> Iterator[str]:
        """``file:line: expression`` wherever the order of a set decides."""
        for name, tree in self.trees.items():
            for line, text in self._of_scope(tree, {}):
                yield f"{name}:{line}: {text}"

    def _of_scope(self, scope: ast.AST, around: dict[str, bool]) -> Iterator[tuple[int, str]]:
        inside = list(_inside(scope))
        local = around | self._names(scope, inside, around)
        harmless = {
            id(argument)
            for node in inside
            if called(node) in HARMLESS or (called(node) in SORTING and not node.keywords)
            for argument in node.args
        }
        harmless |= {id(node) for node in inside if isinstance(node, ast.SetComp)}
        for node in inside:
            if isinstance(node, SCOPES):
                yield from self._of_scope(node, {} if isinstance(node, ast.ClassDef) else local)
            elif any(self.is_set(used, local) for used in _ordered(node, harmless)):
                yield node.lineno, ast.unparse(node).splitlines()[0][:90]

    def _names(self, scope: ast.AST, inside: list[ast.AST], around: dict[str, bool]) -> dict[str, bool]:
        taken = ast.walk(scope.args) if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else ()
        local = {argument.arg: says_set(argument.annotation) for argument in taken if isinstance(argument, ast.arg)}
        for node in inside:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                local[node.target.id] = says_set(node.annotation)
            elif isinstance(node, ast.Assign | ast.NamedExpr):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        found = self.is_set(node.value, around | local)
                        local[target.id] = local.get(target.id, False) or found
        return local


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node of *scope*, without those of the scopes in it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, SCOPES):
            waiting[:0] = ast.iter_child_nodes(node)


def _ordered(node: ast.AST, harmless: set[int]) -> list[ast.AST]:
    """The expressions in *node* whose order it depends on."""
    match node:
        case ast.For(_, iterable):
            return [iterable]
        case ast.ListComp() | ast.DictComp() | ast.GeneratorExp() if id(node) not in harmless:
            return [loop.iter for loop in node.generators]
        case ast.Starred(value) | ast.FormattedValue(value):
            return [value]
        case ast.YieldFrom(value):
            return [value]
        case ast.Call(ast.Attribute(value, "pop"), [], []):
            return [value]
        case ast.Call() if called(node) in ORDERED or (called(node) in SORTING and node.keywords):
            return [a for a in node.args if id(node) not in harmless or called(node) not in {"map", "filter"}]
    return []
