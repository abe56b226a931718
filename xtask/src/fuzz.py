"""Sends an API whatever its own OpenAPI document makes schemathesis think of, and more that it does not.

    fuzz.py URL NAME CASES

URL is a server's without rate limits, NAME a contract's or `native`, CASES how many per operation are made up at random.
Every answer must have a status and a shape that the document tells, and be no 5xx. What is made up would name nothing
that exists, and come from nobody: so two times out of three names of things are replaced by those of things that are
there, and seven times out of eight the request is somebody's. What is replaced depends on the case alone, so that a
run with the same seed does the same.
"""

import collections
import json
import sys
import uuid
import zlib

import requests
import schemathesis
from schemathesis.cli import schemathesis as command

URL, NAME, CASES = sys.argv[1:4]
SEED = "20240308"
PASSWORD = "correct horse battery"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
]
# One dot.
PICTURE = bytes.fromhex("47494638376101000100800000ffffffffffff2c00000000010001000002024401003b")
# They never end, or are no HTTP.
ENDLESS = ["/api/v1/events", "/api/v1/ws"]


class World:
    """Two people, what they share, and a session of the first: `people` are ids, `faces` their numbers."""

    def __init__(self):
        self.api = requests.Session()
        ana, ben, eva = (self.register() for _ in range(3))
        self.token, self.me = ana["access_token"], ana["user"]["id"]
        everybody = [ana["user"], ben["user"], eva["user"]]
        self.people = [user["id"] for user in everybody]
        self.faces = [user["number"] for user in everybody]
        self.names = [user["username"] for user in everybody]
        self.mails = [f"{name}@example.org" for name in self.names]
        direct = self.post("chats", {"kind": "direct", "user_id": self.people[1]})
        group = self.post("chats", {"kind": "group", "title": "Poets", "user_ids": self.people[1:]})
        own = self.post("chats", {"kind": "group", "title": "Alone", "user_ids": []})
        chats = [direct, group, own]
        self.chats = [chat["id"] for chat in chats]
        self.rooms = [chat["number"] for chat in chats]
        said = [self.post(f"chats/{chat}/messages", {"body": "¡Hola! 😀"}) for chat in self.chats]
        # One that the caller did not say.
        said += [self.post(f"chats/{chat}/messages", {"body": "hi"}, ben["access_token"]) for chat in self.chats[:2]]
        self.messages = [message["id"] for message in said]
        self.picture = self.upload()

    def register(self):
        name = f"fuzz{uuid.uuid4().hex[:12]}"
        who = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        return self.post("auth/register", who, None)

    def post(self, path, body, token=""):
        token = self.token if token == "" else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.taken(self.api.post(f"{URL}/api/v1/{path}", json=body, headers=headers))

    def upload(self):
        headers = {"Authorization": f"Bearer {self.token}"}
        files = {"file": ("a b.txt", b"some text")}
        return self.taken(self.api.post(f"{URL}/api/v1/files", files=files, headers=headers))["id"]

    @staticmethod
    def taken(answer):
        if not answer.ok:
            sys.exit(f"the server cannot be prepared: {answer.status_code} {answer.text}")
        return answer.json()

    def cookies(self):
        return f"user_id={self.me}; token={self.token}"


WORLD = World()
COUNTS = collections.Counter()
OPERATIONS = collections.defaultdict(collections.Counter)


def operation_id(case):
    return str(case.operation.definition.raw.get("operationId"))


