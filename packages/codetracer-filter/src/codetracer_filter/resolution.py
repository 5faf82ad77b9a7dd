"""What a chain of filters says about one piece of code."""

from __future__ import annotations

from codetracer_filter._records import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codetracer_filter.model import ExecDecision, ScopeRule
    from codetracer_filter.values import ValuePolicy

__all__ = ["ScopeContext", "ScopeResolution"]


@record(frozen=True, slots=True)
class ScopeContext:
    """What selectors are compared with for one piece of code.

    ``path`` is absolute with forward slashes, or a name such as ``<string>``; ``relative_path`` is
    the same seen from the innermost root of the chain's files that holds it, or None. ``module``
    is None when no dotted name could be found; ``object`` is then the bare qualified name.
    """

    path: str
    relative_path: str | None
    module: str | None
    object: str


@record(frozen=True, slots=True)
class ScopeResolution:
    """What the chain says about one piece of code.

    ``rule`` is the last rule that said trace or skip, None when the default decided. ``matched``
    are all rules whose selector fits, in chain order.
    """

    exec: ExecDecision
    policy: ValuePolicy = field(repr=False)
    context: ScopeContext
    rule: ScopeRule | None
    matched: tuple[ScopeRule, ...] = field(repr=False)

    @property
    def module(self) -> str | None:
        """The module that ``pkg`` selectors were compared with."""
        return self.context.module

    @property
    def object(self) -> str:
        """The dotted name that ``obj`` selectors were compared with."""
        return self.context.object

    @property
    def path(self) -> str:
        """The absolute path that ``file`` selectors were compared with."""
        return self.context.path

    @property
    def relative_path(self) -> str | None:
        """The path from the innermost root of the chain's files, None outside all of them."""
        return self.context.relative_path
