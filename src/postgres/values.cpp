#include "postgres/values.hpp"

#include <charconv>

#include <libpq-fe.h>

namespace aiserve::inline v0::pg {
namespace {

// Of pg_type, which never change.
constexpr unsigned kBytea = 17;
constexpr unsigned kInt8 = 20;
constexpr unsigned kText = 25;
constexpr unsigned kByteaArray = 1001;
constexpr unsigned kInt8Array = 1016;

template <class T>
void put(std::string& out, T value) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (std::size_t shift = sizeof(T) * 8; shift > 0;) {
    shift -= 8;
    out.push_back(static_cast<char>((bits >> shift) & 0xff));
  }
}

// An array's element: its length, -1 for NULL, and its bytes.
void put_element(std::string& out, std::int64_t value) {
  put(out, std::int32_t{8});
  put(out, value);
}
void put_element(std::string& out, std::string_view bytes) {
  put(out, static_cast<std::int32_t>(bytes.size()));
  out.append(bytes);
}
template <class T>
void put_element(std::string& out, const std::optional<T>& value) {
  if (value) return put_element(out, *value);
  put(out, std::int32_t{-1});
}

}  // namespace

void Params::begin(unsigned type) {
  types_.push_back(type);
  lengths_.push_back(static_cast<int>(data_.size()));
}

void Params::end() { lengths_.back() = static_cast<int>(data_.size()) - lengths_.back(); }

std::vector<const char*> Params::values() const {
  std::vector<const char*> values;
  values.reserve(lengths_.size());
  const char* at = data_.data();
  for (const int length : lengths_) {
    values.push_back(length < 0 ? nullptr : at);
    at += length < 0 ? 0 : length;
  }
  return values;
}

void Params::add(std::int64_t value) {
  begin(kInt8);
  put(data_, value);
  end();
}

void Params::add(const std::optional<std::int64_t>& value) {
  if (value) return add(*value);
  types_.push_back(kInt8);
  lengths_.push_back(-1);
}

void Params::add(Text text) {
  begin(kText);
  data_.append(text.value);
  end();
}

void Params::add(std::string_view bytes) {
  begin(kBytea);
  data_.append(bytes);
  end();
}

template <class T>
void Params::add_array(unsigned type, unsigned element, const std::vector<T>& values) {
  begin(type);
  // Dimensions, whether there are NULLs, and of the only dimension its size and lower bound.
  put(data_, std::int32_t{values.empty() ? 0 : 1});
  put(data_, std::int32_t{1});
  put(data_, element);
  if (!values.empty()) {
    put(data_, static_cast<std::int32_t>(values.size()));
    put(data_, std::int32_t{1});
  }
  for (const T& value : values) put_element(data_, value);
  end();
}

void Params::add(const std::vector<std::int64_t>& values) { add_array(kInt8Array, kInt8, values); }
void Params::add(const std::vector<std::optional<std::int64_t>>& values) {
  add_array(kInt8Array, kInt8, values);
}
void Params::add(const std::vector<std::string_view>& values) {
  add_array(kByteaArray, kBytea, values);
}
void Params::add(const std::vector<std::optional<std::string_view>>& values) {
  add_array(kByteaArray, kBytea, values);
}

void Rows::Clear::operator()(pg_result* result) const noexcept { PQclear(result); }

Rows::Rows(Handle result) noexcept : result_(std::move(result)), size_(PQntuples(result_.get())) {}

std::int64_t Rows::affected() const noexcept {
  const std::string_view text = PQcmdTuples(result_.get());
  std::int64_t rows = 0;
  std::from_chars(text.data(), text.data() + text.size(), rows);
  return rows;
}

bool Rows::null(int row, int column) const noexcept {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Rows::text(int row, int column) const noexcept {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::integer(int row, int column) const noexcept {
  const std::string_view bytes = text(row, column);
  const bool negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> Rows::optional_integer(int row, int column) const noexcept {
  if (null(row, column)) return std::nullopt;
  return integer(row, column);
}

}  // namespace aiserve::inline v0::pg
