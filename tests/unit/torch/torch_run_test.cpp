// What requests meet: the signature, NaN, modules that throw, write to their input or give several
// outputs. On a simulated runtime, so that requests of one call ride in one batch.
#include <limits>

#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::testing;

namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

TorchModelOptions serving(const ModelFolder& folder, const std::string& source,
                          const Signature& signature = f32({-1, 4}, {-1, 4})) {
  folder.script("def forward(self, x):\n" + source);
  return {.path = folder.model(), .signature = signature, .instances = 1};
}

Tensor row(std::initializer_list<float> values) {
  return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values).value();
}

}  // namespace

TEST_CASE("a request gets what the module computes, with or without the batch dimension") {
  const ModelFolder folder;
  SimService service(serving(folder, "    return x * 2.0\n"));
  const Result<Inference> flat = service.ask(row({1, 2, 3, 4}));
  REQUIRE(flat.ok());
  CHECK(values_of<float>(flat->output()) == std::vector<float>{2, 4, 6, 8});
  const Result<Inference> one = service.ask(row({1, 2, 3, 4}).reshaped({1, 4}).value());
  REQUIRE(one.ok());
  CHECK(values_of<float>(one->output()) == std::vector<float>{2, 4, 6, 8});
  CHECK(contains(service.model().status(), "\"instances_created\":1"));
}

TEST_CASE("tensors that do not fit are refused before libtorch sees them") {
  const ModelFolder folder;
  // Would throw if a wrong tensor came through.
  SimService service(serving(folder, "    return x.reshape(-1, 4)\n"));
  const std::vector<Tensor> wrong{
      Tensor::from<double>({4}, {1, 2, 3, 4}).value(),
      Tensor::from<std::int32_t>({4}, {1, 2, 3, 4}).value(),
      row({1, 2, 3}),
      row({1, 2, 3, 4, 5}),
      row({1, 2, 3, 4}).reshaped({2, 2}).value(),
      row({1, 2, 3, 4, 5, 6, 7, 8}).reshaped({2, 4}).value(),
      Tensor(),
      Tensor::from<float>({}, {1}).value(),
      Tensor::from<float>({0, 4}, {}).value(),
  };
  for (const Result<Inference>& outcome : service.ask(wrong)) {
    REQUIRE(!outcome.ok());
    CHECK(outcome.error().code() == Errc::invalid_argument);
    CHECK(contains(outcome.error().message(), "input 'x' must be float32 [4], not "));
  }
}

TEST_CASE("dimensions that are negative, overflow or disagree with the bytes make no tensor") {
  const Bytes sixteen = Bytes::copy(std::string(16, 'x'));
  constexpr std::int64_t kHuge = std::int64_t{1} << 62U;
  const auto code = [&](Shape shape) {
    const Result<Tensor> made = Tensor::make(DType::f32, shape, sixteen);
    return made.ok() ? Errc::internal : made.error().code();
  };
  CHECK(code({-1, 4}) == Errc::invalid_argument);
  CHECK(code({-4}) == Errc::invalid_argument);
  CHECK(code({-2, -2}) == Errc::invalid_argument);
  CHECK(code({0}) == Errc::invalid_argument);
  CHECK(code({5}) == Errc::invalid_argument);
  CHECK(code({3}) == Errc::invalid_argument);
  CHECK(code({kHuge}) == Errc::invalid_argument);
  CHECK(code({kHuge, 4}) == Errc::invalid_argument);  // 2^64 elements
  CHECK(code({kHuge, 4, 4}) == Errc::invalid_argument);
  CHECK(code({kHuge + 1, 4}) == Errc::invalid_argument);  // 4 elements, modulo 2^64
}

TEST_CASE("NaN in an input fails that row alone") {
  const ModelFolder folder;
  SimService service(serving(folder, "    return x + 1.0\n"));
  const std::vector<Tensor> inputs{row({1, 1, 1, 1}), row({1, 1, kNan, 1}), row({2, 2, 2, 2})};
  const auto outcomes = service.ask(inputs);
  CHECK(values_of<float>(outcomes[0].value().output()) == std::vector<float>{2, 2, 2, 2});
  CHECK(outcomes[1].error().code() == Errc::invalid_argument);
  CHECK(outcomes[1].error().message() == "input 'x' holds NaN");
  CHECK(values_of<float>(outcomes[2].value().output()) == std::vector<float>{3, 3, 3, 3});
  CHECK(outcomes[2]->ride().size == 3);
  CHECK(service.ask(row({kNan, 0, 0, 0})).error().code() == Errc::invalid_argument);
  CHECK(service.ask(row({std::numeric_limits<float>::infinity(), 0, 0, 0})).ok());
}

TEST_CASE("NaN in an output fails that row alone") {
  const ModelFolder folder;
  SimService service(serving(folder, "    return x / x\n"));
  const std::vector<Tensor> inputs{row({1, 2, 3, 4}), row({1, 2, 0, 4})};
  const auto outcomes = service.ask(inputs);
  CHECK(values_of<float>(outcomes[0].value().output()) == std::vector<float>{1, 1, 1, 1});
  CHECK(outcomes[1].error().code() == Errc::internal);
  CHECK(contains(outcomes[1].error().message(), "computed NaN"));
}

