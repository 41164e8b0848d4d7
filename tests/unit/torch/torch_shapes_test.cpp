// Modules that take rows of any length, and the check that rows do not mix.
#include "serving/batch_builder.hpp"
#include "serving/row_check.hpp"
#include "unit/serving/shaped_rows.hpp"
#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::testing;
using aiserve::detail::BatchBuilder;

namespace {

/// Doubles each element, and pools relu(x * w) over the real ones.
constexpr const char* kPooling =
    "def forward(self, x, mask):\n"
    "    h = torch.relu(x.unsqueeze(2) * self.w)\n"
    "    m = mask.unsqueeze(2)\n"
    "    return x * 2.0, (h * m).sum(1) / m.sum(1)\n";

Signature pooling() {
  return {{TensorSpec("x", DType::f32, {-1, -1}), TensorSpec("mask", DType::f32, {-1, -1})},
          {TensorSpec("doubled", DType::f32, {-1, -1}), TensorSpec("pooled", DType::f32, {-1, 8})}};
}

/// A module, its only instance and a builder, without a Batcher.
struct Loaded {
  Loaded(const std::string& source, const Signature& signature, ShapeOptions shapes,
         const std::vector<Weight>& weights = {})
      : model((folder.script(source, weights),
               TorchModelOptions{.path = folder.model(), .signature = signature, .instances = 1})),
        instance(model.create_instance(0).value()),
        builder(model.signature(), 8, std::move(shapes)) {}

  Result<void> run(std::span<detail::TensorRow* const> rows) {
    const Result<void> ran = instance->run(builder.gather(rows));
    builder.scatter(rows, ran);
    return ran;
  }

  ModelFolder folder;
  TorchModel model;
  std::unique_ptr<ModelInstance> instance;
  BatchBuilder builder;
};

Floats wave(std::size_t length) {
  Floats values(length);
  for (std::size_t i = 0; i < length; ++i) values[i] = static_cast<float>(i % 5) - 1.5F;
  return values;
}

}  // namespace

TEST_CASE("a masked module answers rows of different lengths as it answers each alone") {
  Loaded loaded(kPooling, pooling(), {.mode = ShapeMode::padded, .pad_value = 9, .mask = "mask"},
                {{"w", {8}}});
  Rows together;
  Rows alone;
  for (const std::size_t length : {3U, 17U, 1U, 8U}) {
    together.add(floats(wave(length)));
    alone.add(floats(wave(length)));
  }
  REQUIRE(loaded.run(together.all()).ok());
  for (std::size_t i = 0; i < 4; ++i) {
    REQUIRE(loaded.run(alone.all().subspan(i, 1)).ok());
    CHECK(together[i].output->shape() == together[i].input.shape());
    CHECK(together.output(i) == alone.output(i));
    const Floats pooled = values_of<float>(together[i].more_outputs[0]);
    const Floats expected = values_of<float>(alone[i].more_outputs[0]);
    REQUIRE(pooled.size() == 8);
    for (std::size_t k = 0; k < 8; ++k) CHECK(pooled[k] == doctest::Approx(expected[k]));
  }
  CHECK(loaded.builder.rules().brought() == 1);
}

TEST_CASE("rows of one shape run as they are, whatever the shape") {
  const Signature images{{TensorSpec("image", DType::f32, {-1, 2, -1, -1})},
                         {TensorSpec("flat", DType::f32, {-1, -1, -1})}};
  Loaded loaded("def forward(self, x):\n    return x.sum(1)\n", images, {});
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{2, 1, 7}}) {
    Rows rows;
    for (int i = 0; i < 3; ++i) rows.add(floats(shape, wave(shape.elements().value())));
    REQUIRE(loaded.run(rows.all()).ok());
    CHECK(rows[2].output->shape() == Shape{shape[1], shape[2]});
    const Floats x = wave(shape.elements().value());
    CHECK(rows.output(2)[1] == doctest::Approx(x[1] + x[x.size() / 2 + 1]));
  }
}

TEST_CASE("a module whose output does not follow its input's length is refused at load") {
  const ModelFolder folder;
  folder.script("def forward(self, x):\n    return x[:, :16] * 1.0\n");
  const TorchModelOptions options{.path = folder.model(), .signature = f32({-1, -1}, {-1, -1})};
  CHECK(contains(config_error(options),
                 "a batch of 2 zeros: the model does not fit its signature: output 'y' is float32 "
                 "[2, 16], the signature says float32 [2, 17]"));
}

