"""JMESPath expressions: what is wrong with one before any body comes, and what it finds in a body."""

import difflib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

from receiver.errors import Refused

_Node = Mapping[str, Any]


class _Functions(Functions):
    """JMESPath's own, but a sum stays a number that whoever reads it later can read."""

    @signature({"types": ["array-number"]})
    def _func_sum(self, numbers: list[float]) -> float:
        total = sum(numbers)
        if not abs(total) <= sys.float_info.max:
            raise OverflowError
        return total


_OPTIONS = jmespath.Options(custom_functions=_Functions())
_FUNCTIONS: Mapping[str, Any] = _Functions.FUNCTION_TABLE
_TAKING_EXPRESSIONS = [
    name for name, known in _FUNCTIONS.items() if any("expref" in argument["types"] for argument in known["signature"])
]
# The library checks types only here and there: elsewhere a body's values meet Python's operators as they are.
_UNFIT = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def search(path: str, document: Any, where: str) -> Any:
    """What the expression finds, None for nothing. Raises Refused, naming `where`, for values it does not take."""
    try:
        return jmespath.search(path, document, options=_OPTIONS)
    except _UNFIT as error:
        why = _why(error, "a value in it is not of the type that the expression works on")
        raise Refused(f"{where} ({path}) cannot be read from this body: {why}") from None


def mistake_in(path: str) -> str | None:
    """What is wrong with the expression whatever the body, in one phrase; None when nothing is."""
    try:
        tree = jmespath.compile(path).parsed
    except (RecursionError, ValueError) as error:
        return _why(error, "it holds too large a number")
    nodes = ({"type": "", "children": [tree]}, *_nodes(tree))
    return next((mistake for node in nodes if (mistake := _mistake(node))), None)


def constants(path: str) -> list[Any]:
    """The values in the expression that can be its outcome: of `'a'`, of `x && 'a' || 'b'`, of `not_null(x, 'a')`."""
    left, found = [jmespath.compile(path).parsed] if path else [], []
    while left:
        node: _Node = left.pop()
        match node["type"]:
            case "literal":
                found.append(node["value"])
            case "and_expression" | "pipe":
                left.append(node["children"][-1])
            case "or_expression":
                left += node["children"]
            case "function_expression" if node["value"] == "not_null":
                left += node["children"]
    return found


def _why(error: Exception, otherwise: str) -> str:
    if isinstance(error, JMESPathError):
        return " ".join(str(error).split())[:200]
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number in it is too large" if isinstance(error, ArithmeticError) else otherwise


def _nodes(tree: _Node) -> Iterator[_Node]:
    """All parts of the expression, outer ones first."""
    left = [tree]
    while left:
        node = left.pop()
        yield node
        left += [child for child in node["children"] if isinstance(child, dict)]


def _mistake(node: _Node) -> str | None:
    match node["type"]:
        case "function_expression":
            return _miscalled(node["value"], [argument["type"] == "expref" for argument in node["children"]])
        case "slice":
            return "the step of a slice cannot be 0" if node["children"][2] == 0 else None
    if any(child["type"] == "expref" for child in node["children"]):
        return f"& stands only before an argument of {', '.join(_TAKING_EXPRESSIONS)}"
    return None


def _miscalled(name: str, given: list[bool]) -> str | None:
    """What is wrong with a call, by which of its arguments have an & before them."""
    known = _FUNCTIONS.get(name)
    if known is None:
        near = difflib.get_close_matches(name, _FUNCTIONS, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there is {', '.join(_FUNCTIONS)}"
        return f"there is no function {name}; {hint}"
    takes = known["signature"]
    least, any_number = len(takes), takes[-1].get("variadic", False)
    if len(given) < least or (len(given) > least and not any_number):
        arguments = f"{'at least ' if any_number else ''}{least} argument{'' if least == 1 else 's'}"
        return f"{name} takes {arguments}, not {len(given)}"
    for number, expression in enumerate(given):
        wanted = "expref" in takes[min(number, least - 1)]["types"]
        if wanted and not expression:
            return f"{name} takes an expression as argument {number + 1}; write & before it"
        if expression and not wanted:
            return f"{name} takes a value as argument {number + 1}; leave out the & before it"
    return None
