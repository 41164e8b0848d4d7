#include "batching/script_models.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fmt/core.h>
#include <torch/script.h>

namespace bench {
namespace {

namespace fs = std::filesystem;

// A module under construction: its weights, and the lines of its forward().
class Script {
 public:
  explicit Script(const std::string& arguments)
      : module_("model"), source_("def forward(self, " + arguments + "):\n") {
    torch::manual_seed(1);
  }

  void line(const std::string& text) { source_ += "  " + text + "\n"; }
  /// A weight with the variance that keeps activations in range.
  std::string weight(const std::string& name, const std::vector<std::int64_t>& shape) {
    double inputs = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) inputs *= static_cast<double>(shape[i]);
    module_.register_parameter(name, torch::randn(shape) * std::sqrt(1 / inputs), false);
    return "self." + name;
  }
  std::string ones(const std::string& name, std::int64_t size) {
    module_.register_parameter(name, torch::ones({size}), false);
    return "self." + name;
  }

  void save(const std::string& path, const std::string& input, const std::string& output) {
    module_.define(source_);
    module_.save(path);
    std::ofstream side_car(fs::path(path).replace_extension(".json"));
    side_car << fmt::format(R"({{"name": "{}", "version": "1", "inputs": [{}], "outputs": [{}]}})",
                            fs::path(path).stem().string(), input, output);
  }

 private:
  torch::jit::Module module_;
  std::string source_;
};

std::string spec(const char* name, const char* dtype, const std::string& shape) {
  return fmt::format(R"({{"name": "{}", "dtype": "{}", "shape": [{}]}})", name, dtype, shape);
}

void save_mlp(const std::string& path) {
  Script script("x");
  script.line("x = torch.relu(torch.matmul(x, " + script.weight("a", {784, 512}) + "))");
  script.line("x = torch.relu(torch.matmul(x, " + script.weight("b", {512, 512}) + "))");
  script.line("return torch.matmul(x, " + script.weight("c", {512, 10}) + ")");
  script.save(path, spec("x", "float32", "-1, 784"), spec("y", "float32", "-1, 10"));
}

// Two 3 x 3 convolutions with a way around them, as in ResNet-18.
void residual_block(Script& script, int number, std::int64_t from, std::int64_t to, int stride) {
  const std::string n = std::to_string(number);
  const auto convolution = [&](const std::string& in, const std::string& name, std::int64_t a,
                               std::int64_t b, std::int64_t kernel, int step) {
    return fmt::format("torch.conv2d({}, {}, None, [{}, {}], [{}, {}])", in,
                       script.weight(name + n, {b, a, kernel, kernel}), step, step, kernel / 2,
                       kernel / 2);
  };
  script.line("h = torch.relu(" + convolution("x", "p", from, to, 3, stride) + ")");
  script.line("h = " + convolution("h", "q", to, to, 3, 1));
  const std::string around =
      stride == 1 && from == to ? "x" : convolution("x", "r", from, to, 1, stride);
  script.line("x = torch.relu(h + " + around + ")");
}

void save_convolutions(const std::string& path) {
  Script script("x");
  script.line("x = torch.relu(torch.conv2d(x, " + script.weight("stem", {32, 3, 7, 7}) +
              ", None, [2, 2], [3, 3]))");
  script.line("x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1])");
  std::int64_t channels = 32;
  int number = 0;
  for (const std::int64_t next : {32, 64, 128, 256}) {
    residual_block(script, number++, channels, next, next == channels ? 1 : 2);
    residual_block(script, number++, next, next, 1);
    channels = next;
  }
  script.line("return torch.matmul(x.mean([2, 3]), " + script.weight("head", {256, 100}) + ")");
  script.save(path, spec("image", "float32", "-1, 3, 224, 224"), spec("y", "float32", "-1, 100"));
}

// Post-norm, as in BERT; positions whose id is 0 are not attended to.
void encoder_layer(Script& script, int number, std::int64_t width, std::int64_t heads) {
  const std::string n = std::to_string(number);
  const auto norm = [&](const std::string& in, const std::string& name) {
    return fmt::format("torch.layer_norm({}, [{}], {}, None)", in, width,
                       script.ones(name + n, width));
  };
  script.line("qkv = torch.matmul(x, " + script.weight("qkv" + n, {width, 3 * width}) +
              fmt::format(").view(x.size(0), x.size(1), 3, {}, {}).permute(2, 0, 3, 1, 4)", heads,
                          width / heads));
  script.line(
      fmt::format("a = torch.softmax(torch.matmul(qkv[0], qkv[1].transpose(-1, -2)) * {} + m, -1)",
                  1 / std::sqrt(static_cast<double>(width) / static_cast<double>(heads))));
  script.line(fmt::format(
      "o = torch.matmul(a, qkv[2]).transpose(1, 2).reshape(x.size(0), x.size(1), {})", width));
  script.line("x = " +
              norm("x + torch.matmul(o, " + script.weight("o" + n, {width, width}) + ")", "n"));
  const std::string up = script.weight("u" + n, {width, 4 * width});
  const std::string down = script.weight("d" + n, {4 * width, width});
  script.line("x = " +
              norm("x + torch.matmul(torch.gelu(torch.matmul(x, " + up + ")), " + down + ")", "k"));
}

void save_encoder(const std::string& path, int layers, std::int64_t width, std::int64_t heads,
                  const std::string& length) {
  Script script("ids");
  // Source that comes without Python has no torch.float; 6 is its number.
  script.line("m = (ids == 0).to(6).mul(-10000.0).unsqueeze(1).unsqueeze(1)");
  script.line("x = torch.embedding(" + script.weight("e", {1000, width}) + ", ids)");
  for (int i = 0; i < layers; ++i) encoder_layer(script, i, width, heads);
  script.line("w = (ids != 0).to(6).unsqueeze(2)");
  script.line("return (x * w).sum([1]) / w.sum([1]).clamp(1.0)");
  script.save(path, spec("ids", "int64", "-1, " + length),
              spec("y", "float32", "-1, " + std::to_string(width)));
}

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "aiserve-models-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string file(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

ScriptModels save_all(const Folder& folder) {
  ScriptModels models{folder.file("mlp.pt"), folder.file("convolutions.pt"),
                      folder.file("encoder128.pt"), folder.file("encoder.pt")};
  save_mlp(models.mlp);
  save_convolutions(models.convolutions);
  save_encoder(models.encoder128, 6, 384, 12, "128");
  save_encoder(models.encoder, 2, 128, 4, "-1");
  return models;
}

}  // namespace

const ScriptModels& script_models() {
  static const Folder folder;
  static const ScriptModels models = save_all(folder);
  return models;
}

}  // namespace bench
