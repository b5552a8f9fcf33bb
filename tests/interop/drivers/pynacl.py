"""Seals and opens with PyNaCl alone, as the document does: a line of JSON each, in the form of ``cardseal batch``."""

import base64
import hashlib
import json
import sys

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

VERSION = {"versioned": b"\x02", "bare": b""}


def answer(question):
    box = SecretBox(hashlib.sha256(question["secret"].encode()).digest())
    version = VERSION[question["layout"]]
    if question["operation"] == "seal":
        field = base64.b64encode(version + bytes(box.encrypt(question["payload"].encode())))
        return {"body": json.dumps({"encrypted": field.decode()})}
    envelope = base64.b64decode(json.loads(question["body"])["encrypted"], validate=True)
    if not envelope.startswith(version):
        raise ValueError("unknown version")
    return {"payload": box.decrypt(envelope[len(version) :]).decode()}


for line in sys.stdin:
    question = json.loads(line)
    try:
        print(json.dumps({"id": question["id"], "ok": answer(question)}))
    except (CryptoError, ValueError):
        print(json.dumps({"id": question["id"], "error": {"code": "refused"}}))
