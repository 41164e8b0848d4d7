#include "aiserve/core/tensor.hpp"

#include <limits>

#include <doctest/doctest.h>

using namespace aiserve;

TEST_CASE("a tensor is made only when shape and byte length agree") {
  const Result<Tensor> image = Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  REQUIRE(image.ok());
  CHECK(image->elements() == 6);
  CHECK(image->data<float>()[5] == 6);
  CHECK(image->data<double>().empty());
  const Result<Tensor> wrong = Tensor::make(DType::f32, {2, 3}, Bytes::copy(std::string(23, 'x')));
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code() == Errc::invalid_argument);
  CHECK(wrong.error().message() == "shape [2, 3] of float32 needs 24 bytes, not 23");
}

TEST_CASE("negative and overflowing dimensions are refused, zeros included") {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  CHECK_FALSE(Tensor::make(DType::u8, {-1, 3}, {}).ok());
  CHECK_FALSE(Tensor::make(DType::u8, {kHuge, 3}, {}).ok());
  CHECK_FALSE(Tensor::make(DType::f64, {kHuge / 2, 2}, {}).ok());
  CHECK_FALSE(Tensor::make(DType::u8, {0, kHuge, kHuge, kHuge}, {}).ok());
  const Result<Tensor> none = Tensor::make(DType::f32, {0, 5}, {});
  REQUIRE(none.ok());
  CHECK(none->elements() == 0);
  CHECK(none->data<float>().empty());
}

TEST_CASE("a scalar has one element") {
  const Result<Tensor> scalar = Tensor::from<std::int64_t>({}, {42});
  REQUIRE(scalar.ok());
  CHECK(scalar->data<std::int64_t>()[0] == 42);
}

TEST_CASE("a misaligned payload is copied into place, an aligned one is shared") {
  const Bytes block = Bytes::copy(std::string(64, '\1'));
  const Result<Tensor> shared = Tensor::make(DType::f32, {4}, block.slice(4, 16));
  CHECK(shared->payload().data() == block.data() + 4);
  const Result<Tensor> moved = Tensor::make(DType::f32, {4}, block.slice(1, 16));
  CHECK(reinterpret_cast<std::uintptr_t>(moved->payload().data()) % alignof(float) == 0);
  CHECK(moved->payload() == block.slice(1, 16));
}

TEST_CASE("strings are found by their index, empty ones too") {
  const std::vector<std::string_view> words{"alpha", "", "gamma\0delta"};
  const Result<Tensor> tensor = Tensor::from_strings({3}, words);
  REQUIRE(tensor.ok());
  for (std::size_t i = 0; i < words.size(); ++i) CHECK(tensor->string_at(i) == words[i]);
  CHECK(tensor->string_at(3).empty());
  CHECK_FALSE(Tensor::from_strings({2}, words).ok());
  CHECK_FALSE(Tensor::make(DType::string, {1}, Bytes::copy("x")).ok());
}

TEST_CASE("bytes are a tensor of themselves") {
  const Bytes bytes = Bytes::copy(std::string_view("ab\0c", 4));
  const Tensor tensor = bytes;
  CHECK(tensor.dtype() == DType::u8);
  CHECK(tensor.shape() == Shape{4});
  CHECK(tensor.payload().data() == bytes.data());
  CHECK(tensor.data<std::uint8_t>()[3] == 'c');
  CHECK(Tensor(Bytes()).shape() == Shape{0});
}

TEST_CASE("reshaping keeps the elements and their number") {
  const Tensor flat = Tensor::from<std::int32_t>({6}, {1, 2, 3, 4, 5, 6}).value();
  CHECK(flat.reshaped({2, 3})->shape() == Shape{2, 3});
  CHECK_FALSE(flat.reshaped({4}).ok());
}

TEST_CASE("dtypes are spelt as NumPy spells them") {
  CHECK(to_string(DType::f32) == "float32");
  CHECK(*parse_dtype("uint8") == DType::u8);
  CHECK(*parse_dtype("bool") == DType::boolean);
  CHECK_FALSE(parse_dtype("float31").ok());
  CHECK(size_of(DType::bf16) == 2);
}

TEST_CASE("shapes have at most eight dimensions") {
  CHECK_THROWS_AS((Shape{1, 2, 3, 4, 5, 6, 7, 8, 9}), ConfigError);
  CHECK_FALSE(Shape::make(std::vector<std::int64_t>(9, 1)).ok());
  CHECK_FALSE((Shape{1, 2, 3, 4, 5, 6, 7, 8}.prepended(1).ok()));
  CHECK(Shape{2, 3}.prepended(-1)->to_string() == "[-1, 2, 3]");
  CHECK(Shape{2, 3}.without_first() == Shape{3});
}

TEST_CASE("a tensor set finds by name") {
  TensorSet set;
  set.add("a", Tensor::from<float>({1}, {1}).value());
  set.add("b", Tensor::from<float>({1}, {2}).value());
  REQUIRE(set.find("b") != nullptr);
  CHECK(set.find("b")->data<float>()[0] == 2);
  CHECK(set.find("c") == nullptr);
}
