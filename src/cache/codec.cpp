#include "aiserve/cache/codec.hpp"

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "cache/byte_reader.hpp"

// A tensor: version, element type, rank, padding to 8; dimensions; payload. A set: version, count;
// then for each tensor the sizes of its name and itself, both padded to 8. Little-endian.
namespace aiserve::inline v0 {
namespace {

constexpr std::uint8_t kTensorVersion = 1;
constexpr std::uint8_t kSetVersion = 2;
constexpr std::size_t kHead = 8;
constexpr auto kLastDType = DType::string;

Error garbled() { return Error(Errc::data_loss, "a cached value is garbled"); }

std::size_t padded(std::size_t size) noexcept { return (size + 7) / 8 * 8; }

std::size_t encoded_size(const Tensor& tensor) noexcept {
  return kHead + 8 * tensor.shape().rank() + tensor.payload().size();
}

class Writer {
 public:
  explicit Writer(std::size_t size) : block_(size), at_(block_.data()) {}

  void put(const void* data, std::size_t size) noexcept {
    if (size == 0) return;
    std::memcpy(at_, data, size);
    at_ += size;
  }
  void pad(std::size_t size) noexcept {
    std::memset(at_, 0, padded(size) - size);
    at_ += padded(size) - size;
  }
  void tensor(const Tensor& tensor) noexcept {
    const std::array<std::uint8_t, kHead> head{kTensorVersion,
                                               static_cast<std::uint8_t>(tensor.dtype()),
                                               static_cast<std::uint8_t>(tensor.shape().rank())};
    put(head.data(), head.size());
    put(tensor.shape().dims().data(), 8 * tensor.shape().rank());
    put(tensor.payload().data(), tensor.payload().size());
  }
  Bytes finish() && noexcept { return std::move(block_).freeze(); }

 private:
  MutableBytes block_;
  std::byte* at_;
};

// Every offset is checked, so that string_at() of what is returned stays inside.
Result<Tensor> decode_strings(const Shape& shape, const Bytes& payload) {
  const Result<std::size_t> count = shape.elements();
  if (!count || *count >= payload.size() / 4) return garbled();
  std::vector<std::uint32_t> offsets(*count + 1);
  std::memcpy(offsets.data(), payload.data(), 4 * offsets.size());
  const std::string_view text = payload.text().substr(4 * offsets.size());
  if (offsets.front() != 0 || offsets.back() != text.size()) return garbled();
  std::vector<std::string_view> strings;
  strings.reserve(*count);
  for (std::size_t i = 0; i < *count; ++i) {
    if (offsets[i] > offsets[i + 1] || offsets[i + 1] > text.size()) return garbled();
    strings.push_back(text.substr(offsets[i], offsets[i + 1] - offsets[i]));
  }
  return Tensor::from_strings(shape, strings);
}

Result<Tensor> decode_tensor(const Bytes& bytes) {
  detail::ByteReader in(bytes);
  const auto head = in.read<std::array<std::uint8_t, kHead>>();
  if (head[0] != kTensorVersion || head[1] > static_cast<std::uint8_t>(kLastDType)) {
    return garbled();
  }
  if (head[2] > Shape::kMaxRank) return garbled();
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (std::size_t i = 0; i < head[2]; ++i) dims[i] = in.read<std::int64_t>();
  const Result<Shape> shape = Shape::make(std::span(dims).first(head[2]));
  if (!in.ok() || !shape) return garbled();
  const auto dtype = static_cast<DType>(head[1]);
  const Bytes payload = in.rest();
  if (dtype == DType::string) return decode_strings(*shape, payload);
  Result<Tensor> tensor = Tensor::make(dtype, *shape, payload);
  if (!tensor) return garbled();
  return tensor;
}

}  // namespace

Bytes Codec<Tensor>::encode(const Tensor& value) {
  Writer out(encoded_size(value));
  out.tensor(value);
  return std::move(out).finish();
}

Result<Tensor> Codec<Tensor>::decode(const Bytes& bytes) { return decode_tensor(bytes); }

Bytes Codec<TensorSet>::encode(const TensorSet& value) {
  std::size_t size = kHead;
  for (const NamedTensor& item : value.items()) {
    size += 16 + padded(item.name().size()) + padded(encoded_size(item.tensor()));
  }
  Writer out(size);
  const std::array<std::uint32_t, 2> head{kSetVersion,
                                          static_cast<std::uint32_t>(value.items().size())};
  out.put(head.data(), kHead);
  for (const NamedTensor& item : value.items()) {
    const std::array<std::uint64_t, 2> sizes{item.name().size(), encoded_size(item.tensor())};
    out.put(sizes.data(), 16);
    out.put(item.name().data(), item.name().size());
    out.pad(item.name().size());
    out.tensor(item.tensor());
    out.pad(encoded_size(item.tensor()));
  }
  return std::move(out).finish();
}

Result<TensorSet> Codec<TensorSet>::decode(const Bytes& bytes) {
  detail::ByteReader in(bytes);
  const auto head = in.read<std::array<std::uint32_t, 2>>();
  if (head[0] != kSetVersion) return garbled();
  TensorSet set;
  for (std::uint32_t i = 0; i < head[1]; ++i) {
    const auto sizes = in.read<std::array<std::uint64_t, 2>>();
    const Bytes name = in.take_padded(sizes[0]);
    const Bytes encoded = in.take_padded(sizes[1]);
    if (!in.ok()) return garbled();
    Result<Tensor> tensor = decode_tensor(encoded);
    if (!tensor) return tensor.error();
    set.add(name.to_string(), std::move(*tensor));
  }
  if (!in.ok() || !in.rest().empty()) return garbled();
  return set;
}

}  // namespace aiserve::inline v0
