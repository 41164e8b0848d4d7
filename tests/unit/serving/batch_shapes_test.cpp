// Rows of any length: exact, padded with mask, ragged.
#include <limits>
#include <random>

#include "unit/serving/shaped_rows.hpp"

using namespace aiserve;
using namespace aiserve::testing;
using aiserve::detail::BatchBuilder;

namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

Signature any_length() {
  return {{TensorSpec("x", DType::f32, {-1, -1})},
          {TensorSpec("y", DType::f32, {-1, -1}), TensorSpec("sum", DType::f32, {-1, 1})}};
}

Signature masked() {
  Signature signature = any_length();
  signature.inputs.insert(signature.inputs.begin(), TensorSpec("mask", DType::i64, {-1, -1}));
  return signature;
}

/// Per row: y = 1 / x for real elements, and their sum in order. Uses length(), not a mask.
void compute(Batch& batch, std::size_t input = 0) {
  const auto x = batch.input<float>(input);
  const auto y = batch.output<float>(0);
  std::fill(y.begin(), y.end(), kNan);  // what a model leaves in padding is its own affair
  const auto offsets = batch.offsets(input);
  for (std::size_t row = 0; row < batch.size(); ++row) {
    const auto stride = static_cast<std::size_t>(batch.padded_length());
    const std::size_t begin =
        offsets.empty() ? row * stride : static_cast<std::size_t>(offsets[row]);
    float sum = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch.length(row)); ++i) {
      y[begin + i] = 1 / x[begin + i];
      sum += y[begin + i];
    }
    batch.output<float>(1)[row] = sum;
  }
}

Floats ramp(std::size_t length, float from = 1) {
  Floats values(length);
  std::iota(values.begin(), values.end(), from);
  return values;
}

}  // namespace

TEST_CASE("exact: rows of the same shapes make a batch of that shape") {
  const Signature signature{
      {TensorSpec("image", DType::f32, {-1, 2, -1, -1})},
      {TensorSpec("mask", DType::f32, {-1, -1, -1}), TensorSpec("line", DType::f32, {-1, -1})}};
  BatchBuilder builder(signature, 8);
  Rows rows;
  rows.add(floats({2, 3, 2}, ramp(12)));
  rows.add(floats({1, 2, 3, 2}, ramp(12, 100)));
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.input_shape() == Shape{2, 2, 3, 2});
  CHECK(batch.output_shape(0) == Shape{2, 3, 2});
  CHECK(batch.output_shape(1) == Shape{2, 3});
  CHECK(batch.length(1) == 3);
  CHECK(batch.padded_length() == 3);
  CHECK(values_of(batch.input_bytes())[12] == 100);
  for (std::size_t i = 0; i < 12; ++i) batch.output<float>(0)[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < 6; ++i) batch.output<float>(1)[i] = static_cast<float>(i);
  builder.scatter(rows.all(), success());
  CHECK(rows[1].output->shape() == Shape{3, 2});
  CHECK(rows.output(1) == ramp(6, 6));
  CHECK(rows[1].more_outputs[0].shape() == Shape{3});
  Rows other;
  other.add(floats({2, 1, 5}, ramp(10)));
  CHECK(builder.gather(other.all()).input_shape() == Shape{1, 2, 1, 5});
  CHECK(builder.padding().elements_padded == 0);
}

TEST_CASE("padded: rows are filled up to the longest and outputs cut back") {
  const Signature signature = any_length();
  BatchBuilder builder(signature, 8, {.mode = ShapeMode::padded, .pad_value = -1});
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({4, 5, 8}));
  rows.add(floats({10}));
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.input_shape() == Shape{3, 3});
  CHECK(batch.padded_length() == 3);
  CHECK(batch.length(0) == 2);
  CHECK(batch.length(2) == 1);
  CHECK(values_of(batch.input_bytes()) == Floats{1, 2, -1, 4, 5, 8, 10, -1, -1});
  CHECK(builder.padding().elements_real == 6);
  CHECK(builder.padding().elements_padded == 3);
  compute(batch);
  builder.scatter(rows.all(), success());
  CHECK(rows.output(0) == Floats{1, 0.5F});
  CHECK(rows[0].output->shape() == Shape{2});
  CHECK(rows.output(2) == Floats{0.1F});
  CHECK(values_of(rows[1].more_outputs[0]) == Floats{0.25F + 0.2F + 0.125F});
}

