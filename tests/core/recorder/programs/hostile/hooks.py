"""Objects that count every call of their hooks, in every place where a recorder finds values."""

import sys
import threading

calls = []
quiet = True

HOOKS = (
    "__repr__ __str__ __eq__ __ne__ __lt__ __hash__ __bool__ __len__ __iter__ __next__ __contains__ "
    "__getitem__ __index__ __int__ __float__ __complex__ __format__ __bytes__ __dir__ __sizeof__ "
    "__reduce__ __reduce_ex__ __copy__ __deepcopy__ __getattr__ __instancecheck__ __subclasscheck__ "
    "__call__ __get__ __fspath__ __length_hint__ __reversed__ __round__ __trunc__ keys items values get"
).split()


def hook(name, answer):
    def method(self, *arguments):
        calls.append(name)
        return answer(self, *arguments)

    return method


def refuse(self, *arguments):
    raise RuntimeError("user code was run")


def hooks(base):
    """A namespace in which each hook that `base` has, or could have, counts its calls."""
    made = {}
    for name in HOOKS:
        answer = getattr(base, name, None)
        if name in ("__eq__", "__ne__", "__hash__"):
            answer = {"__eq__": lambda a, b: a is b, "__ne__": lambda a, b: a is not b}.get(name, id)
        elif answer is None or base in (object, type):
            answer = refuse
        made[name] = hook(name, answer)
    made["__getattribute__"] = hook("__getattribute__", base.__getattribute__)
    made["__class__"] = property(hook("__class__", lambda self: int))
    made["field"] = property(hook("field", refuse))
    return made


class Meta(type):
    pass


for name, method in hooks(type).items():
    if name not in ("__call__", "__class__", "field", "__get__"):
        setattr(Meta, name, method)

Thing = Meta.__new__(Meta, "Thing", (), {**hooks(object), "__slots__": ("slot", "__dict__")})
Items = type("Items", (list,), hooks(list))
Table = type("Table", (dict,), hooks(dict))
Row = type("Row", (tuple,), hooks(tuple))
Names = type("Names", (set,), hooks(set))
Fixed = type("Fixed", (frozenset,), hooks(frozenset))
Text = type("Text", (str,), hooks(str))
Data = type("Data", (bytes,), hooks(bytes))
Number = type("Number", (int,), hooks(int))
Real = type("Real", (float,), hooks(float))
Pair = type("Pair", (complex,), hooks(complex))
Failure = type("Failure", (Exception,), {**hooks(Exception), "args": property(hook("args", refuse))})
Module = type("Module", (type(sys),), hooks(type(sys)))


def make():
    return [
        object.__new__(Thing),
        list.__new__(Items),
        dict.__new__(Table),
        tuple.__new__(Row, (1, 2)),
        set.__new__(Names),
        frozenset.__new__(Fixed, (3,)),
        str.__new__(Text, "text"),
        bytes.__new__(Data, b"data"),
        int.__new__(Number, 5),
        int.__new__(Number, 2**80),
        float.__new__(Real, 1.5),
        complex.__new__(Pair, 1, 2),
        BaseException.__new__(Failure, "why", 1),
        Thing,
        Meta,
        type.__call__(Module, "module"),
    ]


def as_locals(values, *rest, **more):
    for value in values:
        one = value
        nested = [value, (value,), {"key": value}]
        nested.append(value)
        nested[0] = None
        keyed = {value: 1} if value is values[0] else None
        if keyed:
            keyed[value] = 2
            members = {value}

        def inner():
            return value

        inner()
    list.append(values[1], values[0])
    dict.__setitem__(values[2], values[0], values[1])
    set.add(values[4], values[0])
    del one
    return values[0]


def generate(values):
    for value in values:
        got = yield value
    return values


def raises(error):
    local = error
    raise error


class Slow(threading.Thread):
    @property
    def name(self):
        calls.append("name of a thread")
        return threading.Thread.name.fget(self)

    def run(self):
        as_locals(make())


values = make()
shared = values[0]
others = values


def uses_globals():
    seen = shared is others[0]
    again = others
    return seen


as_locals(values, *values, extra=values[2])
for value in generate(values):
    pass
generator = generate(values)
next(generator)
list.extend(values, make())
try:
    generator.throw(values[12])
except Exception as error:
    caught = error
try:
    raises(values[12])
except Exception:
    pass
uses_globals()


class Namespace(dict):
    pass


for name, method in hooks(dict).items():
    if name in ("__iter__", "__len__", "keys", "items", "values", "get", "__repr__", "__bool__"):
        setattr(Namespace, name, method)


class Prepared(type):
    @classmethod
    def __prepare__(mcls, name, bases):
        return Namespace()


class Mapping:
    def __init__(self):
        self.kept = {}

    def __getitem__(self, name):
        calls.append("mapping get")
        return self.kept[name]

    def __setitem__(self, name, value):
        calls.append("mapping set")
        self.kept[name] = value

    def __len__(self):
        calls.append("mapping len")
        return len(self.kept)

    def keys(self):
        calls.append("mapping keys")
        return self.kept.keys()


Body = Prepared("Body", (), {})


class Made(metaclass=Prepared):
    inside = values[0]
    other = [inside]


body = compile("first = 1\nsecond = shared\nthird = [second]\n", __file__, "exec")
exec(body, {"shared": shared, "__name__": str.__new__(Text, "named")}, Mapping())
exec(body, {"shared": shared, str.__new__(Text, "odd key"): 1, 5: shared, shared: 2})

thread = Slow()
thread.start()
thread.join()
print(len(calls), calls)
