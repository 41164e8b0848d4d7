#include "cache/error_bytes.hpp"

#include <cstring>

#include "cache/byte_reader.hpp"

namespace aiserve::inline v0::detail {

Bytes encode_error(const Error& error) {
  const auto code = static_cast<std::uint64_t>(error.code());
  const std::int64_t retry = error.retry_after().value_or(std::chrono::milliseconds(-1)).count();
  MutableBytes block(sizeof code + sizeof retry + error.message().size());
  std::memcpy(block.data(), &code, sizeof code);
  std::memcpy(block.data() + sizeof code, &retry, sizeof retry);
  std::memcpy(block.data() + sizeof code + sizeof retry, error.message().data(),
              error.message().size());
  return std::move(block).freeze();
}

Error decode_error(const Bytes& bytes) {
  ByteReader in(bytes);
  const auto code = in.read<std::uint64_t>();
  const auto retry = in.read<std::int64_t>();
  if (!in.ok() || code > static_cast<std::uint64_t>(Errc::data_loss)) return Error();
  Error error(static_cast<Errc>(code), in.rest().to_string());
  if (retry >= 0) error.retry_after(std::chrono::milliseconds(retry));
  return error;
}

}  // namespace aiserve::inline v0::detail
