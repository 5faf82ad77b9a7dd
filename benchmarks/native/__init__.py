"""Small C modules that measuring needs, compiled when they are first used."""
