#!/usr/bin/env python3
"""Exports a PyTorch module as the files that aiserve serves:

  NAME.pt                 TorchScript
  NAME.json               signature (names, element types, shapes; -1 = any number of rows), SHA-256
  NAME.sample.input.bin   rows that the model was run on, and
  NAME.sample.output.bin  what it answered: raw little-endian elements, row-major, one tensor after
                          the other in the order of the signature

Before anything is written the file is loaded again and must answer like the module did, at several
batch sizes, and each row must get the answer that it gets alone: that is what batching relies on.

SOURCE is one of
  package.module:factory  an importable module and a function or class in it that returns the model
  path/to/file.py:factory the same in a file
  path/to/model.pt        a TorchScript file; only signature and sample are made

example:
  export_model.py classifier.py:Classifier --weights classifier.pth --out models/classifier.pt \\
      --input image:float32:-1,1,28,28 --output probabilities
"""

import argparse
import ctypes
import hashlib
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

DTYPES = ("uint8", "int8", "int16", "int32", "int64",
          "float16", "bfloat16", "float32", "float64", "bool")
SAMPLE_ROWS = 3


class ExportError(Exception):
    """What stops an export, in one line."""


class TensorSpec:
    """Name, element type and the shape of one row."""

    def __init__(self, name, dtype, row):
        self.name, self.dtype, self.row = name, dtype, tuple(row)

    @classmethod
    def parse(cls, text):
        parts = text.split(":")
        if len(parts) != 3 or not parts[0]:
            raise ExportError(f"--input {text}: expected NAME:DTYPE:SHAPE, "
                              "for example image:float32:-1,1,28,28")
        name, dtype, shape = parts
        if dtype not in DTYPES:
            raise ExportError(f"--input {text}: unknown element type, expected one of "
                              + ", ".join(DTYPES))
        try:
            dims = [int(dim) for dim in shape.split(",")]
        except ValueError:
            raise ExportError(f"--input {text}: dimensions must be integers") from None
        if dims[0] != -1:
            raise ExportError(f"--input {text}: the first dimension is the batch and must be -1")
        if any(dim < 1 for dim in dims[1:]):
            raise ExportError(f"--input {text}: dimensions after the first must be above zero")
        return cls(name, dtype, dims[1:])

    def to_json(self):
        return {"name": self.name, "dtype": self.dtype, "shape": [-1, *self.row]}


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--out", required=True, metavar="NAME.pt")
    parser.add_argument("--input", action="append", required=True, metavar="NAME:DTYPE:SHAPE",
                        help="one per argument of forward, in its order")
    parser.add_argument("--output", action="append", default=[], metavar="NAME",
                        help="one per result of forward (default output, or output_0, ..)")
    parser.add_argument("--method", choices=("trace", "script"), default="trace",
                        help="script for models with control flow that depends on the data")
    parser.add_argument("--weights", metavar="FILE", help="state_dict to load into the model")
    parser.add_argument("--sample", action="append", default=[], metavar="FILE",
                        help="raw rows for the sample, one file per input (default: random; "
                             "integers are 0 or 1)")
    parser.add_argument("--labels", metavar="FILE", help="names of the classes, one per line")
    parser.add_argument("--name", help="name of the model (default: that of the file)")
    parser.add_argument("--model-version", default="1", metavar="TEXT")
    parser.add_argument("--tolerance", type=float, default=1e-4, metavar="X",
                        help="largest accepted difference, absolute and relative (default 1e-4)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    return parser.parse_args(argv)


def import_module(name):
    if not name.endswith(".py"):
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(name)
    path = Path(name).resolve()
    if not path.is_file():
        raise ExportError(f"{name}: no such file")
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def load_source(torch, source):
    if source.endswith((".pt", ".pth", ".ts")):
        if not Path(source).is_file():
            raise ExportError(f"{source}: no such file")
        return torch.jit.load(source, map_location="cpu")
    module_name, separator, factory = source.rpartition(":")
    if not separator or not module_name or not factory:
        raise ExportError(f"{source}: expected MODULE:FACTORY, FILE.py:FACTORY or FILE.pt")
    module = import_module(module_name)
    if not hasattr(module, factory):
        raise ExportError(f"{module_name} has no {factory}")
    model = getattr(module, factory)()
    if not isinstance(model, torch.nn.Module):
        raise ExportError(f"{source} returned no torch.nn.Module")
    return model


def load_model(torch, args):
    torch.manual_seed(args.seed)
    model = load_source(torch, args.source)
    if args.weights:
        # weights_only: a pickle could run code.
        model.load_state_dict(torch.load(args.weights, map_location="cpu", weights_only=True))
    return model.eval()


def random_rows(torch, spec):
    dtype = getattr(torch, spec.dtype)
    shape = (SAMPLE_ROWS, *spec.row)
    if dtype.is_floating_point:
        return torch.rand(shape).to(dtype)
    return torch.randint(0, 2, shape).to(dtype)


def read_rows(torch, spec, file):
    data = bytearray(Path(file).read_bytes())
    dtype = getattr(torch, spec.dtype)
    one = torch.empty(spec.row, dtype=dtype)
    row_bytes = one.numel() * one.element_size()
    if not data or len(data) % row_bytes:
        raise ExportError(f"{file}: {len(data)} bytes are no whole rows of {row_bytes} bytes")
    return torch.frombuffer(data, dtype=dtype).reshape(-1, *spec.row).clone()


def sample_inputs(torch, specs, files):
    if not files:
        return [random_rows(torch, spec) for spec in specs]
    if len(files) != len(specs):
        raise ExportError("--sample must be given once per input or not at all")
    rows = [read_rows(torch, spec, file) for spec, file in zip(specs, files)]
    if len({len(tensor) for tensor in rows}) != 1:
        raise ExportError("the samples have different numbers of rows")
    return rows


def run(torch, model, inputs):
    """The outputs as a list."""
    with torch.inference_mode():
        # A copy: a model that changes its input in place must not spoil the sample.
        result = model(*[tensor.clone() for tensor in inputs])
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    if not outputs or not all(isinstance(output, torch.Tensor) for output in outputs):
        raise ExportError("forward must return a tensor or a tuple of tensors")
    return outputs


def compare(torch, got, expected, tolerance, what):
    for index, (left, right) in enumerate(zip(got, expected)):
        if left.shape != right.shape or left.dtype != right.dtype:
            raise ExportError(f"output {index}: {what}: "
                              f"{left.dtype} {list(left.shape)} instead of "
                              f"{right.dtype} {list(right.shape)}")
        if not torch.allclose(left.double(), right.double(), rtol=tolerance, atol=tolerance,
                              equal_nan=True):
            worst = (left.double() - right.double()).abs().max().item()
            raise ExportError(f"output {index}: {what}: values differ by {worst:.3g}")


def output_specs(outputs, names, rows):
    if not names:
        names = ["output"] if len(outputs) == 1 else [f"output_{i}" for i in range(len(outputs))]
    if len(names) != len(outputs):
        raise ExportError(f"--output was given {len(names)} times, but forward returns "
                          f"{len(outputs)} tensors")
    specs = []
    for name, output in zip(names, outputs):
        dtype = str(output.dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            raise ExportError(f"output {name}: element type {dtype} cannot be served")
        if output.dim() == 0 or len(output) != rows:
            raise ExportError(f"output {name}: shape {list(output.shape)} for {rows} rows; the "
                              "first dimension must be the batch")
        specs.append(TensorSpec(name, dtype, output.shape[1:]))
    return specs


def check_unique(specs):
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise ExportError(f"two tensors are called {name}")


def to_torchscript(torch, model, method, inputs):
    if isinstance(model, torch.jit.ScriptModule):
        return model
    if method == "script":
        return torch.jit.script(model)
    with torch.no_grad():
        return torch.jit.trace(model, tuple(tensor.clone() for tensor in inputs))


def run_batch(torch, model, inputs):
    try:
        return run(torch, model, inputs)
    except RuntimeError as error:
        raise ExportError(f"the exported model fails on a batch of {len(inputs[0])}: "
                          + summary(error)) from error


def check_reloaded(torch, file, inputs, expected, tolerance):
    model = torch.jit.load(str(file), map_location="cpu").eval()
    rows = len(inputs[0])
    compare(torch, run_batch(torch, model, inputs), expected, tolerance,
            "the exported model disagrees with the module")
    for row in range(rows):
        alone = run_batch(torch, model, [tensor[row:row + 1] for tensor in inputs])
        compare(torch, alone, [output[row:row + 1] for output in expected], tolerance,
                f"row {row} gets another answer alone than in a batch of {rows}")
    twice = run_batch(torch, model, [torch.cat([tensor, tensor]) for tensor in inputs])
    compare(torch, twice, [torch.cat([output, output]) for output in expected], tolerance,
            f"a batch of {2 * rows} gets other answers than one of {rows}")


def raw_bytes(tensors):
    parts = []
    for tensor in tensors:
        tensor = tensor.contiguous()
        parts.append(ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size()))
    return b"".join(parts)


def read_labels(file):
    labels = Path(file).read_text(encoding="utf-8").splitlines()
    if not labels or not all(labels):
        raise ExportError(f"{file}: expected one name per line")
    return labels


def write_files(torch, folder, stem, script, rows, expected, side_car):
    """Writes all four into `folder`; the side-car gets the model's digest."""
    script.save(str(folder / f"{stem}.pt"))
    check_reloaded(torch, folder / f"{stem}.pt", rows, expected, side_car["sample"]["tolerance"])
    (folder / side_car["sample"]["input_file"]).write_bytes(raw_bytes(rows))
    (folder / side_car["sample"]["output_file"]).write_bytes(raw_bytes(expected))
    side_car["sha256"] = hashlib.sha256((folder / f"{stem}.pt").read_bytes()).hexdigest()
    (folder / f"{stem}.json").write_text(
        json.dumps(side_car, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def export(torch, args, target, inputs, labels):
    model = load_model(torch, args)
    rows = sample_inputs(torch, inputs, args.sample)
    expected = run(torch, model, rows)
    compare(torch, run(torch, model, rows), expected, args.tolerance,
            "the module answers differently each time")
    outputs = output_specs(expected, args.output, len(rows[0]))
    check_unique(outputs)
    stem = target.stem
    side_car = {
        "name": args.name or stem,
        "version": args.model_version,
        "inputs": [spec.to_json() for spec in inputs],
        "outputs": [spec.to_json() for spec in outputs],
        "sha256": "",
        **({"labels": labels} if labels else {}),
        "sample": {
            "rows": len(rows[0]),
            "input_file": f"{stem}.sample.input.bin",
            "output_file": f"{stem}.sample.output.bin",
            "tolerance": args.tolerance,
        },
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export.", dir=target.parent) as folder:
        script = to_torchscript(torch, model, args.method, rows)
        write_files(torch, Path(folder), stem, script, rows, expected, side_car)
        # The side-car comes last: its digest tells whether it belongs to the model.
        for name in (target.name, side_car["sample"]["input_file"],
                     side_car["sample"]["output_file"], f"{stem}.json"):
            os.replace(Path(folder) / name, target.parent / name)
    return side_car


def summary(error):
    """One line of an exception. The TorchScript interpreter puts the reason last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if isinstance(error, ExportError):
        return lines[0]
    if "TorchScript interpreter" in lines[0]:
        return lines[-1]
    return f"{type(error).__name__}: {lines[0]}"


def fail(message):
    print(f"export_model: {message}", file=sys.stderr)
    return 2


def main(argv):
    args = parse_arguments(argv)
    try:
        target = Path(args.out)
        if target.suffix != ".pt":
            raise ExportError(f"--out {args.out}: expected a name that ends with .pt")
        inputs = [TensorSpec.parse(text) for text in args.input]
        check_unique(inputs)
        labels = read_labels(args.labels) if args.labels else None
    except (ExportError, OSError, UnicodeDecodeError) as error:
        return fail(summary(error))
    try:
        import torch
    except ImportError:
        return fail("PyTorch is not installed (Debian: python3-torch)")
    torch.set_num_threads(1)
    try:
        side_car = export(torch, args, target, inputs, labels)
    except Exception as error:  # the model's own code may raise anything
        return fail(summary(error))
    print(f"{args.out}: checked on {side_car['sample']['rows']} rows, "
          f"sha256 {side_car['sha256'][:12]}...")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
