"""Texts of redacted values do not get into the trace by way of output."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.io.support import run

SECRET = "correct horse battery"


@pytest.mark.parametrize(
    "program",
    [
        f"password = '{SECRET}'\nprint('it is', password)\n",
        f"password = ['x', ('{SECRET}',)]\nprint(password)\n",
        f"password = {{'key': '{SECRET}'}}\nprint(password['key'])\n",
        f"settings = {{'password': '{SECRET}'}}\nprint(settings)\n",
        f"password = b'{SECRET}'\nimport sys\nsys.stdout.buffer.write(password + b'\\n')\n",
        f"def get_password():\n    return '{SECRET}'\nprint(get_password())\n",
        f"def log_in(password):\n    print('with ' + password)\nlog_in('{SECRET}')\n",
        f"class User: pass\nu = User()\nu.password = '{SECRET}'\nprint(u.password)\n",
        f"password = 'first one'\npassword = '{SECRET}'\nprint(password)\n",
    ],
)
def test_what_a_filter_redacts_is_replaced_in_output(program: str, tmp_path: Path) -> None:
    """Wherever the value was, and however it is written; the program itself prints it."""
    done = run(tmp_path, program)
    assert SECRET.encode() in done.done.stdout
    assert SECRET.encode() not in done.text("stdout")
    assert b"<redacted>" in done.text("stdout")
    for file in (tmp_path / "out").iterdir():
        assert SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "secret", ['it\'s \\a "secret"\n', "sch\u00f6n\udc80\u200b!", b"\x00\xff'token'\""]
)
def test_secrets_are_replaced_as_a_repr_shows_them(secret: str | bytes, tmp_path: Path) -> None:
    """Inside a list, with its escapes, and alone."""
    write = "stdout.write" if isinstance(secret, str) else "stdout.buffer.write"
    done = run(
        tmp_path,
        "import sys\nsys.stdout.reconfigure(errors='surrogatepass')\n"
        f"password = {secret!a}\nprint([password], flush=True)\nsys.{write}(password)\n",
    )
    prefix = b"" if isinstance(secret, str) else b"b"
    shown, _, alone = done.text("stdout").partition(b"\n")
    assert shown.translate(None, b"'\"") == b"[" + prefix + b"<redacted>]"
    assert alone == b"<redacted>"


def test_numbers_and_texts_that_are_no_ascii_are_replaced(tmp_path: Path) -> None:
    """Numbers of six digits and more, as they are printed in decimal."""
    done = run(
        tmp_path,
        "password = 'sch\u00f6n\u20ac'\nmy_password = -123456\nprint(password, my_password)\n",
    )
    assert done.text("stdout") == b"<redacted> -<redacted>\n"


@pytest.mark.parametrize("sink", ["stdout.write(x)", "stdout.buffer.write(x.encode())"])
def test_a_secret_in_several_writes_is_hidden(sink: str, tmp_path: Path) -> None:
    """By asterisks, where each of its parts stands; what is around it stays."""
    done = run(
        tmp_path,
        f"import sys\npassword = '{SECRET}'\n"
        "for x in ['a', *password, 'b', 'correct ho', '!', 'correct horse b', 'attery', '\\n']:\n"
        f"    sys.{sink}\n",
    )
    hidden = b"*" * len(SECRET)
    assert done.text("stdout") == b"a" + hidden + b"bcorrect ho!" + hidden + b"\n"
    assert (SECRET + "b").encode() in done.done.stdout


def test_short_texts_are_left_alone(tmp_path: Path) -> None:
    """Fewer than six characters would be found in words that are none of it."""
    done = run(tmp_path, "password = 'abcde'\nprint('abcdef')\n")
    assert done.text("stdout") == b"abcdef\n"


def test_the_longest_text_is_replaced(tmp_path: Path) -> None:
    """One secret may begin with another."""
    done = run(
        tmp_path,
        "password = 'abcdef'\npassword2 = 'abcdefgh'\nprint('abcdefgh', 'abcdef', 'abcdefghi')\n",
    )
    assert done.text("stdout") == b"<redacted> <redacted> <redacted>i\n"


def test_a_secret_across_pieces_of_a_long_text_is_replaced(tmp_path: Path) -> None:
    """It is looked for before a text is split."""
    done = run(tmp_path, f"password = '{SECRET}'\nprint('x' * 65530 + password + 'y' * 70000)\n")
    assert done.text("stdout") == b"x" * 65530 + b"<redacted>" + b"y" * 70000 + b"\n"


def test_memory_for_secrets_is_bounded(tmp_path: Path) -> None:
    """Of very many the latest are kept."""
    done = run(
        tmp_path,
        "for i in range(3000):\n    password = f'secret number {i}'\nprint(password)\n"
        "print('secret number 0.')\n",
    )
    assert done.text("stdout") == b"<redacted>\nsecret number 0.\n"


def test_replacing_can_be_switched_off(tmp_path: Path) -> None:
    """Then output is recorded as it is."""
    done = run(tmp_path, f"password = '{SECRET}'\nprint(password)\n", "--no-redact-output")
    assert done.text("stdout") == SECRET.encode() + b"\n"
