// Params and Rows: what goes to PostgreSQL and what comes back, in its binary format: integers are
// bigint, text and bytes are bytea (which, unlike text, holds any bytes), vectors are arrays.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/tenant.hpp"

struct pg_result;

namespace aiserve::inline v0::pg {

/// For functions of PostgreSQL that want text.
struct Text {
  std::string_view value;
};

class Params {
 public:
  template <class... Args>
  explicit Params(const Args&... args) {
    (add(args), ...);
  }

  int size() const noexcept { return static_cast<int>(types_.size()); }
  const unsigned* types() const noexcept { return types_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  /// Null pointers for NULL. Valid while the Params are.
  std::vector<const char*> values() const;
  /// All binary.
  std::vector<int> formats() const { return std::vector<int>(types_.size(), 1); }

  void add(std::int64_t value);
  void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
  void add(int value) { add(std::int64_t{value}); }
  void add(Text text);
  void add(std::string_view bytes);
  void add(const std::string& bytes) { add(std::string_view(bytes)); }
  void add(const TenantId& tenant) { add(tenant.view()); }
  void add(const Bytes& bytes) { add(bytes.text()); }
  void add(const std::optional<std::int64_t>& value);
  void add(const std::vector<std::int64_t>& values);
  void add(const std::vector<std::optional<std::int64_t>>& values);
  void add(const std::vector<std::string_view>& values);
  void add(const std::vector<std::optional<std::string_view>>& values);

 private:
  void begin(unsigned type);
  void end();
  template <class T>
  void add_array(unsigned type, unsigned element, const std::vector<T>& values);

  std::string data_;
  std::vector<unsigned> types_;
  std::vector<int> lengths_;  // -1: NULL
};

/// What a statement returned. Columns are named by their position.
class Rows {
 public:
  struct Clear {
    void operator()(pg_result* result) const noexcept;
  };
  using Handle = std::unique_ptr<pg_result, Clear>;

  Rows() = default;
  explicit Rows(Handle result) noexcept;

  int size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// How many rows a statement without RETURNING changed.
  std::int64_t affected() const noexcept;

  bool null(int row, int column) const noexcept;
  /// Of smallint, integer, bigint and boolean.
  std::int64_t integer(int row, int column) const noexcept;
  std::optional<std::int64_t> optional_integer(int row, int column) const noexcept;
  /// Valid while the Rows are.
  std::string_view text(int row, int column) const noexcept;
  std::string string(int row, int column) const { return std::string(text(row, column)); }
  Bytes bytes(int row, int column) const { return Bytes::copy(text(row, column)); }

 private:
  Handle result_;
  int size_ = 0;
};

}  // namespace aiserve::inline v0::pg
