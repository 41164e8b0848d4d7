"""scripts/export_model.py, run as a person runs it. Exit status 77: PyTorch is not installed."""

import hashlib
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import torch
except ImportError:
    print("SKIPPED: PyTorch is not installed (Debian: python3-torch)")
    sys.exit(77)

HERE = Path(__file__).resolve().parent
SCRIPT = HERE.parent.parent / "scripts" / "export_model.py"
MODELS = HERE / "models.py"
IMAGE = ("--input", "image:float32:-1,1,8,8")
VECTOR = ("--input", "x:float32:-1,5")

sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import models  # noqa: E402


class ExportTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.model = self.folder / "m.pt"

    def export(self, source, *options):
        return subprocess.run(
            [sys.executable, "-B", SCRIPT, source, "--out", self.model, *options],
            capture_output=True, text=True, cwd=HERE)

    def exported(self, source, *options):
        done = self.export(source, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((self.folder / "m.json").read_text())

    def assert_refused(self, reason, source, *options):
        done = self.export(source, *options)
        self.assertEqual(done.returncode, 2, done.stdout)
        # Warnings of PyTorch may come first.
        self.assertRegex(done.stderr.splitlines()[-1], "^export_model: .*" + reason)
        self.assertEqual(list(self.folder.iterdir()), [], "something was left behind")

    def answer(self, side_car):
        """What the exported files say, and what the model says to the sample."""
        def tensors(key, specs):
            data = (self.folder / side_car["sample"][key]).read_bytes()
            result, offset = [], 0
            for spec in specs:
                dtype = getattr(torch, spec["dtype"])
                shape = [side_car["sample"]["rows"], *spec["shape"][1:]]
                count = torch.Size(shape).numel()
                result.append(torch.frombuffer(bytearray(data), dtype=dtype, count=count,
                                               offset=offset).reshape(shape))
                offset += count * result[-1].element_size()
            self.assertEqual(offset, len(data))
            return result

        got = torch.jit.load(str(self.model))(*tensors("input_file", side_car["inputs"]))
        got = got if isinstance(got, tuple) else (got,)
        return got, tensors("output_file", side_car["outputs"])

    def test_a_traced_model_comes_with_its_signature_digest_and_sample(self):
        side_car = self.exported(f"{MODELS}:Classifier", *IMAGE, "--output", "probabilities")
        self.assertEqual(side_car["inputs"],
                         [{"name": "image", "dtype": "float32", "shape": [-1, 1, 8, 8]}])
        self.assertEqual(side_car["outputs"],
                         [{"name": "probabilities", "dtype": "float32", "shape": [-1, 3]}])
        self.assertEqual(side_car["name"], "m")
        self.assertEqual(side_car["sha256"], hashlib.sha256(self.model.read_bytes()).hexdigest())
        (got,), (expected,) = self.answer(side_car)
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["m.json", "m.pt", "m.sample.input.bin", "m.sample.output.bin"])

    def test_a_scripted_model_may_have_several_inputs_and_outputs(self):
        side_car = self.exported("models:TwoInTwoOut", "--method", "script",
                                 "--input", "tokens:int64:-1,6", "--input", "scale:float32:-1,1",
                                 "--output", "sum", "--output", "count")
        self.assertEqual([spec["dtype"] for spec in side_car["outputs"]], ["float32", "int64"])
        self.assertEqual(side_car["outputs"][1]["shape"], [-1])
        got, expected = self.answer(side_car)
        for left, right in zip(got, expected):
            torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)

    def test_weights_and_a_given_sample_are_used(self):
        torch.manual_seed(7)
        model = models.Classifier().eval()
        torch.save(model.state_dict(), self.folder / "w.pth")
        image = torch.rand(2, 1, 8, 8)
        (self.folder / "rows.bin").write_bytes(image.numpy().tobytes())
        side_car = self.exported(f"{MODELS}:Classifier", *IMAGE,
                                 "--weights", self.folder / "w.pth",
                                 "--sample", self.folder / "rows.bin")
        self.assertEqual(side_car["sample"]["rows"], 2)
        _, (expected,) = self.answer(side_car)
        torch.testing.assert_close(model(image).detach(), expected, rtol=1e-4, atol=1e-4)

    def test_a_torchscript_file_gets_signature_and_sample(self):
        source = self.folder / "source.pt"
        torch.jit.script(models.InPlace()).save(str(source))
        side_car = self.exported(str(source), *VECTOR, "--name", "twice", "--model-version", "3")
        self.assertEqual((side_car["name"], side_car["version"]), ("twice", "3"))
        self.assertEqual(side_car["outputs"][0], {"name": "output", "dtype": "float32",
                                                  "shape": [-1]})

    def test_labels_are_kept(self):
        (self.folder / "labels").write_text("Kleid\nMütze\nSchuh\n", encoding="utf-8")
        side_car = self.exported(f"{MODELS}:Classifier", *IMAGE,
                                 "--labels", self.folder / "labels")
        self.assertEqual(side_car["labels"], ["Kleid", "Mütze", "Schuh"])

    def test_models_that_cannot_be_batched_are_refused(self):
        self.assert_refused("row 0 gets another answer alone", f"{MODELS}:MixesRows", *VECTOR)
        self.assert_refused("fails on a batch of 1: RuntimeError: shape", f"{MODELS}:FixedBatch",
                            *VECTOR)
        self.assert_refused("answers differently each time", f"{MODELS}:Random", *VECTOR)
        self.assert_refused("the first dimension must be the batch",
                            f"{MODELS}:NoBatchInOutput", *VECTOR)
        self.assert_refused("must return a tensor or a tuple", f"{MODELS}:ReturnsDict", *VECTOR)

    def test_what_the_models_own_code_raises_is_one_line(self):
        self.assert_refused("ValueError: first line$", f"{MODELS}:Raises", *VECTOR)

    def test_wrong_arguments_are_told(self):
        self.assert_refused("no such file", "absent.py:Model", *VECTOR)
        self.assert_refused("has no Absent", f"{MODELS}:Absent", *VECTOR)
        self.assert_refused("No module named", "absent_module:Model", *VECTOR)
        self.assert_refused("expected MODULE:FACTORY", "models", *VECTOR)
        self.assert_refused("returned no torch.nn.Module", f"{MODELS}:not_a_model", *VECTOR)
        source = f"{MODELS}:Classifier"
        self.assert_refused("expected NAME:DTYPE:SHAPE", source, "--input", "image")
        self.assert_refused("unknown element type", source, "--input", "image:float:-1,5")
        self.assert_refused("must be -1", source, "--input", "image:float32:1,5")
        self.assert_refused("must be above zero", source, "--input", "image:float32:-1,-1")
        self.assert_refused("must be integers", source, "--input", "image:float32:-1,x")
        self.assert_refused("--output was given 2 times", source, *IMAGE,
                            "--output", "a", "--output", "b")
        self.assert_refused("no whole rows", source, *IMAGE, "--sample", MODELS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
