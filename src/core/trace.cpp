#include "aiserve/core/trace.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "core/random.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::size_t kHeaderSize = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2
constexpr std::size_t kBigEntry = 128;
constexpr std::string_view kHex = "0123456789abcdef";

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

char* write_hex(std::span<const std::uint8_t> bytes, char* out) noexcept {
  for (const std::uint8_t byte : bytes) {
    *out++ = kHex[byte >> 4];
    *out++ = kHex[byte & 15];
  }
  return out;
}

template <std::size_t N>
std::array<std::uint8_t, N> random_bytes() noexcept {
  std::array<std::uint8_t, N> bytes;
  do {
    for (std::size_t i = 0; i < N; i += 8) {
      const std::uint64_t word = detail::random_u64();
      std::memcpy(&bytes[i], &word, sizeof(word));
    }
  } while (bytes == std::array<std::uint8_t, N>{});
  return bytes;
}

bool printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (c >= 0x20 && c <= 0x7e); });
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> entries;
  while (true) {
    const std::size_t comma = list.find(',');
    entries.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return entries;
    list.remove_prefix(comma + 1);
  }
}

std::size_t joined_size(const std::vector<std::string_view>& entries) noexcept {
  std::size_t size = entries.empty() ? 0 : entries.size() - 1;
  for (const std::string_view entry : entries) size += entry.size();
  return size;
}

}  // namespace

std::optional<TraceParent> TraceParent::parse(std::string_view header) noexcept {
  if (header.size() < kHeaderSize) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceParent parent;
  if (!read_hex(header, version) || !read_hex(header.substr(3), parent.trace_id_) ||
      !read_hex(header.substr(36), parent.span_id_) || !read_hex(header.substr(53), flags)) {
    return std::nullopt;
  }
  if (version[0] == 0xff || !parent.valid()) return std::nullopt;
  if (header.size() > kHeaderSize && (version[0] == 0 || header[kHeaderSize] != '-')) {
    return std::nullopt;
  }
  parent.sampled_ = (flags[0] & 1) != 0;
  return parent;
}

TraceParent TraceParent::generate(bool sampled) noexcept {
  const auto trace_id = random_bytes<16>();
  return {trace_id, random_bytes<8>(), sampled};
}

TraceParent TraceParent::child() const noexcept {
  if (!valid()) return generate(sampled_);
  return {trace_id_, random_bytes<8>(), sampled_};
}

HexText<55> TraceParent::text() const noexcept {
  std::array<char, kHeaderSize> out;
  char* at = write_hex(std::array<std::uint8_t, 1>{0}, out.data());
  *at++ = '-';
  at = write_hex(trace_id_, at);
  *at++ = '-';
  at = write_hex(span_id_, at);
  *at++ = '-';
  write_hex(std::array<std::uint8_t, 1>{static_cast<std::uint8_t>(sampled_ ? 1 : 0)}, at);
  return HexText<55>(out);
}

HexText<32> TraceParent::trace_text() const noexcept {
  std::array<char, 32> out;
  write_hex(trace_id_, out.data());
  return HexText<32>(out);
}

HexText<16> TraceParent::span_text() const noexcept {
  std::array<char, 16> out;
  write_hex(span_id_, out.data());
  return HexText<16>(out);
}

std::string bounded_trace_state(std::string_view header) {
  if (!printable(header)) return {};
  if (header.size() <= kMaxTraceState) return std::string(header);
  auto entries = split(header.substr(0, 16 * kMaxTraceState));  // a longer one loses its end anyway
  for (std::size_t i = entries.size(); i-- > 0 && joined_size(entries) > kMaxTraceState;) {
    if (entries[i].size() > kBigEntry)
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
  }
  while (joined_size(entries) > kMaxTraceState) entries.pop_back();
  std::string kept;
  for (const std::string_view entry : entries) {
    if (!kept.empty()) kept += ',';
    kept += entry;
  }
  return kept;
}

}  // namespace aiserve::inline v0
