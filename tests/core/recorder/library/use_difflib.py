"""Drives difflib."""

import difflib

one = "zero\none\ntwo\nthree\nfour\nfive\n".splitlines(keepends=True)
two = "zero\nore\ntree\nthree\nemu\nfive\nsix\n".splitlines(keepends=True)
print("".join(difflib.unified_diff(one, two, "a", "b", n=1)))
print("".join(difflib.context_diff(one, two)))
print("".join(difflib.ndiff(one, two)))
matcher = difflib.SequenceMatcher(None, "private Thread currentThread;", "private volatile Thread;")
print(round(matcher.ratio(), 3), matcher.get_opcodes())
print(matcher.find_longest_match(), list(matcher.get_grouped_opcodes(2))[:1])
print(difflib.get_close_matches("appel", ["ape", "apple", "peach", "puppy"]))
delta = list(difflib.Differ(charjunk=difflib.IS_CHARACTER_JUNK).compare(one, two))
print(list(difflib.restore(delta, 2)) == two)
