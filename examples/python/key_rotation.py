"""A secret is replaced without an interruption: bodies under the old one open as long as it is there."""

from account import SECRET

from cardseal import Envelope, EnvelopeError

new_secret = "the_secret_that_comes_next"
before, after = Envelope(SECRET), Envelope(new_secret)

# 1. Wherever bodies are opened, the new secret comes first, and the old one stays for opening.
rotating = Envelope(new_secret, open_secrets=[SECRET])
old_body, new_body = before.seal({"card_id": "card_abc123"}), rotating.seal({"card_id": "card_abc123"})

# 2. Both kinds of bodies open. key_index says which secret a body has: 0 is the new one.
for body in (old_body, new_body):
    request = rotating.open_request(body)
    print("opened with secret", request.key_index, "·", request.payload["card_id"])
print("what it seals opens with the new secret alone:", after.open(new_body)["card_id"])

# 3. When no old body has come for long enough, the old secret goes.
try:
    after.open(old_body)
except EnvelopeError as error:
    print("the old secret is gone:", error.code)
else:
    raise SystemExit("the old body still opens")
