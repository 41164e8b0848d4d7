// What the constructor accepts and what it says when it does not.
#include <sstream>

#include "torch/model_file.hpp"
#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::testing;

namespace {

const char* const kDouble = "def forward(self, x):\n    return x * 2.0\n";

std::string digest_of(const std::string& path) {
  return detail::sha256_hex(detail::read_file(path, 1U << 30U).value().view());
}

std::string whole(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string side_car(const std::string& more = "") {
  return R"({"name":"double","version":"7","inputs":[{"name":"x","dtype":"float32","shape":[-1,4]}],
             "outputs":[{"name":"y","dtype":"float32","shape":[-1,4]}])" +
         more + "}";
}

}  // namespace

TEST_CASE("a model takes its name, version and signature from the side-car beside it") {
  const ModelFolder folder;
  folder.script(kDouble);
  folder.write("model.json", side_car(R"(,"labels":["a"])"));
  const TorchModel model({.path = folder.model(), .instances = 3});
  CHECK(model.name() == "double");
  CHECK(model.version() == "7");
  CHECK(model.signature().to_string() == "(x: float32 [-1, 4]) -> (y: float32 [-1, 4])");
  CHECK(model.instances() == 3);
  CHECK(model.sha256() == digest_of(folder.model()));
  CHECK(contains(model.metadata(), R"("labels":["a"])"));
  CHECK(contains(model.status(), R"("version":"7")"));
  CHECK(contains(model.status(), R"("blas":{"name":")"));
}

TEST_CASE("a signature in code needs no side-car and the file's stem names the model") {
  const ModelFolder folder;
  const TorchModel model({.path = folder.script(kDouble), .signature = f32({-1, 4}, {-1, 4})});
  CHECK(model.name() == "model");
  CHECK(model.metadata() == "{}");
  CHECK(model.instances() >= 1);
  CHECK(model.blas().gflops > 0);
}

TEST_CASE("a side-car may lie elsewhere and a name in code goes before its own") {
  const ModelFolder folder;
  folder.script(kDouble);
  const std::string elsewhere = folder.write("other.txt", side_car());
  const TorchModel model({.path = folder.model(), .signature_path = elsewhere, .name = "mine"});
  CHECK(model.name() == "mine");
}

TEST_CASE("options out of range are refused by name") {
  const ModelFolder folder;
  const std::string path = folder.script(kDouble);
  const Signature signature = f32({-1, 4}, {-1, 4});
  const auto with = [&](auto change) {
    TorchModelOptions options{.path = path, .signature = signature};
    change(options);
    return config_error(options);
  };
  CHECK(with([](auto&) {}).empty());
  CHECK(with([](auto& o) { o.path.clear(); }) == "model: path is required");
  CHECK(contains(with([](auto& o) { o.instances = -1; }), "instances must be 1 to 256"));
  CHECK(contains(with([](auto& o) { o.instances = 257; }), "instances must be 1 to 256"));
  CHECK(
      contains(with([](auto& o) { o.intra_op_threads = 0; }), "intra_op_threads must be 1 to 256"));
  CHECK(contains(with([](auto& o) { o.sha256 = "12"; }), "sha256 must be 64 hex digits"));
  CHECK(contains(with([](auto& o) { o.signature.outputs.clear(); }), "signature: "));
  CHECK(contains(with([](auto& o) { o.signature_path = "a.json"; }), "not both"));
  CHECK(contains(with([](auto& o) { o.device = "gpu"; }), "unknown device \"gpu\""));
  CHECK(contains(with([](auto& o) { o.device = "cpu:1"; }), "unknown device \"cpu:1\""));
}

TEST_CASE("cuda on a libtorch for the CPU is a clear error") {
  const ModelFolder folder;
  const TorchModelOptions options{
      .path = folder.script(kDouble), .signature = f32({-1, 4}, {-1, 4}), .device = "cuda:0"};
  CHECK(config_error(options) ==
        "model " + folder.model() + ": device \"cuda:0\": this libtorch is built for the CPU only");
}

TEST_CASE("missing, empty and corrupt files each get one clear line") {
  const ModelFolder folder;
  const Signature signature = f32({-1, 4}, {-1, 4});
  const auto error = [&](const std::string& path) {
    const std::string text = config_error({.path = path, .signature = signature});
    CHECK(text.starts_with("model " + path + ": "));
    CHECK(!contains(text, "\n"));
    CHECK(text.size() < 600);
    return text;
  };
  CHECK(contains(error(folder.file("none.pt")), "No such file"));
  CHECK(contains(error(folder.file(".")), "not a regular file"));
  CHECK(contains(error(folder.write("empty.pt", "")), "the file is empty"));
  CHECK(contains(error(folder.write("text.pt", "no model")), "not a TorchScript file"));
  save_tensor_archive(folder.file("tensor.pt"));
  CHECK(contains(error(folder.file("tensor.pt")), "not a TorchScript file"));
  const std::string good = whole(folder.script(kDouble, {{"w", {64, 64}}}));
  for (const std::size_t part : {4UL, 100UL, good.size() / 2, good.size() - 1}) {
    CHECK(contains(error(folder.write("cut.pt", good.substr(0, part))), "not a TorchScript file"));
  }
}

TEST_CASE("a model without a usable signature is refused with the side-car's name") {
  const ModelFolder folder;
  folder.script(kDouble);
  const auto error = [&] { return config_error({.path = folder.model()}); };
  CHECK(contains(error(), "no signature: " + folder.file("model.json") + ": No such file"));
  folder.write("model.json", "{");
  CHECK(contains(error(), "signature " + folder.file("model.json") + ": "));
  folder.write("model.json", side_car());
  CHECK(error().empty());
}

TEST_CASE("the model file must have the pinned digest and that of its side-car") {
  const ModelFolder folder;
  const std::string digest = digest_of(folder.script(kDouble));
  const std::string wrong(64, 'a');
  const auto error = [&](const std::string& pin) {
    return config_error({.path = folder.model(), .sha256 = pin});
  };
  folder.write("model.json", side_car());
  CHECK(error(digest).empty());
  CHECK(contains(error(wrong), "not the pinned " + wrong));
  folder.write("model.json", side_car(R"(,"sha256":")" + digest + "\""));
  CHECK(error("").empty());
  folder.write("model.json", side_car(R"(,"sha256":")" + wrong + "\""));
  CHECK(contains(error(""), "the side-car says " + wrong));
  CHECK(contains(error(digest), "the side-car says " + wrong));
}