TEST_CASE("padded: rows can be filled up to an edge, and longer rows stay whole") {
  const Signature signature = any_length();
  BatchBuilder builder(signature, 8, {.mode = ShapeMode::padded, .pad_to_edge = true});
  Rows rows;
  rows.add(floats({1, 2}));
  CHECK(values_of(builder.gather(rows.all(), 4).input_bytes()) == Floats{1, 2, 0, 0});
  rows.add(floats(ramp(6)));
  CHECK(builder.gather(rows.all(), 4).input_shape() == Shape{2, 6});
}

TEST_CASE("the mask is one for real elements and zero for padding, in its own type") {
  const Signature signature = masked();
  BatchBuilder builder(signature, 8, {.mode = ShapeMode::padded, .pad_value = 7, .mask = "mask"});
  Rows rows;
  rows.add(floats({1, 2, 3}));
  rows.add(floats({4}));
  Batch& batch = builder.gather(rows.all());
  const auto mask = batch.input<std::int64_t>(0);
  CHECK(std::vector<std::int64_t>(mask.begin(), mask.end()) ==
        std::vector<std::int64_t>{1, 1, 1, 1, 0, 0});
  CHECK(values_of(batch.input_bytes(1)) == Floats{1, 2, 3, 4, 7, 7});
  compute(batch, 1);
  builder.scatter(rows.all(), success());
  CHECK(rows.output(1) == Floats{0.25F});

  Batch& alone = builder.gather(rows.all().first(1));
  CHECK(alone.input_bytes(1).data() == rows[0].input.payload().data());
  CHECK(alone.input<std::int64_t>(0).size() == 3);
  Batch& zeros = builder.gather_zeros(2, 5);
  CHECK(zeros.input_shape(1) == Shape{2, 5});
  CHECK(zeros.input<std::int64_t>(0)[9] == 1);
  CHECK(values_of(zeros.input_bytes(1)) == Floats(10, 0.F));
}

TEST_CASE("padding inside of a row is put in and taken out again") {
  const Signature signature{{TensorSpec("signal", DType::f32, {-1, 2, -1, 2})},
                            {TensorSpec("filtered", DType::f32, {-1, 3, -1})}};
  BatchBuilder builder(signature, 8, {.mode = ShapeMode::padded, .pad_value = -1});
  Rows rows;
  rows.add(floats({2, 1, 2}, {1, 2, 3, 4}));
  rows.add(floats({2, 2, 2}, ramp(8, 10)));
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.input_shape() == Shape{2, 2, 2, 2});
  CHECK(values_of(batch.input_bytes()) ==
        Floats{1, 2, -1, -1, 3, 4, -1, -1, 10, 11, 12, 13, 14, 15, 16, 17});
  CHECK(batch.output_shape() == Shape{2, 3, 2});
  const Floats given{1, kNan, 2, kNan, 3, kNan, 4, 5, 6, 7, 8, 9};
  std::copy(given.begin(), given.end(), batch.output<float>().begin());
  builder.scatter(rows.all(), success(), NanPolicy::reject);
  CHECK(rows.output(0) == Floats{1, 2, 3});
  CHECK(rows[0].output->shape() == Shape{3, 1});
  CHECK(rows.output(1) == Floats{4, 5, 6, 7, 8, 9});
}

TEST_CASE("NaN counts in real elements only, not in padding") {
  const Signature signature = any_length();
  BatchBuilder builder(signature, 8, {.mode = ShapeMode::padded, .pad_value = kNan});
  Rows rows;
  rows.add(floats({1}));
  rows.add(floats({1, 2, 3}));
  rows.add(floats({1, kNan}));
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.reject_nan_inputs() == 1);
  compute(batch);
  builder.scatter(rows.all(), success(), NanPolicy::reject);
  CHECK(rows.output(0) == Floats{1});
  CHECK(rows[1].output.ok());
  CHECK(rows[2].output.error().code() == Errc::invalid_argument);
}

