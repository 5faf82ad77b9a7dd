"""Selectors given on a command line: ``--only`` and ``--skip`` as the last source of a chain."""

from __future__ import annotations

from codetracer_filter._schema import SUPPORTED_VERSION
from codetracer_filter.model import ExecDirective, FilterMeta, FilterSource, ScopeRule
from codetracer_filter.selector import SCOPE_KINDS, SelectorError, parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from codetracer_filter.errors import FilterProblem

__all__ = ["COMMAND_LINE", "command_line_source"]

COMMAND_LINE = "<command line>"

_EVERYTHING = "file:regex:(?s)."


def command_line_source(
    only: Iterable[str],
    skip: Iterable[str],
    directory: str,
    report: Callable[[FilterProblem], None],
) -> FilterSource:
    """Make the source that traces ``only`` and skips ``skip``, in this order.

    With any ``only`` everything else is skipped. Relative ``file`` selectors start at
    ``directory``, which has forward slashes. Each selector that cannot be used is given to
    ``report``; the source is then of no use.
    """
    wanted = [(text, ExecDirective.TRACE, "--only") for text in only]
    if wanted:
        wanted.insert(0, (_EVERYTHING, ExecDirective.SKIP, "not selected by --only"))
    wanted += [(text, ExecDirective.SKIP, "--skip") for text in skip]
    rules: list[ScopeRule] = []
    for text, directive, reason in wanted:
        try:
            selector = parse_selector(text, SCOPE_KINDS, directory)
        except SelectorError as error:
            from codetracer_filter.errors import FilterProblem

            report(
                FilterProblem(error.code, f"{COMMAND_LINE} {reason}", error.message, error.remedy)
            )
            continue
        rules.append(
            ScopeRule(selector, directive, None, (), reason, COMMAND_LINE, len(rules), line=None)
        )
    given = "".join(f"{rule.reason} {rule.selector}\n" for rule in rules)
    return FilterSource(
        path=COMMAND_LINE,
        root=directory,
        data=given.encode("utf-8", "surrogatepass"),
        meta=FilterMeta("command-line", SUPPORTED_VERSION),
        default_exec=None,
        default_value_action=None,
        io=None,
        rules=tuple(rules),
    )
