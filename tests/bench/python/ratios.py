"""Times cardseal and its peers in turns, and writes how many times as long as cardseal each takes.

``cargo xtask bench python`` runs it; ``tests/bench/README.md`` has the options and the format of the file.
"""

import argparse
import gc
import importlib.metadata
import json
import platform
import statistics
import sys
import time
from pathlib import Path

import orjson
import payloads
from peers import PEERS

JOBS = ("seal", "open")
MINIMUM_SECONDS = 0.001
"""How long one turn takes at least: short jobs are repeated within it."""


def main():
    arguments = parse()
    peers = [peer() for peer in PEERS]
    payloads.check()
    for _, _, payload in payloads.payloads():
        check(peers, payload)
    if arguments.check:
        return
    rounds = 7 if arguments.quick else 61
    results = []
    for size, variant, payload in payloads.payloads():
        for job in JOBS:
            name = f"{job}, {size['name']} {size['shape']}, {variant}"
            if not all(part in name for part in arguments.parts):
                continue
            print(name, file=sys.stderr, flush=True)
            row = {"job": job, "size": size["bytes"], "shape": size["shape"], "variant": variant}
            results.append(row | measure(peers, job, payload, rounds))
    report = {"language": "python", "versions": versions(), "rounds": rounds, "results": results}
    Path(arguments.json).write_text(json.dumps(report), encoding="utf-8")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a first look")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="time nothing: do the candidates agree?")
    what.add_argument("--json", metavar="FILE", help="where the figures go")
    parser.add_argument("parts", nargs="*", metavar="PART", help="only what has all of these in its name")
    return parser.parse_args()


def check(peers, payload):
    """Each opens what each has sealed, and all see the same payload."""
    for sealer in peers:
        body = sealer.seal(payload)
        for opener in peers:
            opened = opener.open(body)
            del opened["request_timestamp"]
            if opened != payload:
                raise SystemExit(f"{opener.name} reads another payload than {sealer.name} sealed")


def measure(peers, job, payload, rounds):
    """Take turns, every other round backwards. A ratio is taken within each round."""

    def tasks():
        if job == "seal":
            return [(peer.seal, payload) for peer in peers] + [(orjson.dumps, payload)]
        return [(peer.open, peer.seal(payload)) for peer in peers] + [(orjson.loads, orjson.dumps(payload))]

    repeats = [max(1, int(MINIMUM_SECONDS / turn(task, argument, 1))) for task, argument in tasks()]
    times = [[] for _ in repeats]
    gc.collect()
    gc.disable()
    for number in range(rounds):
        ready = tasks()  # sealed anew: within the window, however long the measurement takes
        order = range(len(ready)) if number % 2 else reversed(range(len(ready)))
        for index in order:
            task, argument = ready[index]
            turn(task, argument, 1)
            times[index].append(1e9 * turn(task, argument, repeats[index]))
    gc.enable()
    *compared, floor = [compare(others, times[0]) for others in times[1:]]
    return {
        "cardseal_ns": statistics.median(times[0]),
        "peers": {peer.name: comparison for peer, comparison in zip(peers[1:], compared, strict=True)},
        "floors": {"orjson.dumps alone" if job == "seal" else "orjson.loads alone": floor},
    }


def turn(task, argument, repeats):
    """Seconds for one call."""
    start = time.perf_counter()
    for _ in range(repeats):
        task(argument)
    return (time.perf_counter() - start) / repeats


def compare(times, ours):
    """Give the median time, and how many times as long as ours: median and quartiles."""
    q1, ratio, q3 = statistics.quantiles([other / own for other, own in zip(times, ours, strict=True)], n=4)
    return {"ns": statistics.median(times), "ratio": ratio, "q1": q1, "q3": q3}


def versions():
    packages = ("cardseal", "orjson", "PyNaCl", "pybase64")
    return {"CPython": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


if __name__ == "__main__":
    main()
