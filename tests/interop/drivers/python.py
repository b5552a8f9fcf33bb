"""Seals and opens with the Python package, a line of JSON each, in the form of ``cardseal batch``."""

import json
import sys

from cardseal import Envelope, EnvelopeError


def answer(question):
    envelope = Envelope(question["secret"], layout=question["layout"])
    match question["operation"]:
        case "seal":
            return {"body": envelope.seal(question["payload"])}
        case "open":
            return {"payload": json.dumps(envelope.open(question["body"]))}
        case "open_request":
            request = envelope.open_request(question["body"], now_micros=question["now_micros"])
            return {"payload": json.dumps(request.payload)}
    raise SystemExit(f"unknown operation: {question['operation']}")


for line in sys.stdin:
    question = json.loads(line)
    try:
        print(json.dumps({"id": question["id"], "ok": answer(question)}))
    except EnvelopeError as error:
        print(json.dumps({"id": question["id"], "error": {"code": error.code}}))
