"""Times a call by requests, with and without the adapter: see src/main.rs."""

import json
import os
import time

import requests

import cardseal
from cardseal.requests import SealAdapter

CALLS = 20
"""In a row, before the other one's turn."""


def main():
    secret, payload = os.environ["BENCH_SECRET"], json.loads(os.environ["BENCH_PAYLOAD"])
    plain_url, sealed_url = os.environ["BENCH_PLAIN_URL"], os.environ["BENCH_SEALED_URL"]
    path = "/api/v1/project/balance"
    bare, sealing, envelope = requests.Session(), requests.Session(), cardseal.Envelope(secret)
    sealing.mount(sealed_url, SealAdapter("key_1", secret))
    answer = envelope.seal_response(payload)

    def alone():
        envelope.seal_request(path, payload, api_key="key_1")
        return envelope.open_response(200, answer)

    jobs = {
        "bare": lambda: bare.post(plain_url + path, json=payload).json(),
        "sealed": lambda: sealing.post(sealed_url + path, json=payload).json(),
        "alone": alone,
    }
    for name, job in jobs.items():
        if job() != payload:
            raise SystemExit(f"{name}: another payload")
    for number in range(int(os.environ["BENCH_ROUNDS"])):
        names = list(jobs) if number % 2 else list(reversed(jobs))
        print(json.dumps({name: seconds(jobs[name]) for name in names}), flush=True)


def seconds(job):
    start = time.perf_counter()
    for _ in range(CALLS):
        job()
    return (time.perf_counter() - start) / CALLS


if __name__ == "__main__":
    main()
