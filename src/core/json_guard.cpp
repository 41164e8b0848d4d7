#include "core/json_guard.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace aiserve::inline v0::detail {
namespace {

using nlohmann::json;

// Reads the text for nlohmann's lexer and leaves behind how far it came.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, const char** reached) noexcept : at_(at), reached_(reached) {}
  reference operator*() const noexcept { return *at_; }
  Cursor& operator++() noexcept {
    *reached_ = ++at_;
    return *this;
  }
  Cursor operator++(int) noexcept {
    const Cursor before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Cursor& a, const Cursor& b) noexcept { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// Builds the value; every rule that is broken ends the parse with problem() set.
class Builder {
 public:
  explicit Builder(JsonLimits limits) noexcept : limits_(limits) {}

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(json::number_integer_t value) { return add(value); }
  bool number_unsigned(json::number_unsigned_t value) { return add(value); }
  bool number_float(json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(json::binary_t&) { return fail("binary value"); }
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    auto& object = open_.back()->get_ref<json::object_t&>();
    const auto [place, fresh] = object.try_emplace(std::move(name), nullptr);
    if (!fresh) return fail("duplicate key");
    member_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    position_ = position > 0 ? position - 1 : 0;
    constexpr int kNumberOverflow = 406;
    return fail(error.id == kNumberOverflow ? "number out of range" : "invalid");
  }

  const char* problem() const noexcept { return problem_; }
  /// Where nlohmann saw the error; npos if a rule of ours was broken.
  std::size_t position() const noexcept { return position_; }
  json take() noexcept { return std::move(root_); }

 private:
  bool fail(const char* problem) noexcept {
    if (problem_ == nullptr) problem_ = problem;
    return false;
  }

  // Parents on the stack don't move: only the innermost open container grows.
  json* place(json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*member_ = std::move(value));
    auto& array = open_.back()->get_ref<json::array_t&>();
    return &array.emplace_back(std::move(value));
  }

  bool add(json value) {
    if (++values_ > limits_.max_values) return fail("too many values");
    place(std::move(value));
    return true;
  }

  bool open(json container) {
    if (open_.size() >= limits_.max_depth) return fail("nested too deep");
    if (++values_ > limits_.max_values) return fail("too many values");
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  JsonLimits limits_;
  json root_;
  std::vector<json*> open_;
  json* member_ = nullptr;
  std::size_t values_ = 0;
  const char* problem_ = nullptr;
  std::size_t position_ = std::string::npos;
};

Error malformed(const char* problem, std::size_t position) {
  const bool invalid = std::strcmp(problem, "invalid") == 0;
  const std::string what = invalid ? "invalid JSON" : std::string(problem) + " in JSON";
  return {Errc::malformed, what + " at byte " + std::to_string(position)};
}

Result<json> parse(std::string_view text, JsonLimits limits) {
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return malformed("NUL byte", nul);
  }
  Builder builder(limits);
  const char* reached = text.data();
  const char* const end = text.data() + text.size();
  const bool parsed =
      json::sax_parse(Cursor(text.data(), &reached), Cursor(end, &reached), &builder);
  if (parsed) return builder.take();
  std::size_t position = builder.position();
  if (position == std::string::npos) position = static_cast<std::size_t>(reached - text.data()) - 1;
  return malformed(builder.problem(), std::min(position, text.size()));
}

}  // namespace

Result<json> parse_json(std::string_view text, JsonLimits limits) {
  try {
    return parse(text, limits);
  } catch (const std::bad_alloc&) {
    return Error(Errc::overloaded, "not enough memory for this JSON");
  }
}

}  // namespace aiserve::inline v0::detail