def pool(key, case):
    """What the field or the parameter of that name could name."""
    path = case.operation.path
    numbers = NAME in ("company", "emotechat")
    people = WORLD.faces if numbers else WORLD.people
    chats = WORLD.rooms if numbers else WORLD.chats
    key = key.lower().replace("_", "").rstrip("s")
    if key == "id":
        before = path.split("{id}")[0]
        key = "user" if "user" in before else "message" if NAME == "cookies" or "messages" in before else "chat"
    if case.operation.method.upper() != "GET" and key in ("user", "userid") and path.startswith("/api/user"):
        # Nothing can be changed of others.
        return [people[0], people[0], people[1]]
    if key in ("user", "userid", "receiverid", "recipient", "recipientid", "participant", "partnerid", "sender"):
        return people
    if key in ("chat", "chatid", "conv", "convid"):
        return chats
    if key in ("message", "messageid", "replyto") or (key == "before" and NAME == "amigos"):
        return WORLD.messages
    if key in ("image", "profilepic", "file", "avatar") and "multipart" in str(case.media_type):
        return [PICTURE, PICTURE, b"no picture"]
    if key in ("file", "fileid", "attachment", "key"):
        return [WORLD.picture]
    registers = "register" in operation_id(case)
    fresh = f"fuzz{uuid.uuid4().hex[:12]}"
    if key == "email":
        return [f"{fresh}@example.org", WORLD.mails[1]] if registers else WORLD.mails
    if key in ("username", "login") or (key == "name" and NAME == "cookies"):
        return [fresh, WORLD.names[1]] if registers else WORLD.names
    if key in ("password", "currentpassword"):
        return [PASSWORD]
    return None


class Dice:
    """Draws that follow from a case."""

    def __init__(self, case):
        made = repr((case.path_parameters, case.query, case.body if isinstance(case.body, (dict, list)) else None))
        self.state = zlib.crc32(f"{case.operation.label}{made}".encode("utf-8", "surrogatepass"))

    def draw(self, sides):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return (self.state >> 8) % sides


def filled(value, case, dice):
    """The same with names of what is there in the place of most."""
    if not isinstance(value, dict):
        return value
    made = {}
    for key, old in value.items():
        there = pool(key, case) if isinstance(key, str) else None
        if isinstance(old, dict):
            made[key] = filled(old, case, dice)
        elif there is None or dice.draw(3) == 0:
            made[key] = old
        elif isinstance(old, list):
            made[key] = there[: 1 + dice.draw(len(there))]
        else:
            made[key] = there[dice.draw(len(there))]
    return made


@schemathesis.hook
def before_call(context, case, kwargs):
    dice = Dice(case)
    for place in ("path_parameters", "query", "body"):
        value = getattr(case, place)
        if isinstance(value, dict):
            made = filled(value, case, dice)
            setattr(case, place, made if place == "body" else type(value)(made))
    own = ("authorization", "cookie")
    headers = {name: value for name, value in (case.headers or {}).items() if name.lower() not in own}
    who = dice.draw(8)
    if NAME == "cookies" and who < 6:
        headers["Cookie"] = WORLD.cookies()
    elif who < 7:
        headers["Authorization"] = f"Bearer {WORLD.token}"
    case.headers = headers


@schemathesis.hook
def after_call(context, case, response):
    global WORLD
    COUNTS[response.status_code] += 1
    OPERATIONS[case.operation.label][response.status_code] += 1
    ends = case.operation.method.upper() == "DELETE" or "log_out" in operation_id(case)
    if ends and response.status_code < 300:
        WORLD = World()


def main():
    # Who asks is decided here alone.
    with open("schemathesis.toml", "w", encoding="utf-8") as settings:
        settings.write("[auth]\nauto-signup = false\n")
    document = f"{URL}/openapi.json" if NAME == "native" else f"{URL}/compat/{NAME}/openapi.json"
    words = ["run", document, "--max-examples", CASES, "--seed", SEED, "--checks", ",".join(CHECKS)]
    words += ["--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--continue-on-failure"]
    words += ["--suppress-health-check", "all", "--request-timeout", "30", "--warnings", "off", "--no-shrink"]
    for path in ENDLESS if NAME == "native" else []:
        words += ["--exclude-path", path]
    try:
        code = command(words, standalone_mode=False)
    except SystemExit as end:
        code = end.code
    for label, counts in sorted(OPERATIONS.items()):
        told = " ".join(f"{status}:{count}" for status, count in sorted(counts.items()))
        print(f"{label}  {told}")
    total = sum(COUNTS.values())
    print(f"{NAME}: {total} cases; by status {json.dumps(dict(sorted(COUNTS.items())))}", flush=True)
    if total == 0:
        sys.exit("no case was sent")
    sys.exit(code)


main()
