"""Type aliases and type parameters, which CPython 3.12 brought."""


type Alias[T] = list[T]


def generic[T](value: T) -> T:
    held: T = value
    return held


class Generic[T]:
    def __init__(self, value: T):
        self.value = value


print(Alias.__value__, generic(5), Generic(6).value)
