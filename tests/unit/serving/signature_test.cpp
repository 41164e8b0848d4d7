#include "aiserve/serving/signature.hpp"

#include <doctest/doctest.h>

using namespace aiserve;

namespace {
Signature image_to_scores() {
  return {{TensorSpec("image", DType::f32, {-1, 1, 2, 2})},
          {TensorSpec("scores", DType::f32, {-1, 3})}};
}
}  // namespace

TEST_CASE("a signature with batched, fixed rows is valid") {
  CHECK(image_to_scores().validate().ok());
  CHECK(image_to_scores().inputs[0].row_bytes() == 16);
  CHECK(image_to_scores().to_string() ==
        "(image: float32 [-1, 1, 2, 2]) -> (scores: float32 [-1, 3])");
}

TEST_CASE("signatures that no batch can be made of are refused") {
  const auto refused = [](TensorSpec input) {
    Signature signature = image_to_scores();
    signature.inputs = {std::move(input)};
    return !signature.validate().ok();
  };
  CHECK(refused(TensorSpec("x", DType::f32, {4})));
  CHECK(refused(TensorSpec("x", DType::f32, {})));
  CHECK(refused(TensorSpec("x", DType::f32, {-1, -2})));
  CHECK(refused(TensorSpec("x", DType::f32, {-1, 0})));
  CHECK(refused(TensorSpec("x", DType::f32, {-1, -1, 0})));
  CHECK(refused(TensorSpec("x", DType::f32, {-1, -1, 1 << 27})));
  CHECK(refused(TensorSpec("x", DType::string, {-1})));
  CHECK(refused(TensorSpec("", DType::f32, {-1})));
  CHECK(refused(TensorSpec("x", DType::f32, {-1, 1 << 20, 1 << 20})));
  Signature twice = image_to_scores();
  twice.inputs.push_back(twice.inputs.front());
  CHECK_FALSE(twice.validate().ok());
  CHECK_FALSE(Signature{}.validate().ok());
}

TEST_CASE("a row is taken with or without its leading one") {
  const TensorSpec spec = image_to_scores().inputs.front();
  CHECK(spec.check_row(Tensor::from<float>({1, 2, 2}, {1, 2, 3, 4}).value()).ok());
  CHECK(spec.check_row(Tensor::from<float>({1, 1, 2, 2}, {1, 2, 3, 4}).value()).ok());
}

TEST_CASE("a wrong row is named with what was expected") {
  const TensorSpec spec = image_to_scores().inputs.front();
  const Result<void> shape = spec.check_row(Tensor::from<float>({4}, {1, 2, 3, 4}).value());
  CHECK(shape.error().message() == "input 'image' must be float32 [1, 2, 2], not float32 [4]");
  const Result<void> dtype =
      spec.check_row(Tensor::from<std::int32_t>({1, 2, 2}, {1, 2, 3, 4}).value());
  CHECK(dtype.error().code() == Errc::invalid_argument);
  const Result<void> two =
      spec.check_row(Tensor::from<float>({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}).value());
  CHECK_FALSE(two.ok());
}

TEST_CASE("a dimension of any length takes every size from one on") {
  const TensorSpec spec("tokens", DType::u8, {-1, -1, 2});
  CHECK(spec.variable_dims() == 1);
  CHECK(spec.row_bytes() == 0);
  const auto row = [](Shape shape) {
    const std::string bytes(shape.elements().value(), 'x');
    return Tensor::make(DType::u8, shape, Bytes::copy(bytes)).value();
  };
  CHECK(spec.check_row(row({1, 2})).ok());
  CHECK(spec.check_row(row({700, 2})).ok());
  CHECK(spec.check_row(row({1, 700, 2})).ok());
  CHECK(spec.check_row(row({0, 2})).error().code() == Errc::invalid_argument);
  CHECK(spec.check_row(row({5, 3})).error().message() ==
        "input 'tokens' must be uint8 [-1, 2], not uint8 [5, 3]");
  CHECK_FALSE(spec.check_row(row({2, 5, 2})).ok());
}

TEST_CASE("a row of any length has an upper bound") {
  const TensorSpec spec("bytes", DType::u8, {-1, -1});
  const auto row = [](std::size_t size) {
    return Tensor::make(DType::u8, {static_cast<std::int64_t>(size)}, MutableBytes(size).freeze())
        .value();
  };
  CHECK(spec.check_row(row(TensorSpec::kMaxVariableRow)).ok());
  CHECK(spec.check_row(row(TensorSpec::kMaxVariableRow + 1)).error().code() == Errc::too_large);
}

TEST_CASE("an output of any length needs an input that says how long it is") {
  const TensorSpec image("image", DType::f32, {-1, 3, -1, -1});
  const TensorSpec tokens("tokens", DType::i64, {-1, -1});
  const TensorSpec fixed("fixed", DType::f32, {-1, 4});
  const auto valid = [](TensorSpec input, TensorSpec output) {
    const Signature signature{{std::move(input)}, {std::move(output)}};
    return signature.validate().ok();
  };
  CHECK(valid(image, TensorSpec("y", DType::f32, {-1, 1, -1, -1})));
  CHECK(valid(image, TensorSpec("y", DType::f32, {-1, -1})));
  CHECK(valid(tokens, TensorSpec("y", DType::f32, {-1, 10})));
  CHECK_FALSE(valid(tokens, TensorSpec("y", DType::f32, {-1, -1, -1})));
  CHECK_FALSE(valid(fixed, TensorSpec("y", DType::f32, {-1, -1})));
  CHECK(Signature{{fixed, tokens}, {fixed}}.variable());
  CHECK_FALSE(Signature{{fixed}, {fixed}}.variable());
}
