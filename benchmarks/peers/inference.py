#!/usr/bin/python3
"""Inference: Halcyon beside ONNX Runtime, on this machine, in one run.

    inference.py [NETWORK...]         networks of the zoo, the larger classics if none is named
    inference.py --batch 8 --threads 2 googlenet resnet50
    inference.py --exact              Halcyon without Winograd
    inference.py --json               the same as JSON

A network is exported with seeded random weights, and both sides compute the same random input first: without agreement
to 2e-4 of the largest output no time is reported. Then they take turns, so that a machine that slows down slows both;
each turn is a median, and the median over the turns counts. Needs only the standard library; ONNX Runtime is another
process (install_onnxruntime).
"""
import argparse
import array
import ast
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HALCYON = ROOT / "build/release/bin/halcyon"
PEAK = ROOT / "build/release/bin/bench_lenet5"
RUNNER = Path(__file__).resolve().with_name("onnxruntime_run.js")
NETWORKS = ("alexnet", "vgg19", "googlenet", "inception_v2", "resnet50", "squeezenet1_1", "densenet121", "mobilenet_v2",
            "shufflenet")
TOLERANCE = 2e-4  # of the largest output: Winograd's share
Json = dict[str, Any]


class Failure(Exception):
    """Something that ends the run with one message."""


def call(*command: Any) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stderr.strip()}")
    return done.stdout


def write_npy(path: Path, shape: list[int], values: array.array) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values.tobytes())


def read_npy(path: Path) -> array.array:
    data = path.read_bytes()
    length = int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:10 + length].decode())
    if header["descr"] != "<f4" or header["fortran_order"]:
        raise Failure(f"{path} holds {header['descr']}, not rows of <f4")
    return array.array("f", data[10 + length:])


def input_of(network: str) -> tuple[str, list[int]]:
    """Name and shape of the input, as the host gives it."""
    first = json.loads(call(HALCYON, "summary", f"zoo:{network}", "--json"))["layers"][0]
    channels, *spatial = first["shape"]
    return first["name"], [*spatial, channels]


def disagreement(found: array.array, expected: array.array) -> float:
    if len(found) != len(expected):
        raise Failure(f"{len(found)} values instead of {len(expected)}")
    largest = max(map(abs, expected))
    error = max(abs(a - b) for a, b in zip(found, expected))
    return error / largest if largest > 0 and math.isfinite(error) else math.inf


def agree(network: str, model: Path, folder: Path, options: argparse.Namespace) -> float:
    name, shape = input_of(network)
    values = array.array("f", (random.Random(1).uniform(-1, 1) for _ in range(options.batch * math.prod(shape))))
    write_npy(folder / "x.npy", [options.batch, *shape], values)
    call("node", RUNNER, model, "--output", folder / "theirs", "--input", f"{name}={folder / 'x.npy'}")
    output = next((folder / "theirs").iterdir())
    call(HALCYON, "run", f"zoo:{network}", "--seed", "0", "--input", folder / "x.npy", "--output",
         folder / "ours.npy", *options.ours)
    return disagreement(read_npy(folder / "ours.npy"), read_npy(output))


def measure(network: str, options: argparse.Namespace) -> Json:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = folder / "model.onnx"
        call(HALCYON, "export", f"zoo:{network}", "-o", model, "--seed", "0")
        error = agree(network, model, folder, options)
        if error > TOLERANCE:
            raise Failure(f"{network}: outputs differ by {error:.1e} of the largest, allowed are {TOLERANCE:.0e}")
        name, shape = input_of(network)
        feed = f"{name}=" + "x".join(map(str, [options.batch, *shape]))
        ours: list[float] = []
        theirs: list[float] = []
        peaks: list[float] = []
        for _ in range(options.rounds):
            ours.append(json.loads(call(HALCYON, "bench", f"zoo:{network}", "--json", "--batch", options.batch,
                                        "--threads", options.threads, "--runs", options.runs,
                                        *options.ours))["median_ms"])
            theirs.append(json.loads(call("node", RUNNER, model, "--shape", feed, "--threads", options.threads,
                                          "--time", options.runs))["median_ms"])
            peaks.append(json.loads(call(PEAK, "peak", "--threads", options.threads))["gflops"])
    return {"network": network, "batch": options.batch, "threads": options.threads, "error": error,
            "halcyon_ms": statistics.median(ours), "halcyon_range_ms": [min(ours), max(ours)],
            "onnxruntime_ms": statistics.median(theirs), "onnxruntime_range_ms": [min(theirs), max(theirs)],
            "halcyon_is_times": statistics.median(theirs) / statistics.median(ours),
            "peak_gflops": max(peaks), "lowest_peak_gflops": min(peaks)}


def table(rows: list[Json]) -> str:
    lines = [f"{'network':<18} {'batch':>5} {'threads':>7} {'Halcyon ms':>26} {'ONNX Runtime ms':>26} {'ratio':>6} "
             f"{'error':>8}"]
    for row in rows:
        sides = [f"{row[f'{side}_ms']:.2f} ({row[f'{side}_range_ms'][0]:.2f}..{row[f'{side}_range_ms'][1]:.2f})"
                 for side in ("halcyon", "onnxruntime")]
        lines.append(f"{row['network']:<18} {row['batch']:>5} {row['threads']:>7} {sides[0]:>26} {sides[1]:>26} "
                     f"{row['halcyon_is_times']:>6.2f} {row['error']:>8.1e}")
    mean = math.exp(statistics.fmean(math.log(row["halcyon_is_times"]) for row in rows))
    lines.append(f"geometric mean of the ratios {mean:.2f}; multiply-add peak in the same run "
                 f"{min(row['lowest_peak_gflops'] for row in rows):.0f} to "
                 f"{max(row['peak_gflops'] for row in rows):.0f} GFLOP/s")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20, help="of each turn, whose median counts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.ours = ["--exact"] if options.exact else []
    rows = []
    for network in options.networks:
        rows.append(measure(network, options))
        print(f"{network}: {rows[-1]['halcyon_is_times']:.2f}", file=sys.stderr)
    print(json.dumps(rows, indent=2) if options.json else table(rows))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        sys.exit(1)
