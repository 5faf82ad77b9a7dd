"""Objects of a few small attributes, met again and again while they and their classes change."""

import random


class Item:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Account:
    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = balance

    def pay(self, amount):
        self.balance -= amount
        return self.balance


class Other:
    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = balance


class Wide:
    def __init__(self, n):
        for i in range(n):
            setattr(self, f"field_{i}", i)


class Empty:
    pass


ATOMS = [0, 1, -7, 2**40, 2**70, 1.5, float("inf"), None, True, "", "a", "é" * 30, "x" * 64, "y" * 65]
OTHERS = [[], [1], {}, b"b", (1, 2), 2j]


def change(chance, known, account):
    what = chance.randrange(14)
    if what < 5:
        account.balance = chance.choice(ATOMS)
    elif what == 5:
        account.owner = chance.choice(OTHERS)
    elif what == 6:
        account.owner = "again"
    elif what == 7:
        del account.owner
        account.owner = chance.choice(ATOMS)
    elif what == 8:
        account.more = chance.choice(ATOMS)
    elif what == 9:
        account.__dict__.pop("more", None)
    elif what == 10:
        account.__class__ = chance.choice([Account, Other])
    elif what == 11:
        known[chance.randrange(len(known))] = Account("new", chance.randrange(9))
    elif what == 12:
        known.insert(0, known.pop())
    else:
        Account.count = chance.randrange(9)
    return account


def at_random(seed):
    chance = random.Random(seed)
    known = [Account(f"owner {i}", i) for i in range(6)]
    pair = (known[0], known[1])
    for _ in range(40):
        account = chance.choice(known)
        changed = change(chance, known, account)
        table = {"a": known[0], "b": [known[2]]}
        known[3].balance = 5
    return pair, changed, table


def many():
    """More of them than have numbers at a time."""
    crowd = [Account("one of many", i) for i in range(12)]
    for i, empty in enumerate([Empty() for _ in range(2200)]):
        empty.number = i
        if i % 200 == 0:
            crowd[i // 200].balance += 1
    del empty
    return len(crowd)


def wide():
    for n in (1, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 30, 31):
        one = Wide(n)
        one.field_0 = "first"
        setattr(one, f"field_{n - 1}", "last")
        del one.field_0
        one.field_0 = "again"
        seen = one.__dict__
        one.field_0 = "once more"
        del seen


def die_and_come_back():
    for i in range(40):
        one = Account("short lived", i % 2)
        one.pay(1)
        one = None
        other = Other("short lived", i % 2)
        other = None
    return one, other


def rename():
    one = Account("renamed", 1)
    two = [one, one]
    Account.__name__ = "Renamed"
    one.balance = 2
    Account.__name__ = "Account"
    one.balance = 3
    return two


def in_a_row_with_their_dicts():
    row = [Account(f"asked {i}", i) for i in range(5)]
    asked = [one.__dict__ for one in row]
    row[1].balance = 10
    asked[2]["balance"] = 20
    asked[3]["more"] = 1
    del asked[0]["owner"]
    row[1].__dict__ = {"owner": 1, "balance": 10}
    asked[1]["balance"] = "in the dict that it had"
    asked[4].clear()
    row[4].balance = 5
    return row


def share():
    one = Item(a=1)
    two = one
    both = [one, two, [one]]
    one.a = 2
    two.b = one.a
    one.a, one.b = one.b, one.a + 1
    return both


def disturb(chance, row):
    """Several changes in one step."""
    for one in chance.sample(range(len(row)), chance.randrange(1, 4)):
        what = chance.randrange(9)
        if what < 4:
            row[one].balance = chance.randrange(3)
        elif what == 4:
            row[one] = chance.choice(row)
        elif what == 5:
            row[one], row[0] = row[0], row[one]
        elif what == 6:
            row[one] = Account("same", 1)
        elif what == 7:
            row[one].balance = chance.choice([[], row[one]])
        else:
            row[one].__class__ = chance.choice([Account, Other])


def in_rows(seed):
    """Lists and tuples of objects of one class, which now and then are not."""
    chance = random.Random(seed)
    for n in (2, 3, 8):
        row = [Account("same", 1) for _ in range(n + 1)]
        pair = tuple(row[:n])
        for _ in range(25):
            [disturb(chance, row) for _ in "once"]
            row[:] = row[::-1] if chance.random() < 0.1 else row
            row = [Account("same", i) for i in range(9)] if chance.random() < 0.1 else row
        for i in range(5):
            row[0].balance, row[-1].balance = i % 2, 2 - i % 2
            row[0].balance, row[-1].balance, row[0].balance = 5, 5, i % 2
            del row[0].owner, row[0].balance
            row[0].owner, row[0].balance = "same", i % 2
            row[0].balance, row[0].owner = i % 2, "same"
    Account.__name__ = "Renamed"
    Account.more = seed
    Account.__name__ = "Account"
    return row, pair


at_random(1)
at_random(2)
at_random(3)
many()
wide()
die_and_come_back()
rename()
share()
in_rows(1)
in_rows(2)
in_a_row_with_their_dicts()
