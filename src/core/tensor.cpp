#include "aiserve/core/tensor.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace aiserve::inline v0 {
namespace {

struct DTypeRow {
  DType dtype;
  std::size_t size;
  std::string_view name;
};

constexpr std::array<DTypeRow, 11> kDTypes{{
    {DType::u8, 1, "uint8"},
    {DType::i8, 1, "int8"},
    {DType::i16, 2, "int16"},
    {DType::i32, 4, "int32"},
    {DType::i64, 8, "int64"},
    {DType::f16, 2, "float16"},
    {DType::bf16, 2, "bfloat16"},
    {DType::f32, 4, "float32"},
    {DType::f64, 8, "float64"},
    {DType::boolean, 1, "bool"},
    {DType::string, 0, "string"},
}};

Error bad(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

bool aligned_for(const Bytes& payload, std::size_t element) noexcept {
  return element <= 1 || reinterpret_cast<std::uintptr_t>(payload.data()) % element == 0;
}

}  // namespace

std::size_t size_of(DType dtype) noexcept { return kDTypes[static_cast<std::size_t>(dtype)].size; }

std::string_view to_string(DType dtype) noexcept {
  return kDTypes[static_cast<std::size_t>(dtype)].name;
}

Result<DType> parse_dtype(std::string_view name) {
  const auto* row = std::find_if(kDTypes.begin(), kDTypes.end(),
                                 [&](const DTypeRow& candidate) { return candidate.name == name; });
  if (row == kDTypes.end()) return bad("unknown dtype '" + std::string(name.substr(0, 32)) + "'");
  return row->dtype;
}

Shape::Shape(std::initializer_list<std::int64_t> dims) : rank_(dims.size()) {
  if (rank_ > kMaxRank) throw ConfigError("a shape has at most 8 dimensions");
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

Result<Shape> Shape::make(std::span<const std::int64_t> dims) {
  if (dims.size() > kMaxRank) return bad("a shape has at most 8 dimensions");
  Shape shape;
  shape.rank_ = dims.size();
  std::copy(dims.begin(), dims.end(), shape.dims_.begin());
  return shape;
}

Result<std::size_t> Shape::elements() const {
  // A zero anywhere must not hide an overflow elsewhere, so zeros are counted apart.
  bool zero = false;
  std::size_t product = 1;
  for (const std::int64_t dim : dims()) {
    if (dim < 0) return bad("negative dimension in shape " + to_string());
    if (dim == 0) {
      zero = true;
    } else if (__builtin_mul_overflow(product, static_cast<std::size_t>(dim), &product)) {
      return bad("too many elements in shape " + to_string());
    }
  }
  return zero ? std::size_t{0} : product;
}

Result<Shape> Shape::prepended(std::int64_t count) const {
  if (rank_ == kMaxRank) return bad("a shape has at most 8 dimensions");
  Shape longer;
  longer.rank_ = rank_ + 1;
  longer.dims_[0] = count;
  std::copy_n(dims_.begin(), rank_, longer.dims_.begin() + 1);
  return longer;
}

Shape Shape::without_first() const noexcept {
  if (rank_ == 0) return *this;
  Shape shorter;
  shorter.rank_ = rank_ - 1;
  std::copy_n(dims_.begin() + 1, shorter.rank_, shorter.dims_.begin());
  return shorter;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (std::size_t i = 0; i < rank_; ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(dims_[i]);
  }
  return text + "]";
}

Tensor::Tensor() noexcept { shape_ = *Shape::make(std::array<std::int64_t, 1>{0}); }

Tensor::Tensor(Bytes payload) noexcept : payload_(std::move(payload)), elements_(payload_.size()) {
  shape_ = *Shape::make(std::array{static_cast<std::int64_t>(elements_)});
}

Result<Tensor> Tensor::make(DType dtype, Shape shape, Bytes payload) {
  if (dtype == DType::string) return bad("string tensors are made with from_strings()");
  const Result<std::size_t> count = shape.elements();
  if (!count) return count.error();
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(*count, size_of(dtype), &bytes)) {
    return bad("too many bytes in shape " + shape.to_string());
  }
  if (bytes != payload.size()) {
    return bad("shape " + shape.to_string() + " of " + std::string(aiserve::to_string(dtype)) +
               " needs " + std::to_string(bytes) + " bytes, not " + std::to_string(payload.size()));
  }
  if (!aligned_for(payload, size_of(dtype))) payload = Bytes::copy(payload.view());
  return Tensor(dtype, shape, *count, std::move(payload));
}

Result<Tensor> Tensor::from_strings(Shape shape, std::span<const std::string_view> values) {
  const Result<std::size_t> count = shape.elements();
  if (!count) return count.error();
  if (*count != values.size()) {
    return bad("shape " + shape.to_string() + " needs " + std::to_string(*count) +
               " strings, not " + std::to_string(values.size()));
  }
  const std::size_t head = sizeof(std::uint32_t) * (values.size() + 1);
  std::size_t total = 0;
  for (const std::string_view value : values) total += value.size();
  if (total > std::numeric_limits<std::uint32_t>::max()) return bad("over 4 GiB of strings");

  MutableBytes block(head + total);
  std::uint32_t offset = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(block.data() + i * sizeof offset, &offset, sizeof offset);
    std::copy_n(reinterpret_cast<const std::byte*>(values[i].data()), values[i].size(),
                block.data() + head + offset);
    offset += static_cast<std::uint32_t>(values[i].size());
  }
  std::memcpy(block.data() + values.size() * sizeof offset, &offset, sizeof offset);
  return Tensor(DType::string, shape, *count, std::move(block).freeze());
}

std::string_view Tensor::string_at(std::size_t i) const noexcept {
  if (dtype_ != DType::string || i >= elements_) return {};
  std::array<std::uint32_t, 2> range{};
  std::memcpy(range.data(), payload_.data() + i * sizeof(std::uint32_t), sizeof range);
  const std::size_t head = sizeof(std::uint32_t) * (elements_ + 1);
  return payload_.text().substr(head + range[0], range[1] - range[0]);
}

Result<Tensor> Tensor::reshaped(Shape shape) const {
  const Result<std::size_t> count = shape.elements();
  if (!count) return count.error();
  if (*count != elements_) {
    return bad("cannot reshape " + shape_.to_string() + " to " + shape.to_string());
  }
  return Tensor(dtype_, shape, elements_, payload_);
}

Tensor Tensor::compact() const { return Tensor(dtype_, shape_, elements_, payload_.compact()); }

const Tensor* TensorSet::find(std::string_view name) const noexcept {
  const auto item = std::find_if(items_.begin(), items_.end(),
                                 [&](const NamedTensor& entry) { return entry.name() == name; });
  return item == items_.end() ? nullptr : &item->tensor();
}

}  // namespace aiserve::inline v0
