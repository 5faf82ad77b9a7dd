"""Filters that the recorder of PyPI and this package decide alike, and those that they must not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DIFFERENT", "PROJECT", "REFUSED", "SAME", "Scenario"]

PROJECT = {
    "shop/__init__.py": "",
    "shop/cart.py": """\
colour = "red"


def total(price, count):
    amount = price * count
    return amount


class Cart:
    def add(self, item):
        size = item
        return size


def outer(value):
    def inner(inner_value):
        return inner_value

    return inner(value)


def paint(brush):
    wall = colour
    return wall
""",
    "shop/util/__init__.py": "",
    "shop/util/text.py": """\
def clean(text):
    trimmed = text.strip()
    return trimmed
""",
    "vault.py": """\
def login(name):
    password = name
    compass = name
    settings = {'password': password, 'compass': compass}
    return settings
""",
    "sessions.py": """\
def load_rows(limit):
    rows = limit
    return rows
""",
    "env/lib/python3.12/site-packages/third.py": """\
def fetch(address):
    body = address
    return body
""",
    "tools.py": """\
import sessions
import third
import vault
from shop import cart
from shop.util import text as text_module


def run(task):
    result = task
    return result


def main():
    cart.total(2, 3)
    cart.Cart().add(1)
    cart.outer(1)
    cart.paint("flat")
    text_module.clean(" x ")
    vault.login("ada")
    sessions.load_rows(3)
    third.fetch("here")
    run(1)