TEST_CASE("ragged: rows lie end to end and offsets say where each begins") {
  Signature signature = any_length();
  signature.inputs.emplace_back("scale", DType::f32, Shape{-1, 2});
  signature.inputs.emplace_back("wide", DType::f32, Shape{-1, -1, 2});
  BatchBuilder builder(signature, 8, {.mode = ShapeMode::ragged});
  Rows rows;
  rows.add(floats({1, 2}), {floats({0, 1}), floats({2, 2}, ramp(4))});
  rows.add(floats({4, 5, 8}), {floats({2, 3}), floats({3, 2}, ramp(6))});
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.input_shape(0) == Shape{5});
  CHECK(batch.input_shape(1) == Shape{2, 2});
  CHECK(batch.input_shape(2) == Shape{5, 2});
  CHECK(batch.output_shape(0) == Shape{5});
  CHECK(batch.output_shape(1) == Shape{2, 1});
  CHECK(values_of(batch.input_bytes(0)) == Floats{1, 2, 4, 5, 8});
  CHECK(values_of(batch.input_bytes(2)) == Floats{1, 2, 3, 4, 1, 2, 3, 4, 5, 6});
  const auto offsets = batch.offsets(0);
  CHECK(std::vector<std::int64_t>(offsets.begin(), offsets.end()) ==
        std::vector<std::int64_t>{0, 2, 5});
  CHECK(batch.offsets(1).empty());
  CHECK(batch.offsets(2).size() == 3);
  CHECK(builder.padding().elements_padded == 0);
  compute(batch);
  builder.scatter(rows.all(), success());
  CHECK(rows.output(0) == Floats{1, 0.5F});
  CHECK(rows.output(1) == Floats{0.25F, 0.2F, 0.125F});
  CHECK(rows[1].output->shape() == Shape{3});
  CHECK(builder.gather_zeros(3, 4).input_shape(2) == Shape{12, 2});
}

TEST_CASE("a request's answer is bit for bit the same alone and in any batch, in every mode") {
  const Signature signature = any_length();
  std::mt19937 random(3);
  std::uniform_real_distribution<float> draw(-10, 10);
  for (const ShapeMode mode : {ShapeMode::exact, ShapeMode::padded, ShapeMode::ragged}) {
    BatchBuilder builder(signature, 32, {.mode = mode, .pad_value = 3.5});
    for (int round = 0; round < 200; ++round) {
      Rows together;
      Rows alone;
      const std::size_t count = 1 + random() % 32;
      const std::size_t fixed = 1 + random() % 40;
      for (std::size_t i = 0; i < count; ++i) {
        Floats values(mode == ShapeMode::exact ? fixed : 1 + random() % 40);
        for (float& value : values) value = draw(random);
        together.add(floats(values));
        alone.add(floats(values));
      }
      compute(builder.gather(together.all()));
      builder.scatter(together.all(), success());
      for (std::size_t i = 0; i < count; ++i) {
        const auto one = alone.all().subspan(i, 1);
        compute(builder.gather(one));
        builder.scatter(one, success());
        REQUIRE(together[i].output->payload() == alone[i].output->payload());
        REQUIRE(together[i].more_outputs[0].payload() == alone[i].more_outputs[0].payload());
        REQUIRE(together[i].output->shape() == together[i].input.shape());
      }
    }
  }
}

TEST_CASE("what goes into a batch comes out of it, whatever the shapes, and the mask marks it") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const auto size = [&](unsigned most) { return 1 + static_cast<std::int64_t>(random() % most); };
    const auto mode = static_cast<ShapeMode>(seed % 3);
    const std::int64_t before = mode == ShapeMode::ragged ? 1 : size(3);
    const std::int64_t after = size(3);
    const Shape open =
        mode == ShapeMode::ragged ? Shape{-1, -1, after} : Shape{-1, before, -1, after};
    const Signature signature{
        {TensorSpec("mask", DType::f32, open), TensorSpec("x", DType::f32, open)},
        {TensorSpec("y", DType::f32, open)}};
    BatchBuilder builder(signature, 16, {.mode = mode, .pad_value = -1, .mask = "mask"});
    for (int round = 0; round < 5; ++round) {
      Rows rows;
      const std::int64_t same = size(20);
      const std::int64_t count = size(16);
      float next = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t length = mode == ShapeMode::exact ? same : size(20);
        Floats values(static_cast<std::size_t>(before * length * after));
        for (float& value : values) value = next++;
        rows.add(mode == ShapeMode::ragged ? floats({length, after}, values)
                                           : floats({before, length, after}, values));
      }
      Batch& batch = builder.gather(rows.all(), round == 0 ? 25 : 0);
      REQUIRE(batch.input_shape(1) == batch.output_shape(0));
      REQUIRE(batch.input_bytes(1).size() == batch.output_bytes(0).size());
      const auto x = batch.input<float>(1);
      const auto mask = batch.input<float>(0);
      for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(mask[i] == (x[i] == -1 ? 0.F : 1.F));
      std::copy(x.begin(), x.end(), batch.output<float>(0).begin());
      builder.scatter(rows.all(), success());
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        REQUIRE(rows[i].output->shape() == rows[i].input.shape());
        REQUIRE(rows[i].output->payload() == rows[i].input.payload());
      }
    }
  }
}
