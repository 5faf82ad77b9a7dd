def pairs(values):
    return [
        (value,
         -value)
        for value in values
    ]


pairs([1, 2])