""",
}
"""The modules that are recorded; built-in filters differ about ``vault`` and ``sessions``."""

HEADER = """\
[meta]
name = "scenario"
version = 1
[scope]
default_exec = "{exec}"
default_value_action = "{value}"
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Filter files by their path below the folder of the project, and the chain that names them.

    The file ``.codetracer/trace-filter.toml`` below `program_folder` is found, not named.
    """

    name: str
    files: dict[str, str]
    chain: tuple[str, ...]
    program_folder: str = "."


def header(exec: str = "trace", value: str = "allow") -> str:  # noqa: A002
    """The start of a filter file."""
    return HEADER.format(exec=exec, value=value)


def rule(selector: str, *lines: str, **patterns: str) -> str:
    """A rule; each keyword ``KIND_NAME`` is a value pattern with its action."""
    text = "\n".join(["[[scope.rules]]", f"selector = '{selector}'", *lines, ""])
    for name, action in patterns.items():
        kind, _, pattern = name.partition("_")
        text += value(f"{kind}:{pattern}", action)
    return text


def value(selector: str, action: str) -> str:
    """A value pattern of the rule before."""
    return f"[[scope.rules.value_patterns]]\nselector = '{selector}'\naction = \"{action}\"\n"


SKIP, TRACE = 'exec = "skip"', 'exec = "trace"'


def single(name: str, text: str) -> Scenario:
    """A scenario of one file at the root of the project."""
    path = f"{name.replace(' ', '-')}.toml"
    return Scenario(name, {path: text}, (path,))


def skipping(name: str, selector: str) -> Scenario:
    """A scenario that skips what a selector fits."""
    return single(name, header() + rule(selector, SKIP))


def values(name: str, *lines: str, more: str = "", **patterns: str) -> Scenario:
    """A scenario about the values of the package shop."""
    return single(name, header() + rule("pkg:shop.*", *lines, **patterns) + more)


EVERYTHING = rule("pkg:*", TRACE)

SAME = [
    Scenario("no filter", {}, ()),
    single("nothing but a header", header()),
    # modules
    skipping("pkg glob of one module", "pkg:shop.cart"),
    skipping("pkg glob crosses dots", "pkg:shop.*"),
    skipping("pkg glob without a star is no prefix", "pkg:shop"),
    skipping("pkg glob for everything", "pkg:*"),
    skipping("pkg glob question mark", "pkg:sho?.cart"),
    skipping("pkg glob class", "pkg:[rst]hop.*"),
    skipping("pkg glob negated class", "pkg:[!x]hop.cart"),
    skipping("pkg glob range", "pkg:[a-s]hop.cart"),
    skipping("pkg glob braces", "pkg:{shop.cart,tools}"),
    skipping("pkg glob two stars", "pkg:sh**t"),
    skipping("pkg glob escape", r"pkg:shop\.cart"),
    skipping("pkg glob explicit", "pkg:glob:shop.util.*"),
    skipping("pkg literal", "pkg:literal:shop.cart"),
    skipping("pkg literal is case sensitive", "pkg:literal:Shop.cart"),
    skipping("pkg literal has no star", "pkg:literal:shop.*"),
    skipping("pkg regex is a search", "pkg:regex:cart"),
    skipping("pkg regex anchored", "pkg:regex:^cart"),
    skipping("pkg regex flags", "pkg:regex:(?i)^SHOP.CART$"),
    skipping("pkg regex end", r"pkg:regex:\.text$"),
    # objects
    skipping("obj glob method", "obj:shop.cart.Cart.add"),
    skipping("obj glob class and below", "obj:shop.cart.Cart*"),
    skipping("obj glob inner function", "obj:*.<locals>.inner"),
    skipping("obj glob module bodies", "obj:*<module>"),
    skipping("obj literal", "obj:literal:tools.run"),
    skipping("obj regex", r"obj:regex:\.(total|clean)$"),
    # files
    skipping("file glob of one file", "file:shop/cart.py"),
    skipping("file glob star stays in its folder", "file:shop/*.py"),
    skipping("file glob top level only", "file:*.py"),
    skipping("file glob any depth", "file:**/text.py"),
    skipping("file glob everything below", "file:shop/**"),
    skipping("file glob in between", "file:shop/**/text.py"),
    skipping("file glob braces", "file:{tools,missing}.py"),
    skipping("file glob is normalised", "file:./shop//x/../cart.py"),
    skipping("file glob class", "file:shop/[a-c]art.py"),
    skipping("file literal", "file:literal:shop/util/text.py"),
    skipping("file regex is a search", "file:regex:util/"),
    skipping("file regex of the relative path", r"file:regex:^shop/.*\.py$"),
    # which rule wins
    single("last rule wins", header() + rule("pkg:shop.*", SKIP) + rule("pkg:shop.cart", TRACE)),
    single(
        "obj does not beat pkg", header() + rule("obj:*.total", SKIP) + rule("pkg:shop.*", TRACE)
    ),
    single("default skip", header("skip") + rule("pkg:shop.*", TRACE)),
    single(
        "rule that inherits",
        header() + rule("pkg:shop.*", SKIP) + rule("pkg:*", 'exec = "inherit"'),
    ),
    # values
    single("default redact", header(value="redact")),
    single("default drop", header(value="drop")),
    single("default deny", header(value="deny")),
    values("value default redact", 'value_default = "redact"'),
    values("value default deny", 'value_default = "deny"'),
    values("value default drop", 'value_default = "drop"'),
    values(
        "value default wins last",
        'value_default = "drop"',
        more=rule("pkg:shop.cart", 'value_default = "allow"'),
    ),
    values(
        "value default inherits",
        'value_default = "redact"',
        more=rule("pkg:shop.cart", 'value_default = "inherit"'),
    ),
    values("local glob", **{"local_am*": "redact", "local_si?e": "drop"}),
    values("local literal", **{"local_literal:amount": "redact", "local_literal:am*": "drop"}),
    values("local regex", **{"local_regex:^(amount|wall)$": "drop"}),
    values("local deny", local_amount="deny"),
    values("first pattern decides", **{"local_amount": "allow", "local_*": "redact"}),
    values("allow under a default", 'value_default = "redact"', local_amount="allow"),
    values("arg is not local", arg_price="redact", local_count="drop"),
    values("arg drop", **{"arg_*": "drop"}),
    values("global in a function", global_colour="redact"),
    values("global drop in a function", global_colour="drop"),
    values("ret by object", **{"ret_shop.cart.total": "redact", "ret_*.clean": "drop"}),
    values("ret of everything", **{"ret_*": "redact"}),
    values("attr says nothing about variables", **{"attr_*": "redact"}),
    single(
        "patterns of an obj rule",
        header() + rule("obj:shop.cart.total", local_amount="redact") + rule("obj:shop.cart.add"),
    ),
    # chains
    Scenario(
        "later default wins",
        {"a.toml": header("skip", "redact"), "b.toml": header("trace", "allow")},
        ("a.toml", "b.toml"),
    ),
    Scenario(
        "later default inherits",
        {"c.toml": header("skip", "redact"), "d.toml": header("inherit", "inherit")},
        ("c.toml", "d.toml"),
    ),
    Scenario(
        "later file adds rules",
        {
            "e.toml": header() + rule("pkg:shop.*", SKIP),
            "f.toml": header("inherit") + rule("pkg:shop.util.*", TRACE),
        },
        ("e.toml", "f.toml"),
    ),
    Scenario(
        "chain text",
        {
            "g.toml": header() + rule("pkg:tools", SKIP),
            "h.toml": header() + rule("pkg:shop.*", SKIP),
        },
        (" g.toml :: h.toml ",),
    ),
    Scenario(
        "project filter is found",
        {"found/.codetracer/trace-filter.toml": header() + rule("pkg:shop.cart", SKIP)},
        (),
        "found/deep/er",
    ),
    Scenario(
        "explicit filter after the project's",
        {
            "both/.codetracer/trace-filter.toml": header() + rule("pkg:shop.*", SKIP),
            "i.toml": header() + rule("pkg:shop.util.*", TRACE),
        },
        ("i.toml",),
        "both",
    ),
    single(
        "everything optional",
        header().replace("version = 1", 'version = 1\ndescription = "d"\nlabels = ["a", "b", "a"]')
        + '[io]\ncapture = true\nstreams = ["stdout", "files"]\nmodes = []\n'
        + rule("pkg:shop.cart", SKIP, 'reason = "because"'),
    ),
    single("no values after a module", header() + EVERYTHING),
]

REFUSED = [
    single("unknown top table", header() + "[more]\n"),
    single("unknown key", header() + rule("pkg:a", "exce = 1")),
    single("no meta", header().partition("[scope]")[2].join(["[scope]", ""])),
    single("no scope", header().partition("[scope]")[0]),
    single("blank name", header().replace("scenario", "  ")),
    single("version zero", header().replace("version = 1", "version = 0")),
    single("version negative", header().replace("version = 1", "version = -1")),
    single("version text", header().replace("version = 1", 'version = "1"')),
    single("capital token", header("Trace")),
    single("token with a blank", header("trace ")),
    single("exec is no value", header() + rule("pkg:a", 'exec = "allow"')),
    single("pattern may not inherit", header() + rule("pkg:a", local_x="inherit")),
    single("empty selector", header() + rule("", SKIP)),
    single("selector without colon", header() + rule("shop", SKIP)),
    single("unknown kind", header() + rule("module:shop", SKIP)),
    single("value kind as scope", header() + rule("local:x", SKIP)),
    single("scope kind as value", header() + rule("pkg:a") + value("obj:x", "redact")),
    single("empty match type", header() + rule("pkg::x", SKIP)),
    single("unknown match type", header() + rule("pkg:exact:x", SKIP)),
    single("empty pattern", header() + rule("pkg:", SKIP)),
    single("two colons without match type", header() + rule("file:a:b", SKIP)),
    single("unclosed class", header() + rule("pkg:[ab", SKIP)),
    single("unclosed brace", header() + rule("pkg:{a,b", SKIP)),
    single("broken regex", header() + rule("pkg:regex:(", SKIP)),
    single("look-around", header() + rule("pkg:regex:(?=a)b", SKIP)),
    single("back-reference", header() + rule(r"pkg:regex:(a)\1", SKIP)),
    single("file that is nothing", header() + rule("file:.", SKIP)),
    single("capture without streams", header() + "[io]\ncapture = true\n"),
    single("unknown stream", header() + '[io]\nstreams = ["stdoot"]\n'),
    single("modes", header() + '[io]\nmodes = ["x"]\n'),
    single("no TOML", "[meta"),
]

PATTERN_LESS = header() + rule("pkg:*", TRACE)
SUB = header("inherit", "inherit")
DIFFERENT = {
    "patterns accumulate": single("patterns accumulate", PATTERN_LESS),
    "words": Scenario("words", {}, ()),
    "module level is global too": values("module level is global too", global_colour="redact"),
    "roots are those of each file": Scenario(
        "roots are those of each file",
        {"outer.toml": header() + rule("file:shop/cart.py", SKIP), "shop/inner.toml": SUB},
        ("outer.toml", "shop/inner.toml"),
    ),
    "paths outside the root": single(
        "paths outside the root", header() + rule("file:/nowhere/x.py", SKIP)
    ),
    "directories": skipping("directories", "file:shop"),
    "regexes are no paths": skipping("regexes are no paths", "file:regex:shop/./?cart"),
    "explosive regex": skipping("explosive regex", "pkg:regex:^(s+)+$"),
    "all problems": single(
        "all problems", header("on", "off") + rule("pgk:a", 'exec = "no"') + rule("pkg:regex:(")
    ),
    "repeated file": Scenario("repeated file", {"r.toml": header()}, ("r.toml", "r.toml")),
    "newer version": single("newer version", header().replace("version = 1", "version = 2")),
    "default skip": single("default skip of third parties", header("skip")),
    "allow before drop": Scenario(
        "allow before drop",
        {
            "k.toml": header() + rule("pkg:shop.*", local_amount="allow"),
            "l.toml": header() + rule("pkg:shop.*", 'value_default = "drop"'),
        },
        ("k.toml", "l.toml"),
    ),
}
