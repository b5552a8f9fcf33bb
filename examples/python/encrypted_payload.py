"""The API's own example: a payload is encrypted and decrypted again. It needs this package alone.

Run it with ``python examples/python/encrypted_payload.py`` after ``pip install cardseal``.
"""

import json
import os

from cardseal import Envelope

envelope = Envelope(os.environ.get("CARDSEAL_SECRET", "your_api_secret_key_here"))
payload = {"request_timestamp": 1700000000000000, "card_id": "card_abc123"}

# As the document does it: text in, the field out, and back.
field = envelope.encrypt(json.dumps(payload))
print("field  ", field)
print("payload", envelope.decrypt(field).decode())

# The same in one step each: the whole HTTP body, with a timestamp of now unless there is one.
body = envelope.seal({"card_id": "card_abc123"})
print("body   ", body)
print("payload", envelope.open(body))
