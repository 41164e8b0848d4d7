#include "trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <dlfcn.h>
#include <malloc.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "sampler.hpp"

namespace fashion {
namespace {

constexpr std::int64_t kChannels1 = 32;
constexpr std::int64_t kChannels2 = 64;
constexpr std::int64_t kFeatures = kChannels2 * 7 * 7;
constexpr std::int64_t kHidden = 512;
constexpr double kPeakLearningRate = 3e-3;
constexpr double kWarmUp = 0.2;  // part of the training
constexpr std::size_t kEvaluationBatch = 500;

/// The first batch norm takes the place of a normalisation of the input: black is 0, as is padding.
struct Network : torch::nn::Module {
  torch::nn::Conv2d conv1{convolution(1, kChannels1)};
  torch::nn::BatchNorm2d norm1{kChannels1};
  torch::nn::Conv2d conv2{convolution(kChannels1, kChannels2)};
  torch::nn::BatchNorm2d norm2{kChannels2};
  torch::nn::Linear hidden{kFeatures, kHidden};
  torch::nn::Dropout dropout{0.3};
  torch::nn::Linear output{kHidden, static_cast<std::int64_t>(kClasses)};

  Network() {
    register_module("conv1", conv1);
    register_module("norm1", norm1);
    register_module("conv2", conv2);
    register_module("norm2", norm2);
    register_module("hidden", hidden);
    register_module("dropout", dropout);
    register_module("output", output);
  }

  static torch::nn::Conv2dOptions convolution(std::int64_t in, std::int64_t out) {
    return torch::nn::Conv2dOptions(in, out, 3).stride(2).padding(1).bias(false);
  }

  torch::Tensor logits(torch::Tensor x) {
    x = torch::relu(norm1(conv1(x)));
    x = torch::relu(norm2(conv2(x)));
    x = torch::relu(hidden(x.flatten(1)));
    return output(dropout(x));
  }
};

/// The same network as TorchScript; libtorch cannot export a C++ module by itself. Parameters keep
/// their names with a _ for the dot.
constexpr const char* kScript = R"(
def forward(self, image: Tensor) -> Tensor:
    x = torch.conv2d(image, self.conv1_weight, None, [2, 2], [1, 1])
    x = torch.relu(torch.batch_norm(x, self.norm1_weight, self.norm1_bias,
        self.norm1_running_mean, self.norm1_running_var, False, 0.1, 1e-05, False))
    x = torch.conv2d(x, self.conv2_weight, None, [2, 2], [1, 1])
    x = torch.relu(torch.batch_norm(x, self.norm2_weight, self.norm2_bias,
        self.norm2_running_mean, self.norm2_running_var, False, 0.1, 1e-05, False))
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.hidden_weight, self.hidden_bias))
    return torch.softmax(torch.linear(x, self.output_weight, self.output_bias), 1)
)";

/// Two cores are mostly shared ones, and OpenBLAS's threads and libtorch's get in each other's way:
/// one thread is about as fast as two, uses half the CPU and gives the same weights every time.
void use_one_thread() {
  at::set_num_threads(1);
  using SetThreads = void (*)(int);
  if (const auto set =
          reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    set(1);
}

/// Gradients are a few MiB: keep their memory instead of returning it to the system every step.
/// Denormal numbers, which late training is full of, are slow and worth nothing.
void tune_process() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  at::globalContext().setFlushDenormal(true);
  use_one_thread();
}

/// One cycle: up in a straight line, down in a half cosine.
double learning_rate(double done) {
  if (done < kWarmUp) return kPeakLearningRate * (0.1 + 0.9 * done / kWarmUp);
  const double rest = (done - kWarmUp) / (1 - kWarmUp);
  return kPeakLearningRate * 0.5 * (1 + std::cos(std::numbers::pi * rest));
}

double step(Network& network, torch::optim::AdamW& optimizer, const TrainingBatch& batch) {
  const auto size = static_cast<std::int64_t>(batch.labels.size());
  // from_blob takes no const, but nothing here writes to its tensor.
  const auto images = torch::from_blob(const_cast<float*>(batch.images.data()), {size, 1, 28, 28});
  const auto labels =
      torch::from_blob(const_cast<std::int64_t*>(batch.labels.data()), {size}, torch::kLong);
  optimizer.zero_grad();
  const auto loss = torch::nn::functional::cross_entropy(network.logits(images), labels);
  loss.backward();
  optimizer.step();
  return loss.item<double>();
}

