"""Frozen data classes that cost little to make.

`dataclasses` writes and compiles the source of six functions for each class, and brings `inspect`
with it: together a third of what a recorder takes to start. The classes made here share their
functions, which walk over the fields. To type checkers they are dataclasses, and to `dataclasses`
and `inspect`, too: `fields`, `replace`, `asdict` and `signature` find what they look for.

codetracer-filter and codetracer-policy, which stand alone, have the same copy of this module.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import field, replace

__all__ = ["field", "record", "replace"]

if not TYPE_CHECKING:
    _MISSING = object()

    class field:  # noqa: N801
        """How a field differs from others, as in `dataclasses`."""

        __slots__ = ("compare", "default", "repr")

        def __init__(self, *, default=_MISSING, repr=True, compare=True):  # noqa: A002
            self.default = default
            self.repr = repr
            self.compare = compare

    def record(*, frozen, slots):
        """Make the class below a data class, whose instances cannot be changed and have no dict."""
        if not (frozen and slots):
            raise ValueError("records are frozen and have slots")
        return _make

    def replace(instance, /, **changes):
        """A copy of a record with other values for some of its fields."""
        names = instance.__slots__
        return type(instance)(**{name: getattr(instance, name) for name in names} | changes)

    def _make(cls):
        types = cls.__annotations__
        names = tuple(types)
        body = {
            name: value
            for name, value in vars(cls).items()
            if name not in ("__dict__", "__weakref__")
        }
        fields = {}
        for name in names:
            given = body.pop(name, _MISSING)
            fields[name] = given if isinstance(given, field) else field(default=given)
        functions = {
            name: value
            for name, value in vars(_Shared).items()
            if name not in ("__module__", "__doc__", "__dict__", "__weakref__")
        }
        made = type(cls)(
            cls.__name__,
            cls.__bases__,
            functions
            | body
            | {
                "__slots__": names,
                "__annotations__": types,
                "__match_args__": names,
                "__record_fields__": fields,
                "__record_shown__": tuple(n for n in names if fields[n].repr),
                "__record_compared__": tuple(n for n in names if fields[n].compare),
            },
        )
        made.__qualname__ = cls.__qualname__
        # What the slots' descriptors do is not stopped by __setattr__.
        made.__record_setters__ = tuple(made.__dict__[name].__set__ for name in names)
        return made

    def _bind(cls, args, given):
        """The values of all fields, in their order, for a call with these arguments."""
        fields = cls.__record_fields__
        if len(args) > len(fields):
            raise TypeError(
                f"{cls.__name__}() takes {len(fields)} arguments but {len(args)} were given"
            )
        values = dict(zip(fields, args, strict=False))
        for name, value in given.items():
            if name not in fields:
                raise TypeError(f"{cls.__name__}() got an unexpected keyword argument {name!r}")
            if name in values:
                raise TypeError(f"{cls.__name__}() got multiple values for argument {name!r}")
            values[name] = value
        bound = [values.get(name, of.default) for name, of in fields.items()]
        missing = [n for n, value in zip(fields, bound, strict=True) if value is _MISSING]
        if missing:
            raise TypeError(f"{cls.__name__}() misses the arguments {', '.join(missing)}")
        return bound

    class _FromDataclass:
        """Something of the dataclass that has the same fields, made when it is asked for."""

        def __init__(self, of):
            self._of = of

        def __get__(self, instance, owner):
            import dataclasses

            fields = []
            for name, own in owner.__record_fields__.items():
                given = {} if own.default is _MISSING else {"default": own.default}
                made = dataclasses.field(**given, repr=own.repr, compare=own.compare)
                fields.append((name, owner.__annotations__[name], made))
            return self._of(dataclasses.make_dataclass(owner.__name__, fields, frozen=True))

    def _signature(cls):
        import inspect

        return inspect.signature(cls)

    class _Shared:
        """What all records have."""

        __dataclass_fields__ = _FromDataclass(lambda cls: cls.__dataclass_fields__)
        __dataclass_params__ = _FromDataclass(lambda cls: cls.__dataclass_params__)
        __signature__ = _FromDataclass(_signature)
        __replace__ = replace

        def __init__(self, *args, **given):
            cls = type(self)
            if given or len(args) != len(cls.__record_fields__):
                args = _bind(cls, args, given)
            for assign, value in zip(cls.__record_setters__, args, strict=True):
                assign(self, value)
            self.__post_init__()

        def __post_init__(self):
            """Nothing; a record may say more."""

        def __repr__(self):
            shown = [f"{name}={getattr(self, name)!r}" for name in self.__record_shown__]
            return f"{type(self).__qualname__}({', '.join(shown)})"

        def __eq__(self, other):
            if type(other) is not type(self):
                return NotImplemented
            return all(getattr(self, n) == getattr(other, n) for n in self.__record_compared__)

        def __hash__(self):
            return hash(tuple([getattr(self, name) for name in self.__record_compared__]))

        def __setattr__(self, name, value):
            from dataclasses import FrozenInstanceError

            raise FrozenInstanceError(f"cannot assign to field {name!r}")

        def __delattr__(self, name):
            from dataclasses import FrozenInstanceError

            raise FrozenInstanceError(f"cannot delete field {name!r}")

        def __getstate__(self):
            return [getattr(self, name) for name in self.__slots__]

        def __setstate__(self, state):
            for assign, value in zip(type(self).__record_setters__, state, strict=True):
                assign(self, value)
