"""Lines that do nothing, with changes before, behind and between them."""

from __future__ import annotations


class Account:
    def __init__(self, balance: int) -> None:
        self.balance = balance


def tried(accounts: list[Account]) -> int:
    total = 0
    for account in accounts:
        account.balance += 1
        try:
            try:
                total += account.balance
                if account.balance % 3 == 0:
                    raise ValueError
            finally:
                account.balance += 1
        except ValueError:
            pass
        try:
            pass
        finally:
            pass
    return total


def looped(n: int) -> list[int]:
    items: list[int] = []
    while True:
        try:
            items.append(len(items))
        finally:
            items.append(-1)
        if len(items) > n:
            break
        continue
    return items


def produced(items: list[int]):
    try:
        try:
            yield items
        finally:
            items.append(1)
    finally:
        items.append(2)


def closing() -> list[int]:
    shared: list[int] = []

    def change() -> None:
        nonlocal shared
        try:
            shared = [*shared, len(shared)]
        finally:
            pass

    for _ in range(3):
        try:
            change()
        finally:
            pass
    return shared


ACCOUNTS = [Account(i) for i in range(12)]
try:
    print(tried(ACCOUNTS), tried(ACCOUNTS), looped(6), closing())
    print([list(one) for one in produced([])])
finally:
    pass
