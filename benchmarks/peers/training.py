#!/usr/bin/python3
"""Training LeNet-5: Halcyon beside PyTorch, on this machine, in one run.

    training.py                       agreement, then speed
    training.py --mnist DIR           and MNIST: accuracy and time for the seeds 0, 1 and 2
    training.py --json                the same as JSON
    training.py --check               exit status 1 when a goal is missed

First both sides train from the same weights on the same batches, with three optimizers; without agreement no speed is
reported. Then they take turns, so that a machine that slows down slows both, and medians are compared, each side with
the better number of threads. What the machine can do at best is measured between the turns. PyTorch runs in the two
variants that lenet5_torch.py describes. Needs only the standard library; PyTorch is another process.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).resolve().with_name("lenet5_torch.py")
OPTIMIZERS = ("momentum", "rmsprop", "adam")
HALCYON, PLAIN, TUNED = "Halcyon", "PyTorch", "PyTorch, tuned"
VARIANTS = {PLAIN: "plain", TUNED: "tuned"}
GOAL_SPEED = 3.0      # times PyTorch
GOAL_TIME = 1 / 3     # of PyTorch's, MNIST
GOAL_ACCURACY = 0.99  # MNIST, 5 epochs
Json = dict[str, Any]


class Failure(Exception):
    """Something that ends the run with one message."""


@dataclass
class Side:
    """One contestant: how to start it, and what was measured."""
    name: str
    command: list[str]
    options: list[str] = field(default_factory=list)
    speeds: dict[int, list[float]] = field(default_factory=dict)  # threads -> images/s of every turn

    def ask(self, subcommand: str, *arguments: Any) -> Json:
        return ask([*self.command, subcommand, *map(str, arguments), *self.options])

    def best_threads(self) -> int:
        return max(self.speeds, key=lambda threads: statistics.median(self.speeds[threads]))

    def images_per_s(self) -> float:
        return statistics.median(self.speeds[self.best_threads()])


def ask(command: list[str], may_disagree: bool = False) -> Json:
    """Runs a program that prints one JSON object. Status 1 with an object is a disagreement, not a failure."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    except FileNotFoundError:
        raise Failure(f"there is no program '{command[0]}'") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"no answer after half an hour: {' '.join(command)}") from None
    if done.returncode != 0 and not (may_disagree and done.stdout):
        message = done.stderr.strip().removeprefix("error: ")
        raise Failure(message or f"exit status {done.returncode}: {' '.join(command)}")
    return json.loads(done.stdout)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine() -> Json:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": names[0] if names else os.uname().machine, "processors": os.cpu_count(),
            "load_before": os.getloadavg()[0]}


# --- agreement ------------------------------------------------------------------------------------------------------