void train(Network& network, const Dataset& dataset, const Recipe& recipe,
           const std::function<void(const Progress&)>& report) {
  Sampler sampler(dataset, recipe.batch_size, recipe.seed);
  torch::optim::AdamW optimizer(network.parameters(),
                                torch::optim::AdamWOptions(kPeakLearningRate).weight_decay(1e-2));
  auto& options = static_cast<torch::optim::AdamWOptions&>(optimizer.param_groups()[0].options());
  const std::size_t batches = sampler.batches_per_epoch();
  const double steps = static_cast<double>(batches) * recipe.epochs;

  network.train();
  double step_count = 0;
  for (int epoch = 1; epoch <= recipe.epochs; ++epoch) {
    double sum = 0;
    for (std::size_t batch = 1; batch <= batches; ++batch) {
      options.lr(learning_rate(step_count++ / steps));
      sum += step(network, optimizer, sampler.next());
      report({epoch, recipe.epochs, batch, batches, sum / static_cast<double>(batch)});
    }
  }
  network.eval();
}

std::string script_name(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

torch::jit::Module to_script(const Network& network) {
  torch::jit::Module script("FashionClassifier");
  for (const auto& parameter : network.named_parameters())
    script.register_parameter(script_name(parameter.key()), parameter.value().detach().clone(),
                              /*is_buffer=*/false);
  for (const auto& buffer : network.named_buffers())
    if (buffer.value().is_floating_point())  // not the batch counter
      script.register_buffer(script_name(buffer.key()), buffer.value().clone());
  script.define(kScript);
  script.eval();
  return script;
}

/// The class that `probabilities` puts first, for every image.
template <typename Probabilities>
std::vector<std::int64_t> predict(const Dataset& dataset, Probabilities probabilities) {
  const torch::InferenceMode inference;
  std::vector<std::int64_t> classes;
  for (std::size_t first = 0; first < dataset.size(); first += kEvaluationBatch) {
    const std::size_t size = std::min(kEvaluationBatch, dataset.size() - first);
    auto images = torch::empty({static_cast<std::int64_t>(size), 1, 28, 28});
    for (std::size_t row = 0; row < size; ++row)
      to_input(dataset.image(first + row), images.template data_ptr<float>() + row * kPixels);
    const torch::Tensor best = probabilities(images).argmax(1).contiguous();
    const auto* values = best.template data_ptr<std::int64_t>();
    classes.insert(classes.end(), values, values + size);
  }
  return classes;
}

std::vector<std::int64_t> predict_with_file(const std::filesystem::path& file,
                                            const Dataset& dataset) {
  torch::jit::Module script = torch::jit::load(file.string());
  script.eval();
  return predict(dataset,
                 [&](const torch::Tensor& images) { return script.forward({images}).toTensor(); });
}

std::size_t count_matches(const std::vector<std::int64_t>& classes, const Dataset& dataset) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < dataset.size(); ++i) count += classes[i] == dataset.labels[i] ? 1 : 0;
  return count;
}

}  // namespace

std::size_t train_model(const Dataset& train_set, const Dataset& held_out, const Recipe& recipe,
                        const std::filesystem::path& file,
                        const std::function<void(const Progress&)>& report) {
  if (recipe.epochs < 1 || recipe.batch_size == 0 || recipe.batch_size > train_set.size())
    throw std::invalid_argument("a training needs an epoch and as many images as a batch has");
  tune_process();
  torch::manual_seed(recipe.seed);
  Network network;
  train(network, train_set, recipe, report);
  to_script(network).save(file.string());

  const auto exported = predict_with_file(file, held_out);
  const auto trained = predict(held_out, [&](const torch::Tensor& images) {
    return torch::softmax(network.logits(images), 1);
  });
  if (exported != trained)
    throw std::runtime_error("the exported model does not answer like the trained one");
  return count_matches(exported, held_out);
}

std::size_t count_correct(const std::filesystem::path& file, const Dataset& dataset) {
  use_one_thread();
  return count_matches(predict_with_file(file, dataset), dataset);
}

std::string fast_blas() {
  using GetConfig = const char* (*)();
  const auto config = reinterpret_cast<GetConfig>(dlsym(RTLD_DEFAULT, "openblas_get_config"));
  if (config == nullptr) return "";
  std::istringstream words(config());
  std::string name;
  std::string version;
  words >> name >> version;
  return name + ' ' + version;
}

}  // namespace fashion
