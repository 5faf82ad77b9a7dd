"""Many modules, whose globals change in every way while the others' do too."""

SOURCE = """
count = 0

def grow(by):
    global count, gone
    count += by
    gone = [count]
    del gone
    return count

def alias():
    globals()["count"] = 7
    return count

def clear():
    names = globals()
    value = names.pop("count")
    names.update(count=8)
    names |= {"count": 9}
    return count
"""


def make(number):
    space = {"__name__": f"space{number}"}
    exec(compile(SOURCE, __file__, "exec"), space)
    return space["grow"], space["alias"], space["clear"]


functions = [make(number) for number in range(40)]
for grow, alias, clear in functions:
    grow(1)
for grow, alias, clear in functions[::9]:
    alias()
    grow(2)
    clear()
    grow(3)
