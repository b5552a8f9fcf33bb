"""Seals and opens with PyNaCl alone, as the protocol's own example does: `pynacl_peer.py seal|open`, stdin to stdout."""

import base64
import hashlib
import json
import os
import sys

from nacl.secret import SecretBox

box = SecretBox(hashlib.sha256(os.environ["CARDSEAL_SECRET"].encode()).digest())
text = sys.stdin.buffer.read()
if sys.argv[1:] == ["seal"]:
    field = base64.b64encode(b"\x02" + bytes(box.encrypt(text)))
    print(json.dumps({"encrypted": field.decode()}))
elif sys.argv[1:] == ["open"]:
    envelope = base64.b64decode(json.loads(text)["encrypted"], validate=True)
    if envelope[:1] != b"\x02":
        sys.exit(f"unknown version byte {envelope[:1]!r}")
    sys.stdout.buffer.write(box.decrypt(envelope[1:]) + b"\n")
else:
    sys.exit("usage: pynacl_peer.py seal|open")
