"""Drives textwrap and string."""

import sys

sys.modules.pop("textwrap")
sys.modules.pop("string")
import string
import textwrap

text = """The quick-brown fox, whose em-dash--like this--and its "quotes" matter,
jumps over the lazy dog.  It does so twice.	Tabs	too. AVeryLongWordThatMustBeBrokenInTheMiddle!"""
for width in (12, 20, 40):
    for options in (
        {},
        {"break_long_words": False},
        {"initial_indent": "* ", "subsequent_indent": "  "},
        {"fix_sentence_endings": True, "drop_whitespace": False},
        {"max_lines": 2, "placeholder": " [...]"},
        {"break_on_hyphens": False, "expand_tabs": False},
    ):
        print(textwrap.fill(text, width, **options))
print(textwrap.dedent("    a\n      b\n\n    c\n"))
print(textwrap.indent("a\n\nb\n", "> ", lambda line: True))
print(textwrap.shorten(text, 30))
template = string.Template("$who likes ${what} and $$")
print(template.substitute(who="tim", what="kung pao"), template.safe_substitute(who="x"))
try:
    string.Template("$who $").substitute(who=1)
except ValueError as error:
    print(error)
formatter = string.Formatter()
print(formatter.format("{0!r:>10} {name[key]} {1.imag:{width}}", "a", 1j, name={"key": 3}, width=6))
print(string.capwords("  many   words here "))
