#include "tuner/torch_zoo.hpp"

#include <cstdlib>
#include <filesystem>

#include "aiserve/torch/torch_model.hpp"
#include "fashion_data/dataset.hpp"
#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

using namespace aiserve;

std::vector<TensorSet> held_out_images(const Signature& signature, std::size_t count) {
  const fashion::Dataset images =
      fashion::load(fashion::default_folder(), fashion::Split::held_out, count);
  std::vector<TensorSet> sets;
  for (std::size_t at = 0; at < images.pixels.size(); at += fashion::kPixels) {
    std::vector<float> pixels;
    for (std::size_t i = at; i < at + fashion::kPixels; ++i) {
      pixels.push_back(static_cast<float>(images.pixels[i]) / 255.0F);
    }
    const TensorSpec& input = signature.inputs.front();
    TensorSet set;
    set.add(input.name(),
            Tensor::from<float>(input.row_shape(), std::span<const float>(pixels)).value());
    sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace

std::string default_fashion_model() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      cache != nullptr ? std::filesystem::path(cache)
                       : std::filesystem::path(home != nullptr ? home : ".") / ".cache";
  return root / "aiserve" / "fashion" / "fashion.pt";
}

Zoo torch_model(const ModelSpec& spec, const ZooOptions& options, Telemetry& telemetry) {
  TorchModelOptions torch;
  torch.path = spec.file.empty() ? default_fashion_model() : spec.file;
  torch.instances = options.instances;
  torch.intra_op_threads = options.threads;
  torch.telemetry = &telemetry;
  if (!std::filesystem::exists(torch.path)) {
    throw UsageError("--model: " + torch.path + " does not exist" +
                     (spec.file.empty() ? "; scripts/demo trains it" : ""));
  }
  Zoo zoo;
  zoo.model = std::make_unique<TorchModel>(torch);
  const Signature& signature = zoo.model->signature();
  zoo.inputs = spec.kind == ModelKind::fashion ? held_out_images(signature, options.inputs)
                                               : random_inputs(signature, options.inputs);
  return zoo;
}

}  // namespace tuner