TEST_CASE("the length of made-up rows can be raised for modules that need more") {
  const ModelFolder folder;
  folder.script(
      "def forward(self, x):\n"
      "    assert x.size(1) >= 400, 'too short'\n"
      "    return x * 1.0\n");
  TorchModelOptions options{.path = folder.model(), .signature = f32({-1, -1}, {-1, -1})};
  CHECK(contains(config_error(options), "too short"));
  options.check_length = 400;
  CHECK(config_error(options).empty());
  options.check_length = 0;
  CHECK(contains(config_error(options), "check_length must be 1 to 65536"));
}

TEST_CASE("a side-car may leave dimensions open; its sample says how long it is") {
  const ModelFolder folder;
  folder.script("def forward(self, x):\n    return x * 2.0\n");
  const auto text = [](const Floats& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  };
  folder.write("in.bin", text({1, 2, 3, 4, 5, 6}));
  folder.write("out.bin", text({2, 4, 6, 8, 10, 12}));
  const auto car = [&](const std::string& length) {
    folder.write("model.json",
                 R"({"inputs":[{"name":"x","dtype":"float32","shape":[-1,-1]}],
                     "outputs":[{"name":"y","dtype":"float32","shape":[-1,-1]}],
                     "sample":{"input_file":"in.bin","output_file":"out.bin","rows":2)" +
                     length + "}}");
    return TorchModelOptions{.path = folder.model(), .instances = 1};
  };
  CHECK(contains(config_error(car("")), "sample: \"length\" is missing"));
  CHECK(contains(config_error(car(R"(,"length":0)")), "\"length\" must be 1 to"));
  CHECK(contains(config_error(car(R"(,"length":2)")), "has 24 bytes, 2 rows are 16"));
  const TorchModel model(car(R"(,"length":3)"));
  CHECK(contains(model.status(), "\"sample_checked\":true"));
}

TEST_CASE("ragged batches are not for TorchScript") {
  Loaded loaded("def forward(self, x):\n    return x * 1.0\n", f32({-1, -1}, {-1, -1}),
                {.mode = ShapeMode::ragged});
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({3}));
  CHECK(loaded.run(rows.all()).error().code() == Errc::unimplemented);
}

TEST_CASE("NaN that a module leaves in padding fails nobody") {
  Loaded loaded("def forward(self, x):\n    return x / x\n", f32({-1, -1}, {-1, -1}),
                {.mode = ShapeMode::padded});
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({3, 4, 5}));
  rows.add(floats({6, 0}));
  REQUIRE(loaded.run(rows.all()).ok());
  CHECK(rows.output(0) == Floats{1, 1});
  CHECK(rows.output(1) == Floats{1, 1, 1});
  CHECK(rows[2].output.error().code() == Errc::internal);
}

TEST_CASE("the row check passes a module that keeps rows apart and names one that mixes them") {
  const auto check = [](const std::string& source, const Signature& signature, ShapeOptions shapes,
                        const std::vector<Weight>& weights) {
    Loaded loaded(source, signature, std::move(shapes), weights);
    CHECK(loaded.model.may_check_rows());
    return detail::check_rows(
        *loaded.instance, loaded.model.signature(), loaded.builder,
        {.length = loaded.model.sample_length(), .tolerance = loaded.model.row_tolerance()});
  };
  const std::vector<Weight> w{{"w", {8}}};
  const ShapeOptions padded{.mode = ShapeMode::padded, .mask = "mask"};
  CHECK(check(kPooling, pooling(), padded, w).ok());
  std::string blind = kPooling;
  blind.replace(blind.find("mask.unsqueeze(2)"), 17, "torch.ones_like(mask).unsqueeze(2)");
  CHECK(contains(check(blind, pooling(), padded, w).error().message(), "output 'pooled'"));
  const Result<void> centred =
      check("def forward(self, x):\n    return x - x.mean(0)\n", f32({-1, 4}, {-1, 4}), {}, {});
  CHECK(centred.error().message() == "output 'y' of a row depends on the other rows of its batch");
}
