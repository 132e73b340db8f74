#!/usr/bin/python3
"""LeNet-5 in PyTorch: the peer that Halcyon's training is measured and checked against.

    lenet5_torch.py check                                         versions, and whether the BLAS is a quick one
    lenet5_torch.py speed  --variant tuned --threads 2            images/s of training on one batch in memory
    lenet5_torch.py mnist  --data DIR --seed 0 --epochs 5         accuracy after every epoch, training seconds
    lenet5_torch.py parity --optimizer adam --steps 20 -o DIR     weights, batches and losses for the other side

Every subcommand prints one JSON object on standard output. Two variants of the same computation:

    plain   the training loop of the PyTorch documentation (gradients set to None)
    tuned   the quickest form found that changes nothing else: channels_last, the network traced, and a C library
            that keeps freed memory (the last is an environment variable, so the program starts itself anew)

Needs Debian's python3-torch and libopenblas0-openmp. Pictures are H, W, C outside of this file and C, H, W inside.
"""
import argparse
import gzip
import json
import math
import os
import statistics
import struct
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

try:
    import numpy
    import torch
    from torch import Tensor, nn
except ImportError as missing:
    sys.exit(f"error: the PyTorch peer cannot start: {missing}\n"
             "  hint: apt-get install python3-torch libopenblas0-openmp, and run it with /usr/bin/python3")

MALLOC_KEEPS_MEMORY = "glibc.malloc.trim_threshold=1073741824:glibc.malloc.mmap_threshold=1073741824"
MOMENTUM = 0.9
MNIST_LEARNING_RATE = 0.02
MNIST_MEAN, MNIST_STD = 0.1307, 0.3081
PARITY_LEARNING_RATE = {"momentum": 0.05, "rmsprop": 1e-4, "adam": 1e-3}
PARITY_BATCH = 64
PARAMETER_NAMES = [f"{layer}.{part}" for layer in ("conv1", "conv2", "dense1", "dense2", "dense3")
                   for part in ("weight", "bias")]


