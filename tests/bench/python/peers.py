"""Four ways to do the whole job: payload in, HTTP body out, and back with the timestamp checked."""

import base64
import hashlib
import json
import os
import time

import nacl.bindings
import nacl.secret
import orjson
import pybase64

import cardseal

SECRET = "your_api_secret_key_here"
WINDOW_MICROS = 30_000_000


class Cardseal:
    """One call each way, every rule of the protocol included."""

    name = "cardseal"

    def __init__(self):
        self.envelope = cardseal.Envelope(SECRET)

    def seal(self, payload):
        return self.envelope.seal(payload)

    def open(self, body):
        return self.envelope.open_request(body).payload


class Fast:
    """orjson, PyNaCl's SecretBox, pybase64: the fastest packages there are, used as their documentation has it."""

    name = "orjson + PyNaCl + pybase64"

    def __init__(self):
        self.box = nacl.secret.SecretBox(hashlib.sha256(SECRET.encode()).digest())

    def seal(self, payload):
        message = orjson.dumps({"request_timestamp": time.time_ns() // 1000, **payload})
        return b'{"encrypted":"' + pybase64.b64encode(b"\x02" + self.box.encrypt(message)) + b'"}'

    def open(self, body):
        sealed = pybase64.b64decode(orjson.loads(body)["encrypted"], validate=True)
        if sealed[0] != 2:
            raise ValueError("unknown version")
        payload = orjson.loads(self.decrypt(sealed[1:]))
        check_window(payload)
        return payload

    def decrypt(self, sealed):
        return self.box.decrypt(sealed)


class Tuned(Fast):
    """The same with libsodium's call itself in the place of SecretBox, and all parts joined once."""

    name = "orjson + nacl.bindings + pybase64"

    def __init__(self):
        self.key = hashlib.sha256(SECRET.encode()).digest()

    def seal(self, payload):
        message = orjson.dumps({"request_timestamp": time.time_ns() // 1000, **payload})
        nonce = os.urandom(24)
        box = nacl.bindings.crypto_secretbox(message, nonce, self.key)
        return b"".join((b'{"encrypted":"', pybase64.b64encode(b"".join((b"\x02", nonce, box))), b'"}'))

    def decrypt(self, sealed):
        return nacl.bindings.crypto_secretbox_open(sealed[24:], sealed[:24], self.key)


class Document:
    """json, PyNaCl's SecretBox, base64: as the API's documentation has it."""

    name = "json + PyNaCl + base64"

    def __init__(self):
        self.box = nacl.secret.SecretBox(hashlib.sha256(SECRET.encode()).digest())

    def seal(self, payload):
        message = json.dumps({"request_timestamp": time.time_ns() // 1000, **payload})
        sealed = b"\x02" + bytes(self.box.encrypt(message.encode()))
        return json.dumps({"encrypted": base64.b64encode(sealed).decode()})

    def open(self, body):
        sealed = base64.b64decode(json.loads(body)["encrypted"], validate=True)
        if sealed[0] != 2:
            raise ValueError("unknown version")
        payload = json.loads(self.box.decrypt(sealed[1:]))
        check_window(payload)
        return payload


def check_window(payload):
    """What all of them have to check of a request."""
    if abs(payload["request_timestamp"] - time.time_ns() // 1000) > WINDOW_MICROS:
        raise ValueError("outside the window")


PEERS = (Cardseal, Fast, Tuned, Document)
