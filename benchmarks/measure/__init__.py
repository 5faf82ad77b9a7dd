"""One module a subject: ``measure`` takes values, ``FIGURES`` says what is made of them."""
