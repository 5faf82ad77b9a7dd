"""More names of fields than the journal has numbers for, beside a value with names of our own."""


class Record:
    def __init__(self, names):
        self.items = []
        self.__dict__.update(dict.fromkeys(names, 0))


def walk():
    data = bytearray(b"abc")
    view = memoryview(data)
    for first in range(0, 4000, 80):
        record = Record([f"name_{i}" for i in range(first, first + 80)])
        data[0] = first // 80
        same = record
    return view


walk()
