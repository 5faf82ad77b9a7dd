"""Drives argparse: subcommands, groups, types, help, errors."""

import argparse
import os

os.environ["COLUMNS"] = "80"


def build():
    parser = argparse.ArgumentParser("prog", description="A tool.", epilog="The end.", exit_on_error=False)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="more output")
    parser.add_argument("--size", type=int, choices=range(3), metavar="N")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--on", action="store_true")
    group.add_argument("--off", dest="on", action="store_false")
    commands = parser.add_subparsers(dest="command", title="commands")
    add = commands.add_parser("add", aliases=["a"], help="adds")
    add.add_argument("items", nargs="+")
    add.add_argument("--to", nargs="?", const="here", default="nowhere")
    run = commands.add_parser("run")
    run.add_argument("rest", nargs=argparse.REMAINDER)
    return parser


parser = build()
print(parser.parse_args(["-vv", "--size=2", "add", "x", "y", "--to"]))
print(parser.parse_args(["--on", "run", "-x", "--", "z"]))
print(parser.parse_known_args(["a", "1", "--unknown"]))
print(parser.format_help())
for bad in (["--size", "7"], ["--size", "q"], ["--on", "--off"]):
    try:
        parser.parse_args(bad)
    except argparse.ArgumentError as error:
        print(error)
try:
    parser.parse_args(["nope"])
except (SystemExit, argparse.ArgumentError) as error:
    print(type(error).__name__)
