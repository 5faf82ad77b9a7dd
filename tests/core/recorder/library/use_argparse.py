"""Drives argparse: types, choices, unknown arguments, help, errors."""

import argparse
import os

os.environ["COLUMNS"] = "80"


def build():
    parser = argparse.ArgumentParser("prog", epilog="The end.", add_help=False, exit_on_error=False)
    parser.add_argument("-v", action="count", default=0, help="more output")
    parser.add_argument("--size", type=int, choices=range(3), metavar="N")
    return parser


parser = build()
print(parser.parse_known_args(["-vv", "--size=2", "--unknown"]))
print(parser.format_help())
try:
    parser.parse_args(["--size", "7"])
except argparse.ArgumentError as error:
    print(error)