def lenet5(height: int, width: int, channels: int) -> nn.Sequential:
    """The network of the benchmark; its parameters come in the order of PARAMETER_NAMES."""
    rows, columns = (((size - 4) // 2 - 4) // 2 for size in (height, width))
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16 * rows * columns, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def memory_format(variant: str) -> torch.memory_format:
    return torch.channels_last if variant == "tuned" else torch.contiguous_format


def prepare(net: nn.Sequential, sample: Tensor, variant: str) -> Callable[[Tensor], Tensor]:
    """The callable that runs `net` the way of the variant."""
    if variant == "plain":
        return net
    net.to(memory_format=torch.channels_last)
    return torch.jit.trace(net, sample)


def make_step(net: nn.Sequential, forward: Callable[[Tensor], Tensor],
              optimizer: torch.optim.Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
    """One training step: loss, gradients, update. Returns the loss."""
    criterion = nn.CrossEntropyLoss()

    def step(images: Tensor, labels: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(forward(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


# --- speed ----------------------------------------------------------------------------------------------------------

def window_images_per_s(step: Callable[[], Any], batch: int, seconds: float) -> float:
    """Images per second over a window of at least `seconds`."""
    steps, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(10):
            step()
        steps += 10
    return steps * batch / elapsed


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Throughput of training on one batch that lies in memory: warm-up, then the median of the windows."""
    torch.manual_seed(0)
    height, width, channels = options.shape
    images = torch.randn(options.batch, channels, height, width)
    images = images.contiguous(memory_format=memory_format(options.variant))
    labels = torch.randint(0, 10, (options.batch,))
    net = lenet5(height, width, channels)
    forward = prepare(net, images, options.variant)
    train = make_step(net, forward, torch.optim.SGD(net.parameters(), lr=0.01, momentum=MOMENTUM))
    window_images_per_s(lambda: train(images, labels), options.batch, options.window_s)
    windows = [window_images_per_s(lambda: train(images, labels), options.batch, options.window_s)
               for _ in range(options.windows)]
    return {"images_per_s": statistics.median(windows), "best_images_per_s": max(windows), "windows": windows,
            "threads": options.threads, "batch": options.batch, "shape": options.shape,
            "variant": options.variant}


# --- mnist ----------------------------------------------------------------------------------------------------------

def read_idx(folder: Path, name: str) -> numpy.ndarray:
    """An IDX file of bytes, plain or .gz."""
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
    if path is None:
        sys.exit(f"error: no {name} or {name}.gz in {folder}\n  hint: --data names the folder of the MNIST files")
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def mnist_tensors(folder: Path, part: str, variant: str) -> tuple[Tensor, Tensor]:
    """Normalised pictures [N,1,28,28] and labels [N] of "train" or "t10k"."""
    pixels = torch.from_numpy(read_idx(folder, f"{part}-images-idx3-ubyte").copy())
    labels = torch.from_numpy(read_idx(folder, f"{part}-labels-idx1-ubyte").astype(numpy.int64))
    images = pixels[:, None].float().div_(255).sub_(MNIST_MEAN).div_(MNIST_STD)
    return images.contiguous(memory_format=memory_format(variant)), labels


def shuffled_batches(count: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The indices of one epoch's batches; the last may be smaller."""
    return iter(torch.randperm(count, generator=generator).split(batch))


@torch.no_grad()
def accuracy(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    right = sum(int((net(x).argmax(1) == y).sum()) for x, y in zip(images.split(500), labels.split(500)))
    return right / len(labels)


def mnist(options: argparse.Namespace) -> dict[str, Any]:
    """Trains on MNIST with momentum and a cosine schedule; the seconds count training, not tests nor reading."""
    torch.manual_seed(options.seed)
    images, labels = mnist_tensors(options.data, "train", options.variant)
    test_images, test_labels = mnist_tensors(options.data, "t10k", options.variant)
    net = lenet5(28, 28, 1)
    forward = prepare(net, images[:options.batch], options.variant)
    optimizer = torch.optim.SGD(net.parameters(), lr=options.learning_rate, momentum=MOMENTUM)
    total = options.epochs * math.ceil(len(labels) / options.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    train = make_step(net, forward, optimizer)
    generator = torch.Generator().manual_seed(options.seed)
    accuracies, seconds = [], []
    for _ in range(options.epochs):
        start = time.perf_counter()
        for chosen in shuffled_batches(len(labels), options.batch, generator):
            train(images[chosen], labels[chosen])
            schedule.step()
        seconds.append(time.perf_counter() - start)
        accuracies.append(accuracy(net, test_images, test_labels))
    return {"accuracy": accuracies, "epoch_seconds": seconds, "train_seconds": sum(seconds), "seed": options.seed,
            "learning_rate": options.learning_rate, "threads": options.threads, "variant": options.variant}


# --- parity ---------------------------------------------------------------------------------------------------------

def parity_batches(steps: int) -> tuple[Tensor, Tensor]:
    """Batches [S,B,3,32,32] and labels [S,B] that can be learned: a pattern per class under noise.

    The seed matters. Where a ReLU or a maximum is decided by the last bit, two correct programs part ways: with about
    half of the seeds PyTorch in float, with the batches permuted and the pictures disturbed by 3e-7, differs from
    PyTorch in double by more than the 1e-4 that parity asks for. With this one it stays below 1e-6 for all three.
    """
    generator = torch.Generator().manual_seed(5)
    patterns = torch.randn(10, 3, 32, 32, generator=generator)
    labels = torch.randint(0, 10, (steps, PARITY_BATCH), generator=generator)
    noise = torch.randn(steps, PARITY_BATCH, 3, 32, 32, generator=generator)
    return 0.3 * patterns[labels] + 0.1 * noise, labels


def parity_optimizer(name: str, net: nn.Module) -> torch.optim.Optimizer:
    rate = PARITY_LEARNING_RATE[name]
    if name == "momentum":
        return torch.optim.SGD(net.parameters(), lr=rate, momentum=MOMENTUM)
    if name == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), lr=rate, alpha=0.99, eps=1e-8)
    return torch.optim.Adam(net.parameters(), lr=rate, betas=(0.9, 0.999), eps=1e-8)


def parity_run(name: str, images: Tensor, labels: Tensor, dtype: torch.dtype) -> tuple[nn.Module, list[float]]:
    """Trains from the seeded weights; the trained network and the loss of every step."""
    net = parity_network().to(dtype)
    step = make_step(net, net, parity_optimizer(name, net))
    losses = [float(step(x.to(dtype), y).detach()) for x, y in zip(images, labels)]
    return net, losses


def parity_network() -> nn.Sequential:
    torch.manual_seed(0)
    return lenet5(32, 32, 3)


def parameters_of(net: nn.Module) -> dict[str, numpy.ndarray]:
    values = [parameter.detach().numpy() for parameter in net.parameters()]
    return dict(zip(PARAMETER_NAMES, values, strict=True))


def largest_update_difference(net: nn.Module, expected: nn.Module, initial: nn.Module) -> float:
    """Over the parameters: |p - expected| / |expected - initial|, Euclidean norms."""
    mine, right, start = parameters_of(net), parameters_of(expected), parameters_of(initial)
    norm = numpy.linalg.norm
    return max(float(norm(mine[n] - right[n]) / norm(right[n] - start[n])) for n in PARAMETER_NAMES)


def write_safetensors(path: Path, tensors: dict[str, numpy.ndarray]) -> None:
    """The safetensors format: header length (u64), JSON header padded to 8 bytes, data."""
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(array.astype("<f4").tobytes() for array in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def parity(options: argparse.Namespace) -> dict[str, Any]:
    """Writes weights.safetensors, images.npy, labels.npy and, after training, trained.safetensors and losses.json.

    The JSON also says how far PyTorch in float is from PyTorch in double: what no other program can be asked to beat.
    """
    images, labels = parity_batches(options.steps)
    net, losses = parity_run(options.optimizer, images, labels, torch.float32)
    exact_net, exact_losses = parity_run(options.optimizer, images, labels, torch.float64)
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "weights.safetensors", parameters_of(parity_network()))
    write_safetensors(folder / "trained.safetensors", parameters_of(net))
    numpy.save(folder / "images.npy", images.permute(0, 1, 3, 4, 2).contiguous().numpy())
    numpy.save(folder / "labels.npy", labels.numpy().astype(numpy.int32))
    result = {"optimizer": options.optimizer, "learning_rate": PARITY_LEARNING_RATE[options.optimizer],
              "losses": losses,
              "loss_difference_to_double": max(abs(a - b) / abs(b) for a, b in zip(losses, exact_losses)),
              "update_difference_to_double": largest_update_difference(net, exact_net, parity_network())}
    (folder / "losses.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


# --- check, and the command line ------------------------------------------------------------------------------------

def loaded_blas() -> str:
    """File name of the BLAS that this process has loaded."""
    libraries = [Path(line.split()[-1]) for line in Path("/proc/self/maps").read_text().splitlines() if "blas" in line]
    return str(libraries[0].resolve()) if libraries else "none"


def check(_: argparse.Namespace) -> dict[str, Any]:
    """Versions; refuses the reference BLAS, with which PyTorch is up to five times slower."""
    blas = loaded_blas()
    if "openblas" not in blas:
        sys.exit(f"error: PyTorch runs on {blas}, which makes it no fair peer\n"
                 "  hint: apt-get install libopenblas0-openmp")
    return {"torch": torch.__version__, "blas": blas, "python": sys.version.split()[0]}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="LeNet-5 in PyTorch, to measure and check Halcyon against")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check").set_defaults(run=check)
    for run in (speed, mnist):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("--variant", choices=("plain", "tuned"), default="tuned")
        command.add_argument("--threads", type=int, default=2)
        command.add_argument("--batch", type=int, default=64)
        if run is speed:
            command.add_argument("--shape", type=int, nargs=3, default=[32, 32, 3], metavar=("H", "W", "C"))
            command.add_argument("--windows", type=int, default=7)
            command.add_argument("--window-s", type=float, default=0.25)
        else:
            command.add_argument("--data", type=Path, required=True)
            command.add_argument("--seed", type=int, default=0)
            command.add_argument("--epochs", type=int, default=5)
            command.add_argument("--learning-rate", type=float, default=MNIST_LEARNING_RATE)
    command = commands.add_parser("parity", help=parity.__doc__)
    command.set_defaults(run=parity, threads=1)
    command.add_argument("--optimizer", choices=PARITY_LEARNING_RATE, required=True)
    command.add_argument("--steps", type=int, default=20)
    command.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


def restart_with_tuned_memory(options: argparse.Namespace) -> None:
    """The C library reads its settings only when a program starts."""
    if getattr(options, "variant", "plain") == "tuned" and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = MALLOC_KEEPS_MEMORY
        os.execv(sys.executable, [sys.executable, *sys.argv])


def main() -> None:
    options = parse_arguments()
    restart_with_tuned_memory(options)
    torch.set_num_threads(getattr(options, "threads", 1))
    print(json.dumps(options.run(options)))


if __name__ == "__main__":
    main()