def check_agreement(ours: Side, peer: Side, steps: int) -> Json:
    """20 steps from the same weights and batches, for every optimizer. Failure when they do not agree."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for optimizer in OPTIMIZERS:
            there = f"{folder}/{optimizer}"
            own = ask([*peer.command, "parity", "--optimizer", optimizer, "--steps", str(steps), "-o", there])
            result = ask([*ours.command, "parity", there], may_disagree=True)
            note(f"agreement, {optimizer}: losses differ by {result['loss_difference']:.1e}")
            if not result["agrees"]:
                raise Failure(
                    f"{optimizer}: after {steps} steps from the same weights the losses differ by "
                    f"{result['loss_difference']:.1e} (limit {result['loss_limit']:.0e}) and the updates by "
                    f"{result['update_difference']:.1e} (limit {result['update_limit']:.0e})\n"
                    "  hint: a speed of other numbers would say nothing, so none is measured")
            results[optimizer] = {**result, "peer_to_double": own["loss_difference_to_double"]}
    return results


# --- speed ----------------------------------------------------------------------------------------------------------

def training_flops(shape: str) -> int:
    """Of one image: forward, and backward without the gradient of the picture. A multiply-add counts as two."""
    height, width, channels = map(int, shape.split("x"))
    h1, w1 = height - 4, width - 4
    h2, w2 = h1 // 2 - 4, w1 // 2 - 4
    first = h1 * w1 * 8 * 25 * channels
    dense = (h2 // 2) * (w2 // 2) * 16 * 120 + 120 * 84 + 84 * 10
    return 2 * (3 * (first + h2 * w2 * 16 * 25 * 8 + dense) - first)


def take_turns(sides: list[Side], peaks: dict[int, list[Json]], options: argparse.Namespace) -> None:
    """One turn of every side with every number of threads, round after round, the peak in between."""
    for turn in range(options.rounds):
        for threads in options.threads:
            peaks.setdefault(threads, []).append(ask([*sides[0].command, "peak", "--threads", str(threads)]))
            for side in sides:
                shape = [options.shape] if side.name == HALCYON else options.shape.split("x")
                result = side.ask("speed", "--threads", threads, "--batch", options.batch, "--shape", *shape)
                side.speeds.setdefault(threads, []).append(result["images_per_s"])
                note(f"round {turn + 1}/{options.rounds}, {threads} threads, {side.name}: "
                     f"{result['images_per_s']:,.0f} images/s")


def summarise_speed(sides: list[Side], peaks: dict[int, list[Json]], options: argparse.Namespace) -> Json:
    ours = sides[0].images_per_s()
    rows = []
    for side in sides:
        threads, speed = side.best_threads(), side.images_per_s()
        gflops = speed * training_flops(options.shape) / 1e9
        rows.append({"name": side.name, "threads": threads, "images_per_s": speed,
                     "lowest": min(side.speeds[threads]), "highest": max(side.speeds[threads]),
                     "gflops": gflops, "share_of_peak": gflops / max(p["gflops"] for p in peaks[threads]),
                     "halcyon_is_times": ours / speed,
                     "by_threads": {str(t): statistics.median(s) for t, s in side.speeds.items()}})
    best = {str(threads): {"gflops": max(p["gflops"] for p in found), "instructions": found[0]["instructions"],
                           "lowest_gflops": min(p["gflops"] for p in found),
                           "read_gb_per_s": max(p["read_gb_per_s"] for p in found)}
            for threads, found in peaks.items()}
    return {"shape": options.shape, "batch": options.batch, "rounds": options.rounds, "peak": best, "rows": rows}


# --- mnist ----------------------------------------------------------------------------------------------------------

def run_mnist(sides: list[Side], options: argparse.Namespace) -> list[Json]:
    """For every seed each side in turn; the time is that of a median epoch, times their number."""
    rows = []
    for seed in options.seeds:
        for side in sides:
            result = side.ask("mnist", "--data", options.mnist, "--seed", seed, "--epochs", options.epochs,
                              "--batch", options.batch, "--threads", side.best_threads())
            seconds = statistics.median(result["epoch_seconds"]) * options.epochs
            rows.append({"name": side.name, "seed": seed, "accuracy": result["accuracy"][-1],
                         "accuracies": result["accuracy"], "seconds": seconds,
                         "epoch_seconds": result["epoch_seconds"], "learning_rate": result["learning_rate"],
                         "threads": result["threads"]})
            note(f"mnist, seed {seed}, {side.name}: {100 * result['accuracy'][-1]:.2f} % in {seconds:.1f} s")
        ours = rows[-len(sides)]["seconds"]
        for row in rows[-len(sides):]:
            row["halcyon_takes"] = ours / row["seconds"]
    return rows


# --- report ---------------------------------------------------------------------------------------------------------

def missed_goals(report: Json, against: str) -> list[str]:
    """Sentences, one for each goal that was not reached."""
    missed = []
    ratio = next(row["halcyon_is_times"] for row in report["speed"]["rows"] if row["name"] == against)
    if ratio < GOAL_SPEED:
        missed.append(f"speed is {ratio:.2f} times that of {against}, expected at least {GOAL_SPEED:g}")
    for row in report.get("mnist", []):
        if row["name"] == HALCYON and row["accuracy"] < GOAL_ACCURACY:
            missed.append(f"mnist, seed {row['seed']}: accuracy {row['accuracy']:.4f}, expected {GOAL_ACCURACY}")
        if row["name"] == against and row["halcyon_takes"] > GOAL_TIME:
            missed.append(f"mnist, seed {row['seed']}: {row['halcyon_takes']:.2f} of the time of {against}, "
                          f"expected at most {GOAL_TIME:.2f}")
    return missed


def warnings(report: Json) -> list[str]:
    """What makes the numbers doubtful."""
    found = []
    if report["machine"]["load_before"] > 0.5:
        found.append(f"the machine was busy before the run: load {report['machine']['load_before']:.1f}")
    for threads, peak in report["speed"]["peak"].items():
        if peak["lowest_gflops"] < 0.8 * peak["gflops"]:
            found.append(f"the peak (threads: {threads}) moved between {peak['lowest_gflops']:.0f} and "
                         f"{peak['gflops']:.0f} GFLOP/s: something else was running")
    for row in report["speed"]["rows"]:
        if row["lowest"] < 0.8 * row["highest"]:
            found.append(f"{row['name']} was measured between {row['lowest']:,.0f} and "
                         f"{row['highest']:,.0f} images/s")
    return found


def table(rows: list[list[str]]) -> str:
    """Columns as wide as they need, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.rjust(width) if i else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def to_text(report: Json) -> str:
    speed, info, peer = report["speed"], report["machine"], report["peer"]
    peaks = "; ".join(f"{threads} thread{'s' * (threads != '1')} {peak['gflops']:.0f} GFLOP/s, "
                      f"reads {peak['read_gb_per_s']:.0f} GB/s" for threads, peak in speed["peak"].items())
    instructions = next(iter(speed["peak"].values()))["instructions"]
    rows = [["training", "threads", "images/s", "lowest..highest", "GFLOP/s", "of peak", "Halcyon is"]]
    for row in speed["rows"]:
        rows.append([row["name"], str(row["threads"]), f"{row['images_per_s']:,.0f}",
                     f"{row['lowest']:,.0f}..{row['highest']:,.0f}", f"{row['gflops']:.0f}",
                     f"{100 * row['share_of_peak']:.0f} %", f"{row['halcyon_is_times']:.2f} x"])
    agreement = [[f"{report['steps']} steps", "losses differ", "limit", "updates differ", "limit"]]
    for optimizer, result in report["agreement"].items():
        agreement.append([optimizer, f"{result['loss_difference']:.1e}", f"{result['loss_limit']:.0e}",
                          f"{result['update_difference']:.1e}", f"{result['update_limit']:.0e}"])
    parts = [f"{info['processor']}, {info['processors']} processors; PyTorch {peer['torch']}\n"
             f"measured peak ({instructions}): {peaks}\n"
             f"LeNet-5 {speed['shape']}, batch {speed['batch']}, momentum", table(rows), table(agreement)]
    if report.get("mnist"):
        rows = [["mnist", "seed", "accuracy", "seconds", "Halcyon takes"]]
        for row in report["mnist"]:
            rows.append([row["name"], str(row["seed"]), f"{100 * row['accuracy']:.2f} %", f"{row['seconds']:.1f}",
                         f"{row['halcyon_takes']:.2f} x"])
        parts.append(table(rows))
    remarks = [f"doubtful: {text}" for text in report["warnings"]]
    remarks += [f"goal missed: {text}" for text in report["missed"]]
    if remarks:
        parts.append("\n".join(remarks))
    return "\n\n".join(parts)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="training LeNet-5: Halcyon beside PyTorch, in one run")
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/bench_lenet5"), help="Halcyon's side")
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="of the check that both sides agree")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--shape", choices=("32x32x3", "28x28x1"), default="32x32x3")
    parser.add_argument("--mnist", metavar="DIR", help="folder of the MNIST files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--against", choices=VARIANTS.values(), default="plain", help="the variant of the goals")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a goal is missed")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> Json:
    if not Path(options.program).exists():
        raise Failure(f"there is no program '{options.program}'\n  hint: ./x build")
    ours = Side(HALCYON, [options.program])
    peers = [Side(name, [options.python, str(PEER)], ["--variant", variant]) for name, variant in VARIANTS.items()]
    sides = [ours, *peers]
    report: Json = {"machine": machine(), "peer": ask([*peers[0].command, "check"]), "steps": options.steps,
                    "agreement": check_agreement(ours, peers[0], options.steps)}
    peaks: dict[int, list[Json]] = {}
    take_turns(sides, peaks, options)
    report["speed"] = summarise_speed(sides, peaks, options)
    if options.mnist:
        report["mnist"] = run_mnist(sides, options)
    report["warnings"] = warnings(report)
    report["missed"] = missed_goals(report, next(n for n, v in VARIANTS.items() if v == options.against))
    return report


def main() -> int:
    options = parse_arguments()
    try:
        report = measure(options)
    except Failure as failure:
        note(f"error: {failure}")
        return 1
    print(json.dumps(report, indent=1) if options.json else to_text(report))
    return 1 if options.check and report["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
