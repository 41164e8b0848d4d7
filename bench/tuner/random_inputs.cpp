#include <algorithm>
#include <random>

#include "tuner/model_zoo.hpp"

namespace tuner {
namespace {

using namespace aiserve;

template <class T>
void fill(MutableBytes& block, std::mt19937_64& random) {
  T* values = reinterpret_cast<T*>(block.data());
  for (std::size_t i = 0; i < block.size() / sizeof(T); ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      values[i] = static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-53);
    } else {
      values[i] = static_cast<T>(random() % 10);
    }
  }
}

void fill(DType dtype, MutableBytes& block, std::mt19937_64& random) {
  switch (dtype) {
    case DType::f32:
      return fill<float>(block, random);
    case DType::f64:
      return fill<double>(block, random);
    case DType::i64:
      return fill<std::int64_t>(block, random);
    case DType::i32:
      return fill<std::int32_t>(block, random);
    case DType::i16:
      return fill<std::int16_t>(block, random);
    case DType::u8:
    case DType::i8:
      return fill<std::uint8_t>(block, random);
    default:
      std::fill_n(block.data(), block.size(), std::byte{0});  // f16, bf16, boolean
  }
}

// Dimensions of any length get kAnyLength.
Shape shape_of(const TensorSpec& spec) {
  constexpr std::int64_t kAnyLength = 32;
  const Shape row = spec.row_shape();
  std::vector<std::int64_t> dims(row.dims().begin(), row.dims().end());
  std::replace(dims.begin(), dims.end(), std::int64_t{-1}, kAnyLength);
  return Shape::make(dims).value();
}

Tensor random_row(const TensorSpec& spec, std::mt19937_64& random) {
  const Shape shape = shape_of(spec);
  MutableBytes block(shape.elements().value() * size_of(spec.dtype()));
  fill(spec.dtype(), block, random);
  return Tensor::make(spec.dtype(), shape, std::move(block).freeze()).value();
}

}  // namespace

std::vector<TensorSet> random_inputs(const Signature& signature, std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<TensorSet> sets(count);
  for (TensorSet& set : sets) {
    for (const TensorSpec& spec : signature.inputs) set.add(spec.name(), random_row(spec, random));
  }
  return sets;
}

}  // namespace tuner