TEST_CASE("allowed NaN goes in and comes out") {
  const ModelFolder folder;
  TorchModelOptions options = serving(folder, "    return x + 1.0\n");
  options.nan_inputs = NanPolicy::allow;
  options.nan_outputs = NanPolicy::allow;
  SimService service(std::move(options));
  const Result<Inference> outcome = service.ask(row({1, kNan, 3, 4}));
  REQUIRE(outcome.ok());
  const std::vector<float> values = values_of<float>(outcome->output());
  CHECK(values[0] == 2);
  CHECK(values[1] != values[1]);
}

TEST_CASE("a module that writes to its input does not reach the request's tensor") {
  for (const bool freeze : {true, false}) {
    const ModelFolder folder;
    TorchModelOptions options =
        serving(folder, "    y = x.view(-1)\n    y.mul_(2.0)\n    return x\n");
    options.freeze = freeze;
    SimService service(std::move(options));
    const Tensor input = row({1, 2, 3, 4});
    const Result<Inference> outcome = service.ask(input);
    REQUIRE(outcome.ok());
    CHECK(outcome->ride().size == 1);
    CHECK(values_of<float>(outcome->output()) == std::vector<float>{2, 4, 6, 8});
    CHECK(values_of<float>(input) == std::vector<float>{1, 2, 3, 4});
  }
}

TEST_CASE("a module that throws fails its batch, tells the log only, and serves on") {
  const ModelFolder folder;
  SimService service(serving(folder,
                             "    assert float(x.max()) < 10.0, 'secret path'\n"
                             "    return x\n"));
  const Result<Inference> outcome = service.ask(row({1, 2, 11, 4}));
  CHECK(outcome.error().code() == Errc::internal);
  CHECK(outcome.error().message() == "the model failed");
  CHECK(contains(outcome.error().detail(), "secret path"));
  CHECK(!contains(outcome.error().detail(), "\n"));
  CHECK(service.ask(row({1, 2, 3, 4})).ok());
}

TEST_CASE("an output that stops fitting at run time is an error, not a wrong answer") {
  const ModelFolder folder;
  SimService service(serving(folder,
                             "    if float(x.max()) > 10.0:\n"
                             "        return x[:, :2]\n"
                             "    return x\n"));
  const Result<Inference> outcome = service.ask(row({1, 2, 11, 4}));
  CHECK(outcome.error().code() == Errc::internal);
  CHECK(contains(outcome.error().detail(), "output 'y' is float32 [1, 2]"));
}

TEST_CASE("an output that is not contiguous arrives in row-major order") {
  const ModelFolder folder;
  SimService service(
      serving(folder, "    return x.transpose(1, 2)\n", f32({-1, 2, 3}, {-1, 3, 2})));
  const Tensor input = row({1, 2, 3, 4, 5, 6}).reshaped({2, 3}).value();
  const std::vector<Tensor> inputs{input, input};
  for (const Result<Inference>& outcome : service.ask(inputs)) {
    CHECK(values_of<float>(outcome.value().output()) == std::vector<float>{1, 4, 2, 5, 3, 6});
  }
}

TEST_CASE("every element type passes through unchanged") {
  for (const DType dtype : {DType::u8, DType::i8, DType::i16, DType::i32, DType::i64, DType::f16,
                            DType::bf16, DType::f32, DType::f64, DType::boolean}) {
    const ModelFolder folder;
    const Signature signature{{TensorSpec("x", dtype, {-1, 2})}, {TensorSpec("y", dtype, {-1, 2})}};
    SimService service(serving(folder, "    return x\n", signature));
    const std::string bytes(2 * size_of(dtype), '\1');
    const Tensor input = Tensor::make(dtype, {2}, Bytes::copy(bytes)).value();
    const Result<Inference> outcome = service.ask(input);
    REQUIRE(outcome.ok());
    CHECK(outcome->output().dtype() == dtype);
    CHECK(outcome->output().payload().text() == bytes);
  }
}

TEST_CASE("several inputs and outputs go by name, as tuple, list or dict") {
  const ModelFolder folder;
  const auto spec = [](const char* name) { return TensorSpec(name, DType::f32, {-1, 2}); };
  const Signature signature{{spec("a"), spec("b")}, {spec("sum"), spec("difference")}};
  for (const char* result :
       {"(a + b, a - b)", "[a + b, a - b]", "{'difference': a - b, 'sum': a + b, 'more': a}"}) {
    folder.script("def forward(self, a, b):\n    return " + std::string(result) + "\n");
    SimService service({.path = folder.model(), .signature = signature});
    TensorSet inputs;
    inputs.add("b", row({1, 2}));
    inputs.add("a", row({10, 20}));
    const Result<TensorSet> outputs = service.ask(inputs);
    REQUIRE(outputs.ok());
    CHECK(values_of<float>(*outputs->find("sum")) == std::vector<float>{11, 22});
    CHECK(values_of<float>(*outputs->find("difference")) == std::vector<float>{9, 18});
  }
}