TEST_CASE("what a model gives is compared with the signature before it serves") {
  const ModelFolder folder;
  const auto error = [&](const std::string& body, const Signature& signature) {
    const std::string path = folder.script("def forward(self, x):\n    return " + body + "\n");
    return config_error({.path = path, .signature = signature});
  };
  const Signature four = f32({-1, 4}, {-1, 4});
  CHECK(error("x", four).empty());
  CHECK(contains(error("x.double()", four),
                 "output 'y' is float64 [1, 4], the signature says "
                 "float32 [1, 4]"));
  CHECK(contains(error("x.sum(1)", four), "output 'y' is float32 [1]"));
  CHECK(contains(error("torch.zeros([1, 4])", four), "a batch of 2 zeros: "));
  CHECK(contains(error("x.reshape(1, 4)", four), "a batch of 2 zeros: "));
  CHECK(contains(error("x, x", four), "forward() returns 2 outputs, the signature has 1"));
  CHECK(contains(error("[x, x, x]", four), "forward() returns 3 outputs, the signature has 1"));
  CHECK(contains(error("{'z': x}", four), "without tensor \"y\""));
  CHECK(error("{'y': x}", four).empty());
  CHECK(contains(error("3", four), "not tensors"));
  CHECK(contains(error("torch.matmul(x, torch.ones([5, 4]))", four), "the model failed: "));
}

TEST_CASE("forward must take as many inputs as the signature has") {
  const ModelFolder folder;
  folder.script("def forward(self, a, b, c: float = 1.0):\n    return a + b * c\n");
  Signature signature = f32({-1, 4}, {-1, 4});
  const auto error = [&] { return config_error({.path = folder.model(), .signature = signature}); };
  CHECK(contains(error(), "forward() takes 3 inputs, the signature has 1"));
  signature.inputs.emplace_back("b", DType::f32, Shape{-1, 4});
  CHECK(error().empty());
  for (const char* name : {"c", "d"}) signature.inputs.emplace_back(name, DType::f32, Shape{-1, 4});
  CHECK(contains(error(), "the signature has 4"));
}

TEST_CASE("a module without forward is no model") {
  const ModelFolder folder;
  folder.script("def predict(self, x):\n    return x\n");
  CHECK(contains(config_error({.path = folder.model(), .signature = f32({-1, 4}, {-1, 4})}),
                 "the module has no forward()"));
}

TEST_CASE("a model that has no use for zeros loads without the check") {
  const ModelFolder folder;
  folder.script("def forward(self, x):\n    assert float(x.sum()) > 0.0\n    return x\n");
  TorchModelOptions options{.path = folder.model(), .signature = f32({-1, 4}, {-1, 4})};
  CHECK(contains(config_error(options), "a batch of 1 zeros: the model failed: "));
  options.check_at_load = false;
  CHECK(config_error(options).empty());
}

TEST_CASE("a file that changed after the start makes no further instance") {
  const ModelFolder folder;
  TorchModel model({.path = folder.script(kDouble), .signature = f32({-1, 4}, {-1, 4})});
  CHECK(model.create_instance(0).ok());
  CHECK(model.create_instance(1).ok());
  folder.script("def forward(self, x):\n    return x * 3.0\n");
  CHECK(model.create_instance(2).error().code() == Errc::data_loss);
  std::filesystem::remove(folder.model());
  CHECK(model.create_instance(3).error().code() == Errc::unavailable);
}

TEST_CASE("what was loaded goes to the telemetry it was given") {
  const ModelFolder folder;
  std::string lines;
  Telemetry telemetry({.log_sink = [&](LogLevel, std::string_view line) { lines += line; }});
  const TorchModel model({.path = folder.script(kDouble),
                          .signature = f32({-1, 4}, {-1, 4}),
                          .telemetry = &telemetry});
  CHECK(contains(lines, "\"msg\":\"model loaded\""));
  CHECK(contains(lines, model.blas().name));
  CHECK(contains(lines, "the BLAS is slow") == model.blas().slow());
}
