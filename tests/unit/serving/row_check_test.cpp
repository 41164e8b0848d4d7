#include "serving/row_check.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "unit/serving/shaped_rows.hpp"

using namespace aiserve;
using namespace aiserve::testing;
using aiserve::detail::BatchBuilder;
using aiserve::detail::check_rows;

namespace {

class Instance final : public ModelInstance {
 public:
  explicit Instance(CallableModel::Function function) : function_(std::move(function)) {}
  Result<void> run(Batch& batch) override { return function_(batch); }

 private:
  CallableModel::Function function_;
};

Result<void> check(const Signature& signature, CallableModel::Function function,
                   ShapeOptions shapes = {}) {
  Instance instance(std::move(function));
  BatchBuilder builder(signature, 8, std::move(shapes));
  return check_rows(instance, signature, builder);
}

Signature rows_of_four() {
  return {{TensorSpec("x", DType::f32, {-1, 4})},
          {TensorSpec("same", DType::f32, {-1, 4}), TensorSpec("y", DType::f32, {-1, 4})}};
}

void copy(Batch& batch, std::size_t output) {
  const auto x = batch.input<float>();
  std::copy(x.begin(), x.end(), batch.output<float>(output).begin());
}

Signature any_length() {
  return {{TensorSpec("x", DType::f32, {-1, -1}), TensorSpec("mask", DType::f32, {-1, -1})},
          {TensorSpec("mean", DType::f32, {-1, 1})}};
}

/// The mean of each row, over real elements only or over padding too.
Result<void> mean(Batch& batch, bool use_mask) {
  const auto length = static_cast<std::size_t>(batch.padded_length());
  for (std::size_t row = 0; row < batch.size(); ++row) {
    float sum = 0;
    float count = 0;
    for (std::size_t i = row * length; i < (row + 1) * length; ++i) {
      const float weight = use_mask ? batch.input<float>(1)[i] : 1.F;
      sum += weight * batch.input<float>(0)[i];
      count += weight;
    }
    batch.output<float>()[row] = sum / count;
  }
  return success();
}

}  // namespace

TEST_CASE("a model that treats rows apart passes") {
  CHECK(check(rows_of_four(), [](Batch& batch) {
          copy(batch, 0);
          copy(batch, 1);
          return success();
        }).ok());
}

TEST_CASE("a model that subtracts the mean of its batch is refused, by the output's name") {
  const Result<void> checked = check(rows_of_four(), [](Batch& batch) {
    copy(batch, 0);
    const auto x = batch.input<float>();
    const auto rows = static_cast<float>(batch.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      float column = 0;
      for (std::size_t row = 0; row < batch.size(); ++row) column += x[4 * row + i % 4];
      batch.output<float>(1)[i] = x[i] - column / rows;
    }
    return success();
  });
  CHECK(checked.error().code() == Errc::internal);
  CHECK(checked.error().message() == "output 'y' of a row depends on the other rows of its batch");
}

TEST_CASE("rounding is no mixing, a thousandth is") {
  for (const float error : {1e-5F, 1e-3F}) {
    const Result<void> checked = check(rows_of_four(), [error](Batch& batch) {
      copy(batch, 0);
      copy(batch, 1);
      for (float& y : batch.output<float>(1)) y *= batch.size() == 1 ? 1.F : 1.F + error;
      return success();
    });
    CHECK(checked.ok() == (error < 1e-4F));
  }
}

TEST_CASE("padding without a mask that changes answers is found, with a mask it passes") {
  const ShapeOptions shapes{.mode = ShapeMode::padded, .mask = "mask"};
  CHECK(check(
            any_length(), [](Batch& batch) { return mean(batch, true); }, shapes)
            .ok());
  const Result<void> blind = check(
      any_length(), [](Batch& batch) { return mean(batch, false); }, shapes);
  CHECK(blind.error().message() ==
        "output 'mean' of a row depends on the other rows of its batch, or on padding");
  const ShapeOptions exact{.mask = "mask"};
  CHECK(check(
            any_length(), [](Batch& batch) { return mean(batch, false); }, exact)
            .ok());
}

TEST_CASE("made-up rows keep to the edges, and to numbers that the types can hold") {
  std::vector<Shape> shapes;
  Signature signature{{TensorSpec("tokens", DType::i64, {-1, -1})},
                      {TensorSpec("sum", DType::i64, {-1, 1})}};
  const auto sum = [&](Batch& batch) {
    shapes.push_back(batch.input_shape());
    const auto tokens = batch.input<std::int64_t>();
    const auto length = static_cast<std::size_t>(batch.padded_length());
    for (const std::int64_t token : tokens) CHECK((token == 0 || token == 1));
    for (std::size_t row = 0; row < batch.size(); ++row) {
      const auto* begin = tokens.data() + row * length;
      batch.output<std::int64_t>()[row] = std::accumulate(begin, begin + length, std::int64_t{0});
    }
    return success();
  };
  CHECK(check(signature, sum, {.mode = ShapeMode::padded, .edges = {4, 8}}).ok());
  CHECK(shapes == std::vector<Shape>{{1, 6}, {2, 8}});
}

TEST_CASE("a model that fails on random numbers alone is not judged, one that fails on two is") {
  const auto failing = [](std::size_t from) {
    return [from](Batch& batch) -> Result<void> {
      copy(batch, 0);
      copy(batch, 1);
      if (batch.size() >= from) throw std::runtime_error("only images");
      return success();
    };
  };
  CHECK(check(rows_of_four(), failing(1)).ok());
  const Result<void> two = check(rows_of_four(), failing(2));
  CHECK(two.error().message().starts_with("a batch of two random rows: "));
  CHECK(two.error().detail() == "only images");
}

TEST_CASE("NaN and infinities are equal to themselves") {
  CHECK(check(rows_of_four(), [](Batch& batch) {
          for (float& y : batch.output<float>(0)) y = std::numeric_limits<float>::quiet_NaN();
          for (float& y : batch.output<float>(1)) y = std::numeric_limits<float>::infinity();
          return success();
        }).ok());
  const Result<void> other = check(rows_of_four(), [](Batch& batch) {
    copy(batch, 0);
    for (float& y : batch.output<float>(1)) {
      y = batch.size() == 1 ? 1.F : std::numeric_limits<float>::quiet_NaN();
    }
    return success();
  });
  CHECK_FALSE(other.ok());
}
