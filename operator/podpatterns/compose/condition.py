"""The conditions of rules (`when`), as the adapter reads them: comparisons of groups, numbers and texts.

The adapter reads them by the parser of Go's expressions (helpers/metrics-adapter/internal/rule/condition.go),
of which it takes a small part. That part is read here in the same words. Where Go may see something else,
nothing is said and the adapter judges: comments, several lines, letters beyond ASCII, numbers and texts in
less usual notations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<text>"(?:[^"\\]|\\[abfnrtv\\"])*"|`[^`]*`)
  | (?P<sign>&&|\|\||&\^|<-|<<|>>|--|\+\+|[=!<>]=|[-+|^*/%&<>!~()])
  | (?P<other>\S)
  | (?P<end>$)
    )""",
    re.VERBOSE,
)
_GO_ALONE = re.compile(r'[\r\n]|//|/\*|[^\x00-\x7f]|\b0[0-9xXbBoO_]|[0-9]_|\\[^abfnrtv\\"]')

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(_COMPARISONS, 3),
    **dict.fromkeys(("+", "-", "|", "^"), 4),
    **dict.fromkeys(("*", "/", "%", "<<", ">>", "&", "&^"), 5),
}
_UNARY = ("+", "-", "!", "^", "*", "&", "<-", "~")
_KEYWORDS = frozenset(
    (
        *("break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for"),
        *("func", "go", "goto", "if", "import", "interface", "map", "package", "range", "return"),
        *("select", "struct", "switch", "type", "var"),
    )
)
_ESCAPE = 2
"""Bytes that the adapter puts before a group named like a keyword of Go; its positions count them."""


class NoCondition(Exception):
    """What is wrong with the condition, in the adapter's words."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int
    """Its position as Go counts, from 1."""


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of the expression: an operand, or an operation on others."""

    kind: str
    """name, number, text, parentheses, unary or binary."""
    text: str
    """Of an operand itself; of an operation, its operator."""
    at: int
    parts: tuple[Node, ...] = ()
    sign_at: int = 0
    """Where the operator of a binary operation is."""


def refusal(text: str, no_group: Callable[[str], str]) -> str:
    """Why it is no condition; empty when it is one, or when only the adapter can tell.

    `no_group` tells why there is no group of a name; it is empty when there is one.
    """
    if _GO_ALONE.search(text):
        return ""
    try:
        _Judge(no_group).logical(_Parser(text).expression())
    except NoCondition as error:
        return str(error)
    return ""


class _Parser:
    """Reads by Go's precedence, and more operators than are meant, to say which one is out of place."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0

    def expression(self) -> Node:
        tree = self._binary(1)
        if self._token.kind != "end":
            raise _syntax(self._token, "'=='" if self._token.text == "=" else "'EOF'")
        return tree

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _binary(self, lowest: int) -> Node:
        left = self._unary()
        while self._token.kind == "sign" and _PRECEDENCE.get(self._token.text, 0) >= lowest:
            sign = self._take()
            right = self._binary(_PRECEDENCE[sign.text] + 1)
            left = Node("binary", sign.text, left.at, (left, right), sign.at)
        return left

    def _unary(self) -> Node:
        token = self._token
        if token.kind == "sign" and token.text in _UNARY:
            self._take()
            return Node("unary", token.text, token.at, (self._unary(),))
        if token.text == "(" and token.kind == "sign":
            self._take()
            inner = self._binary(1)
            if self._token.text != ")" or self._token.kind != "sign":
                raise _syntax(self._token, "')'")
            self._take()
            return Node("parentheses", "", token.at, (inner,))
        if token.kind in ("name", "number", "text"):
            self._take()
            return Node(token.kind, token.text, token.at)
        raise _syntax(token, "operand")


class _Judge:
    def __init__(self, no_group: Callable[[str], str]) -> None:
        self._no_group = no_group

    def logical(self, node: Node) -> None:
        if node.kind == "parentheses" or (node.kind == "unary" and node.text == "!"):
            self.logical(node.parts[0])
        elif node.kind == "binary" and node.text in ("&&", "||"):
            for part in node.parts:
                self.logical(part)
        elif node.kind == "binary":
            self._comparison(node)
        else:
            raise NoCondition(f"position {node.at}: only comparisons, &&, || and ! are known here")

    def _comparison(self, node: Node) -> None:
        wrong = [why for part in node.parts if (why := self._side(part))]
        if wrong:
            raise NoCondition(" ".join(wrong))
        if node.text not in _COMPARISONS:
            message = f"{node.text} is not a comparison; use {' '.join(_COMPARISONS)}"
            raise NoCondition(f"position {node.sign_at}: {message}")

    def _side(self, node: Node) -> str:
        """What is wrong with one side of a comparison."""
        if node.kind == "parentheses":
            return self._side(node.parts[0])
        if node.kind == "name":
            return self._no_group(node.text)
        negative = node.kind == "unary" and node.text == "-" and node.parts[0].kind == "number"
        if negative or node.kind in ("number", "text"):
            return ""
        return f"position {node.at}: not a group, a number or a string in double quotes"


def _tokens(text: str) -> Iterator[Token]:
    shift = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "end"
        word = found[kind]
        yield Token(kind, word, found.start(kind) + shift)
        if kind == "name" and word in _KEYWORDS:
            shift += _ESCAPE
        if kind == "end":
            return


def _syntax(found: Token, expected: str) -> NoCondition:
    what = found.text if found.kind in ("name", "number", "text") else f"'{found.text or 'EOF'}'"
    if found.kind == "end" and expected == "')'":
        what = "newline"  # to Go, the end of a line is one where an expression may end
    unfinished = {'"': "string literal not terminated", "'": "illegal rune literal"}
    reason = unfinished.get(found.text, f"expected {expected}, found {what}")
    return NoCondition(f'not a condition such as code >= 500 && method == "GET": 1:{found.at}: {reason}')
