"""Seals and opens with the Python package: `cardseal_python.py seal|open`, stdin to stdout."""

import json
import os
import sys

from cardseal import Envelope

envelope = Envelope(os.environ["CARDSEAL_SECRET"])
text = sys.stdin.read()
if sys.argv[1:] == ["seal"]:
    print(envelope.seal(text))
elif sys.argv[1:] == ["open"]:
    print(json.dumps(envelope.open(text)))
else:
    sys.exit("usage: cardseal_python.py seal|open")
