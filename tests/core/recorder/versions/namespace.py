class Names(dict):
    def __setitem__(self, name, value):
        dict.__setitem__(self, name, value)


class Meta(type):
    __prepare__ = lambda *arguments: Names()


class Made(metaclass=Meta):
    field = 1
