"""Drives parsers that are written in Python: configparser, csv, html, shlex, tokenize, fractions."""

import configparser
import csv
import fractions
import html.parser
import io
import shlex
import statistics
import tokenize

config = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())
config.read_string("[a]\nx = 1\ny = ${x}2\n multi = line\n[b]\nz: ${a:y}\n; comment\n")
print({section: dict(config[section]) for section in config.sections()})
try:
    config.read_string("no section")
except configparser.Error as error:
    print(type(error).__name__)
rows = list(csv.DictReader(io.StringIO("a,b\n1,2\n3\n")))
print(rows, csv.Sniffer().sniff("a;b\n1;2\n").delimiter)


class Collect(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, attrs))

    def handle_data(self, data):
        self.seen.append(data)


collect = Collect()
collect.feed("<p class='x'>a &amp; b<br/><!-- c --></p>tail")
collect.close()
print(collect.seen)
print(shlex.split("a 'b c' \"d\\\"e\" f\\ g # no"), shlex.quote("it's"))
source = "def f(a, b=1):\n    return f'{a}' + \"x\"\n"
print(len(list(tokenize.generate_tokens(io.StringIO(source).readline))))
half = fractions.Fraction(1, 2) + fractions.Fraction("3/7") ** 2
print(half, half.limit_denominator(10), statistics.stdev([1, 2, 4]), statistics.median([5, 1]))
