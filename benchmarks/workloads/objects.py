"""Objects and exceptions: a bank whose accounts refuse what they cannot pay."""

from __future__ import annotations

import sys
import time


class RefusedError(Exception):
    """An account does not hold what was asked of it."""


class Account:
    """Money of one owner."""

    def __init__(self, owner: str, balance: int) -> None:
        self.owner = owner
        self.balance = balance

    def deposit(self, amount: int) -> int:
        """Add `amount` and return the new balance."""
        self.balance += amount
        return self.balance

    def withdraw(self, amount: int) -> int:
        """Take `amount` away and return the new balance; raises RefusedError."""
        if amount > self.balance:
            raise RefusedError(self.owner)
        self.balance -= amount
        return self.balance


def run(n: int) -> int:
    """How many of `n` withdrawals are refused."""
    accounts = [Account(f"owner {i}", 100) for i in range(10)]
    refused = 0
    for i in range(n):
        account = accounts[i % 10]
        account.deposit(i % 7)
        try:
            account.withdraw(i % 40)
        except RefusedError:
            refused += 1
    return refused


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
