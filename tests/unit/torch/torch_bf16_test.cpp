#include <cmath>

#include "serving/row_check.hpp"
#include "unit/serving/shaped_rows.hpp"
#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::testing;

namespace {

constexpr const char* kMlp =
    "def forward(self, x):\n"
    "    return torch.softmax(torch.relu(x @ self.a + self.b) @ self.c, 1)\n";
const std::vector<Weight> kWeights{{"a", {32, 64}}, {"b", {64}}, {"c", {64, 10}}};

std::vector<Floats> answers(const TorchModelOptions& options) {
  SimService service(options);
  std::vector<Tensor> inputs;
  for (std::size_t row = 0; row < 5; ++row) {
    Floats x(32);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(row * 32 + i));
    inputs.push_back(floats(x));
  }
  std::vector<Floats> outputs;
  for (const Result<Inference>& outcome : service.ask(inputs)) {
    CHECK(outcome.value().output().dtype() == DType::f32);
    outputs.push_back(values_of<float>(outcome.value().output()));
  }
  return outputs;
}

TorchModelOptions options_for(const ModelFolder& folder, bool bf16) {
  folder.script(kMlp, kWeights);
  TorchModelOptions options{.path = folder.model(), .signature = f32({-1, 32}, {-1, 10})};
  options.bf16 = bf16;
  return options;
}

}  // namespace

TEST_CASE("bfloat16 answers in the signature's type, and close to float32") {
  const ModelFolder folder;
  const std::vector<Floats> full = answers(options_for(folder, false));
  for (const bool freeze : {true, false}) {
    TorchModelOptions options = options_for(folder, true);
    options.freeze = freeze;
    const std::vector<Floats> narrow = answers(options);
    REQUIRE(narrow.size() == full.size());
    bool rounded = false;
    for (std::size_t row = 0; row < full.size(); ++row) {
      for (std::size_t i = 0; i < 10; ++i) {
        CHECK(std::fabs(narrow[row][i] - full[row][i]) <= 2e-2F);
        rounded = rounded || narrow[row][i] != full[row][i];
      }
    }
    CHECK(rounded);  // it did compute in bfloat16
  }
}

TEST_CASE("integers stay integers in a bfloat16 module") {
  const ModelFolder folder;
  folder.script("def forward(self, ids):\n    return self.w[ids].sum(1), ids + 1\n",
                {{"w", {300, 4}}});
  const Signature signature{
      {TensorSpec("ids", DType::i64, {-1, 3})},
      {TensorSpec("sum", DType::f32, {-1, 4}), TensorSpec("next", DType::i64, {-1, 3})}};
  TorchModelOptions options{.path = folder.model(), .signature = signature};
  options.bf16 = true;
  SimService service(std::move(options));
  TensorSet inputs;
  inputs.add("ids", Tensor::from<std::int64_t>({3}, {1, 257, 299}).value());
  const Result<TensorSet> outputs = service.ask(inputs);
  REQUIRE(outputs.ok());
  CHECK(values_of<std::int64_t>(*outputs->find("next")) == std::vector<std::int64_t>{2, 258, 300});
}

TEST_CASE("a bfloat16 module that writes to its input does not reach the request's tensor") {
  const ModelFolder folder;
  folder.script("def forward(self, x):\n    x.mul_(2.0)\n    return x\n");
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Signature signature{{TensorSpec("x", dtype, {-1, 4})}, {TensorSpec("y", dtype, {-1, 4})}};
    TorchModelOptions options{.path = folder.model(), .signature = signature};
    options.bf16 = true;
    SimService service(std::move(options));
    const std::string before(4 * size_of(dtype), '\x40');
    const Tensor input = Tensor::make(dtype, {4}, Bytes::copy(before)).value();
    CHECK(service.ask(input).ok());
    CHECK(input.payload().text() == before);
  }
}

TEST_CASE("answers in bfloat16 are taken for float32 only where bf16 was asked for") {
  const ModelFolder folder;
  folder.script("def forward(self, x):\n    return x.to(15)\n");  // torch.bfloat16
  TorchModelOptions options{.path = folder.model(), .signature = f32({-1, 4}, {-1, 4})};
  CHECK(contains(config_error(options), "output 'y' is bfloat16 [1, 4]"));
  options.bf16 = true;
  CHECK(config_error(options).empty());
}

TEST_CASE("samples and rows are compared as widely as bfloat16 needs") {
  const ModelFolder folder;
  const TorchModelOptions options = options_for(folder, true);
  TorchModel model(options);
  CHECK(model.row_tolerance() == doctest::Approx(2e-2));
  CHECK(contains(model.status(), "\"bf16\":true"));
  const auto instance = model.create_instance(0).value();
  detail::BatchBuilder builder(model.signature(), 8);
  CHECK(detail::check_rows(*instance, model.signature(), builder,
                           {.tolerance = model.row_tolerance()})
            .ok());
  CHECK(TorchModel(options_for(folder, false)).row_tolerance() == doctest::Approx(1e-4));
}
