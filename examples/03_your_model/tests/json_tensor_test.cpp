#include "json_tensor.hpp"

#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve;
using nlohmann::json;
using your_model::tensor_from_json;
using your_model::tensor_to_json;

namespace {

TensorSpec spec(DType dtype, Shape shape) { return TensorSpec("x", dtype, shape); }

std::string why(DType dtype, Shape shape, const json& value) {
  const Result<Tensor> tensor = tensor_from_json(spec(dtype, shape), value);
  return tensor.ok() ? "" : tensor.error().message();
}

}  // namespace

TEST_CASE("nested arrays become a row in row-major order, and come back") {
  const json rows = json::parse("[[1, 2, 3], [4, 5, 6.5]]");
  const Result<Tensor> tensor = tensor_from_json(spec(DType::f32, {-1, 2, 3}), rows);
  REQUIRE(tensor.ok());
  CHECK(tensor->shape() == Shape{2, 3});
  const auto data = tensor->data<float>();
  CHECK(std::vector<float>(data.begin(), data.end()) == std::vector<float>{1, 2, 3, 4, 5, 6.5F});
  CHECK(tensor_to_json(*tensor) == rows);
}

TEST_CASE("a batch dimension of one may be there, also where the row begins with one") {
  CHECK(why(DType::f32, {-1, 2}, json::parse("[[1, 2]]")).empty());
  CHECK(why(DType::f32, {-1, 1, 2}, json::parse("[[1, 2]]")).empty());
  CHECK(why(DType::f32, {-1, 1, 2}, json::parse("[[[1, 2]]]")).empty());
  CHECK(why(DType::f32, {-1}, json(1)).empty());
  CHECK(why(DType::f32, {-1}, json::parse("[1]")).empty());
}

TEST_CASE("every element type goes both ways") {
  for (const DType dtype : {DType::u8, DType::i8, DType::i16, DType::i32, DType::i64, DType::f64}) {
    const json value = json::parse("[1, 127]");
    const Result<Tensor> tensor = tensor_from_json(spec(dtype, {-1, 2}), value);
    REQUIRE(tensor.ok());
    CHECK(tensor_to_json(*tensor) == value);
  }
  const json flags = json::parse("[true, false]");
  CHECK(tensor_to_json(tensor_from_json(spec(DType::boolean, {-1, 2}), flags).value()) == flags);
}

TEST_CASE("half floats are written, and read from bytes only") {
  const std::vector<std::uint16_t> half{0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000};
  const auto bytes = [](const auto& values) {
    return Bytes::copy(std::as_bytes(std::span(values)));
  };
  const Tensor f16 = Tensor::make(DType::f16, {5}, bytes(half)).value();
  CHECK(tensor_to_json(f16) == json({1.0F, -2.0F, 0x1p-24F, 65504.0F, -0.0F}));
  const std::vector<std::uint16_t> brain{0x3F80, 0xC000};
  CHECK(tensor_to_json(Tensor::make(DType::bf16, {2}, bytes(brain)).value()) ==
        json({1.0F, -2.0F}));
  CHECK(why(DType::f16, {-1, 1}, json({1})).find("octet-stream") != std::string::npos);
}

TEST_CASE("numbers that do not fit their type are refused with their place") {
  CHECK(why(DType::u8, {-1, 2}, json({255, 256})) == "x[1]: expected uint8");
  CHECK(why(DType::u8, {-1, 1}, json({-1})) == "x[0]: expected uint8");
  CHECK(why(DType::i8, {-1, 1}, json({-129})) == "x[0]: expected int8");
  CHECK(why(DType::i8, {-1, 1}, json({-128})).empty());
  CHECK(why(DType::i64, {-1, 1}, json({9223372036854775808ULL})) == "x[0]: expected int64");
  CHECK(why(DType::i64, {-1, 1}, json({std::numeric_limits<std::int64_t>::min()})).empty());
  CHECK(why(DType::i32, {-1, 1}, json({1.0})) == "x[0]: expected int32");
  CHECK(why(DType::f32, {-1, 1}, json({1e39})) == "x[0]: expected float32");
  CHECK(why(DType::f64, {-1, 1}, json({1e39})).empty());
  CHECK(why(DType::f32, {-1, 1}, json({true})) == "x[0]: expected float32");
  CHECK(why(DType::boolean, {-1, 1}, json({1})) == "x[0]: expected bool");
  CHECK(why(DType::f32, {-1, 2, 1}, json::parse("[[1], [null]]")) == "x[1][0]: expected float32");
}

TEST_CASE("arrays of another shape are refused with their place") {
  CHECK(why(DType::f32, {-1, 2}, json({1})) == "x: expected an array of 2");
  CHECK(why(DType::f32, {-1, 2}, json({1, 2, 3})) == "x: expected an array of 2");
  CHECK(why(DType::f32, {-1, 2}, json(1)) == "x: expected an array of 2");
  CHECK(why(DType::f32, {-1, 2, 2}, json::parse("[[1, 2], [3]]")) ==
        "x[1]: expected an array of 2");
  CHECK(why(DType::f32, {-1, 2}, json::parse("[[1, 2], [3, 4]]")) == "x[0]: expected float32");
  CHECK(why(DType::f32, {-1, 2}, json::parse("{}")) == "x: expected an array of 2");
}
