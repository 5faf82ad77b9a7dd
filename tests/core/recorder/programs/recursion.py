"""Calls that call themselves, shallow, mutual, and as deep as the limit allows."""

import sys


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def hanoi(n, source, target, spare, moves):
    if n:
        hanoi(n - 1, source, spare, target, moves)
        moves.append((n, source, target))
        hanoi(n - 1, spare, target, source, moves)
    return moves


def deep(n):
    if n == 0:
        return 0
    below = deep(n - 1)
    return below + 1


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


print(fib(9))
print(is_even(31), is_odd(31))
print(len(hanoi(5, "a", "b", "c", [])))
print(ackermann(2, 3))
print(deep(sys.getrecursionlimit() - 60))
sys.setrecursionlimit(9000)
print(deep(4000))
