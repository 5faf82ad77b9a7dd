def numbers():
    while True:
        yield 1


generator = numbers()
next(generator)
generator.close()
