"""Plants secrets wherever names can tell that they are some.

The first argument is a folder. Each secret is made while the program runs, so that none stands in
the source; ``planted.txt`` lists them, and ``ready`` appears once all of them were visible. With
the argument ``wait`` the program then waits to be killed, with ``full`` no file can grow any more.
"""

import asyncio
import collections
import dataclasses
import enum
import logging
import os
import resource
import subprocess
import sys
import threading
import time
import types
from typing import NamedTuple

FOLDER = sys.argv[1]


def make_secret():
    """A secret; the names here are those of secrets, so nothing shows it on its way."""
    secret = os.urandom(10).hex().upper()
    token = os.open(f"{FOLDER}/planted.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(token, f"{secret}\n".encode())
    os.close(token)
    return secret


def plain():
    return "PLAIN-" + os.urandom(4).hex()


# Globals and a class body.
API_KEY = make_secret()
db_password = make_secret()
SETTINGS = {"name": plain(), "database": {"host": plain(), "password": make_secret()}}
CREDENTIALS = [make_secret(), plain()]


class Service:
    access_key = make_secret()
    options = {"client_secret": make_secret(), "region": plain()}

    def __init__(self, url):
        self.url = url
        self.password = make_secret()
        self.session_id = make_secret()
        self.headers = {"Authorization": "Bearer " + make_secret(), "Accept": plain()}

    @property
    def refreshToken(self):
        return make_secret()

    def login(self, user, *, passphrase, **more):
        answer = {"user": user, "csrf_token": make_secret()}
        return answer


class Slotted:
    __slots__ = ("__token", "name", "pin_code")

    def __init__(self):
        self.name = plain()
        self.pin_code = make_secret()
        self.__token = make_secret()


class Both(Slotted):
    def __init__(self):
        super().__init__()
        self.cookie = make_secret()


@dataclasses.dataclass
class Card:
    owner: str
    card_number: str
    cvv: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    label: str
    private_key: str


class Pair(NamedTuple):
    user: str
    password: str


class Account(dict):
    pass


class AuthError(Exception):
    def __init__(self, user, *, bearer):
        super().__init__(user)
        self.bearer = bearer
        self.details = {"otp": make_secret(), "user": user}


class Environment(collections.UserDict):
    """Like os.environ: the storage is a dict inside, whose keys are bytes."""

    def __setitem__(self, key, secret):
        self.data[key.encode()] = secret.encode()


class Mode(enum.Enum):
    PLAIN = "PLAIN-mode"


Credential = enum.Enum("Credential", {"ACCESS_TOKEN": make_secret(), "OPEN": "PLAIN-open"})
Grade = enum.IntFlag("Grade", {"PIN_CODE": int.from_bytes(make_secret()[:7].encode()), "LOW": 1})


class Login(str, enum.Enum):
    PASSWORD = make_secret()


def arguments(password, *secrets, token=None, **kwargs):
    jwt = [password, secrets]
    inner = {"kwargs": kwargs}
    return len(jwt) + len(inner)


def auth_code():
    code = plain()
    return make_secret() if code else None


def lengths():
    return len(db_password) + len(API_KEY)


def tokens():
    yield make_secret()
    yield [make_secret()]


def rows():
    yield {"id": 1, "secret": make_secret()}
    yield (plain(), {"ssn": make_secret()})


def nested():
    tree = {"a": [{"b": ({"c": {"api_key": make_secret()}},)}]}
    tree["a"][0]["d"] = collections.OrderedDict(password=make_secret(), shown=plain())
    tree["a"].append(collections.defaultdict(list, {"passwd": [make_secret()]}))
    tree["set"] = {plain()}
    tree["mode"] = Mode.PLAIN
    tree["kinds"] = [*Credential, Grade.PIN_CODE, Login.PASSWORD, {Login.PASSWORD: plain()}]
    return tree


def objects():
    service = Service(plain())
    service.password = make_secret()
    service.refreshToken
    service.login(plain(), passphrase=make_secret(), totp=make_secret())
    slotted, both = Slotted(), Both()
    slotted.pin_code = make_secret()
    card = Card(plain(), make_secret(), cvv=make_secret())
    key = Key(plain(), make_secret())
    pair = Pair(plain(), make_secret())
    account = Account(user=plain(), password=make_secret())
    account.session = make_secret()
    space = types.SimpleNamespace(credential=make_secret(), name=plain())
    queue = collections.deque([{"authorization": make_secret()}, plain()])
    chain = collections.ChainMap({"oauth": make_secret()}, {"kept": plain()})
    environment = Environment()
    environment["DB_PASSWORD"] = make_secret()
    environment["LANG"] = plain()
    os.environ["PLANTED_TOKEN"] = make_secret()
    shown = os.environ
    del os.environ["PLANTED_TOKEN"]
    return [service, both, card, key, pair, account, space, queue, chain, shown]


def exceptions():
    try:
        raise AuthError(plain(), bearer=make_secret())
    except AuthError as error:
        kept = error
        kept.signing_key = make_secret()
    try:
        try:
            raise KeyError({"password": make_secret()})
        finally:
            done = plain()
    except KeyError as error:
        return [error, kept, done]


def closures():
    password = make_secret()
    shown = {"password": make_secret(), "number": 1}

    def inner(step):
        nonlocal password
        password += make_secret()[:0]
        shown["number"] += step
        return [(word := plain()) for _ in range(2) if (secret := make_secret()) and word]

    return inner(1) if False else shown


def printed():
    """Secrets inside texts that are written; nobody but a recorder sees them."""
    kept = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    password, token = make_secret(), make_secret()
    print("PLAIN-output", password, [token])
    sys.stdout.write("in " + token[:9])
    sys.stdout.write(token[9:] + " parts\n")
    sys.stdout.flush()
    os.write(1, password.encode() + b"\n")
    log = logging.getLogger("program")
    log.addHandler(logging.StreamHandler(sys.stdout))
    log.warning("the token is %s", token)
    os.dup2(kept, 1)
    os.close(kept)
    os.close(null)


def child():
    """A process that is recorded, too."""
    password = make_secret()
    return subprocess.run(
        [sys.executable, "-c", "import sys; secret = sys.argv[2]; print(len(secret))"]
        + ["--password", password, f"--api-key={make_secret()}"],
        capture_output=True,
    ).returncode


class Chains:
    """Keys behind objects that stand in for mappings."""

    def __init__(self):
        self.proxy = types.MappingProxyType({"password": make_secret(), "shown": plain()})
        self.chain = collections.ChainMap({}, {"db": {"pwd": make_secret()}})
        self.keys = {("a", 1): {"session_token": make_secret()}, b"secret": make_secret()}


async def coroutine():
    reply = {"access_token": make_secret(), "expires": 5}
    await asyncio.sleep(0)
    return reply


def beside(results):
    results.append({"xsrf": make_secret(), "thread": plain()})


def run():
    arguments(make_secret(), make_secret(), token=make_secret(), api_key=make_secret(), kept=1)
    auth_code()
    lengths()
    for token in tokens():
        del token
    for row in rows():
        kept = row
    tree = nested()
    things = objects()
    failures = exceptions()
    closures()
    printed()
    child()
    chains = Chains()
    failed = []
    for password in [make_secret()]:
        try:
            raise LookupError(f"{password} is unknown")
        except LookupError as error:
            failed.append(error)
    reply = asyncio.run(coroutine())
    results = []
    worker = threading.Thread(target=beside, args=(results,))
    worker.start()
    worker.join()
    return [tree, things, failures, reply, results, kept, chains, failed]


run()
with open(f"{FOLDER}/ready", "w"):
    pass
if "full" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
while "wait" in sys.argv:
    time.sleep(0.01)
