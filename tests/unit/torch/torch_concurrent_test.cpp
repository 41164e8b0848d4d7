// Two instances on threads of their own under a real Runtime.
#include <cmath>
#include <future>

#include "aiserve/core/runtime.hpp"
#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::testing;

namespace {

constexpr std::size_t kPixels = 12 * 12;

const char* const kConvNet = R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.w1, self.b1)), 2)
    x = torch.addmm(self.b2, x.flatten(1), self.w2.t())
    return torch.softmax(x, -1)
)";

struct Service {
  explicit Service(bool optimized)
      : path(folder.script(kConvNet,
                           {{"w1", {8, 1, 3, 3}}, {"b1", {8}}, {"w2", {10, 200}}, {"b2", {10}}})),
        model({.path = path,
               .signature = f32({-1, 1, 12, 12}, {-1, 10}),
               .instances = 2,
               .freeze = optimized,
               .optimize_for_inference = optimized}),
        batcher(runtime, model) {
    runtime.start();
  }

  std::future<Result<Inference>> ask(const Tensor& image) {
    auto promise = std::make_shared<std::promise<Result<Inference>>>();
    batcher.submit(Context::background(), image, [promise](Result<Inference> outcome) {
      promise->set_value(std::move(outcome));
    });
    return promise->get_future();
  }
  std::vector<float> reference(const Tensor& image) const {
    return run_script(path, {1, 1, 12, 12}, image.data<float>());
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  ModelFolder folder;
  std::string path;
  TorchModel model;
  Runtime runtime{RuntimeOptions{.telemetry = &telemetry}};
  Batcher batcher;
};

Tensor image(int seed) {
  std::vector<float> pixels(kPixels);
  for (std::size_t i = 0; i < kPixels; ++i) {
    pixels[i] = std::sin(static_cast<float>(i) * 0.7F + static_cast<float>(seed));
  }
  return Tensor::from<float>({1, 12, 12}, pixels).value();
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("a request that rides alone gets the bits that a direct forward gives") {
  Service service(false);
  for (int seed = 0; seed < 20; ++seed) {
    const Tensor input = image(seed);
    const Result<Inference> outcome = service.ask(input).get();
    REQUIRE(outcome.ok());
    CHECK(outcome->ride().size == 1);
    CHECK(values_of<float>(outcome->output()) == service.reference(input));
  }
}

TEST_CASE("requests in batches on two instances get what they would get alone") {
  for (const bool optimized : {false, true}) {
    Service service(optimized);
    std::vector<std::future<Result<Inference>>> answers;
    for (int seed = 0; seed < 300; ++seed) answers.push_back(service.ask(image(seed)));
    std::uint32_t largest_batch = 0;
    for (int seed = 0; seed < 300; ++seed) {
      const Result<Inference> outcome = answers[static_cast<std::size_t>(seed)].get();
      REQUIRE(outcome.ok());
      largest_batch = std::max(largest_batch, outcome->ride().size);
      CHECK(largest_difference(values_of<float>(outcome->output()),
                               service.reference(image(seed))) < 1e-5F);
    }
    CHECK(largest_batch > 1);
    CHECK(service.batcher.snapshot().ready_instances == 2);
  }
}

TEST_CASE("a model file that vanishes before the start stops the runtime with a reason") {
  const ModelFolder folder;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  TorchModel model({.path = folder.script("def forward(self, x):\n    return x\n"),
                    .signature = f32({-1, 4}, {-1, 4}),
                    .instances = 2});
  std::filesystem::remove(folder.model());
  Runtime runtime({.telemetry = &telemetry});
  const Batcher batcher(runtime, model);
  CHECK(runtime.run() == 2);
}
