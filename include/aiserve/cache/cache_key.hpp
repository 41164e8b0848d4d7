/// CacheKey and KeyView: what an entry is stored under, beside its tenant.
///
/// Either plain (one sequence of bytes, taken as it is) or structured (a name and any number of
/// parts, each with its length before it), so that parts never run into each other: ("a", "b:c") is
/// not ("a:b", "c"), and neither equals any plain key. The tenant is no part of the key: every
/// operation of a Cache takes it beside the key, and equal keys of two tenants never meet.
/// *Thread safety:* values.
///
///     CacheKey key("classifier", {"v3", digest});
///     auto hit = cache.find(ctx, key);
///     auto other = cache.find(ctx, "a plain key");
#pragma once

#include <aiserve/core/bytes.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {

/// Does not own its bytes: for arguments. NUL, empty and invalid UTF-8 are keys like any other.
class KeyView {
 public:
  KeyView(std::string_view plain) noexcept : bytes_(plain) {}
  KeyView(const char* plain) noexcept : bytes_(plain) {}
  KeyView(const std::string& plain) noexcept : bytes_(plain) {}
  explicit KeyView(ByteView plain) noexcept
      : bytes_(reinterpret_cast<const char*>(plain.data()), plain.size()) {}
  /// As a CacheKey or an eviction listener gave them.
  KeyView(std::string_view bytes, bool structured) noexcept
      : bytes_(bytes), structured_(structured) {}

  std::string_view bytes() const noexcept { return bytes_; }
  bool structured() const noexcept { return structured_; }
  friend bool operator==(const KeyView&, const KeyView&) noexcept = default;

 private:
  std::string_view bytes_;
  bool structured_ = false;
};

class CacheKey {
 public:
  /// Structured: `name` separates the users of one cache (a model, a query).
  explicit CacheKey(std::string_view name, std::initializer_list<std::string_view> parts = {}) {
    std::size_t size = name.size() + 1;
    for (const std::string_view part : parts) size += part.size() + 2;
    bytes_.reserve(size);
    add(name);
    for (const std::string_view part : parts) add(part);
  }

  CacheKey& add(std::string_view part) {
    std::size_t size = part.size();  // LEB128
    for (; size >= 0x80; size >>= 7) bytes_.push_back(static_cast<char>(size | 0x80));
    bytes_.push_back(static_cast<char>(size));
    bytes_.append(part);
    return *this;
  }
  CacheKey& add(ByteView part) {
    return add(std::string_view(reinterpret_cast<const char*>(part.data()), part.size()));
  }

  operator KeyView() const noexcept { return {bytes_, true}; }
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace aiserve::inline v0
