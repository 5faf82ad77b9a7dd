def wait():
    try:
        yield from [
            1
        ]
    except ValueError:
        pass


generator = wait()
next(generator)
try:
    generator.throw(ValueError)
except StopIteration:
    pass
