"""Times cardseal and its peers in turns, and prints what a peer takes for each unit of cardseal's time.

``python ratios.py --help`` has the options.
"""

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from pathlib import Path

from payloads import TEXTS, payloads
from peers import PEERS

MINIMUM_SECONDS = 0.001
"""How long one turn takes at least: short jobs are repeated within it."""


def main():
    arguments = parse()
    peers = [peer() for peer in PEERS]
    rounds = 15 if arguments.quick else 61
    results = []
    print(f"Python {platform.python_version()}, {platform.machine()}, {cpu()}; {rounds} rounds in turns\n")
    print("| job | payload | " + " | ".join(f"{peer.name} takes" for peer in peers[1:]) + " | spread |")
    print("|---|---|" + "---|" * len(peers))
    for variant in arguments.variant or TEXTS:
        for size, payload in payloads(variant).items():
            if arguments.size and size not in arguments.size:
                continue
            check(peers, payload)
            for job in arguments.job or ("seal", "open"):
                row = {"job": job, "size": size, "variant": variant}
                row |= measure(peers, job, payload, rounds)
                results.append(row)
                ratios = " | ".join(f"**{ratio['median']:.2f}x**" for ratio in row["ratios"].values())
                spread = ", ".join(f"{r['low']:.2f}-{r['high']:.2f}" for r in row["ratios"].values())
                print(f"| {job} | {size}, {variant} | {ratios} | {spread} |", flush=True)
    if arguments.json:
        Path(arguments.json).write_text(
            json.dumps({"machine": cpu(), "python": sys.version, "rows": results}, indent=1)
        )


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a first look")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument("--job", action="append", choices=("seal", "open"))
    parser.add_argument("--variant", action="append", choices=tuple(TEXTS))
    parser.add_argument("--size", action="append", help='"256 B" for example')
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
    """Medians of the ratios within each round, with quartiles. Every other round runs backwards."""
    if job == "seal":
        tasks = [(peer.seal, payload) for peer in peers]
    else:
        tasks = [(peer.open, peer.seal(payload)) for peer in peers]
    repeats = [max(1, int(MINIMUM_SECONDS / turn(task, argument, 1))) for task, argument in tasks]
    times = [[] for _ in tasks]
    gc.collect()
    gc.disable()
    for number in range(rounds):
        if job == "open":  # within the window, however long the measurement takes
            tasks = [(peer.open, peer.seal(payload)) for peer in peers]
        order = range(len(tasks)) if number % 2 else reversed(range(len(tasks)))
        for index in order:
            task, argument = tasks[index]
            turn(task, argument, 1)
            times[index].append(turn(task, argument, repeats[index]))
    gc.enable()
    ratios = {}
    for peer, peer_times in zip(peers[1:], times[1:], strict=True):
        in_rounds = [other / ours for other, ours in zip(peer_times, times[0], strict=True)]
        low, median, high = statistics.quantiles(in_rounds, n=4)
        ratios[peer.name] = {"median": median, "low": low, "high": high}
    return {"microseconds": [statistics.median(of_peer) * 1e6 for of_peer in times], "ratios": ratios}


def turn(task, argument, repeats):
    """Seconds for one call."""
    start = time.perf_counter()
    for _ in range(repeats):
        task(argument)
    return (time.perf_counter() - start) / repeats


def cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
