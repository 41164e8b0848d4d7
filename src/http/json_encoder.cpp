#include "http/json_encoder.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "core/json_text.hpp"
#include "http/decimal.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using v0::detail::append_json_string;

const void* at_offset(const void* object, std::size_t offset) noexcept {
  return static_cast<const char*>(object) + offset;
}

// Gathers what is short, and hands it on in large pieces.
class Pieces {
 public:
  explicit Pieces(std::string& out) noexcept : out_(out) {}

  void put(char c) {
    *room(1) = c;
    ++used_;
  }
  // At most kRoom of it.
  void put(std::string_view word) { used_ += word.copy(room(word.size()), word.size()); }
  template <class Number>
  void number(Number number) {
    char* const to = room(kNumber);
    used_ += static_cast<std::size_t>(std::to_chars(to, to + kNumber, number).ptr - to);
  }
  void decimal(double number) {
    char* const to = room(kNumber);
    char* const end = write_short_decimal(to, number);
    if (end == nullptr) return this->number(number);
    used_ += static_cast<std::size_t>(end - to);
  }
  void string(std::string_view text) {
    flush();
    append_json_string(out_, text);
  }
  void flush() {
    out_.append(buffer_.data(), used_);
    used_ = 0;
  }

 private:
  static constexpr std::size_t kRoom = 256;
  static constexpr std::size_t kNumber = 32;  // of any type, in its shortest form
  static_assert(kNumber >= kShortDecimal);

  char* room(std::size_t size) {
    if (kRoom - used_ < size) flush();
    return buffer_.data() + used_;
  }

  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, kRoom> buffer_;
};

class Encoder {
 public:
  explicit Encoder(Pieces& out) noexcept : out_(out) {}

  bool write(const DescribedType& type, const void* value) {
    return std::visit([&](const auto& of) { return write(of, value); }, type.of);
  }

 private:
  bool write(const BooleanType&, const void* value) {
    out_.put(*static_cast<const bool*>(value) ? std::string_view("true") : "false");
    return true;
  }
  bool write(const TextType&, const void* value) {
    out_.string(*static_cast<const std::string*>(value));
    return true;
  }
  bool write(const IntegerType& type, const void* value) {
    const AnyInteger integer = type.load(value);
    if (integer.negative) out_.put('-');
    out_.number(integer.magnitude);
    return true;
  }
  bool write(const NumberType& type, const void* value) {
    const double number = type.load(value);
    if (!std::isfinite(number)) {
      out_.put("null");
    } else if (type.single) {
      out_.number(static_cast<float>(number));
    } else {
      out_.decimal(number);
    }
    return true;
  }
  bool write(const EnumType& type, const void* value) {
    const std::int64_t number = type.load(value);
    for (const auto& [name, named] : type.values) {
      if (named != number) continue;
      out_.string(name);
      return true;
    }
    return false;
  }
  bool write(const OptionalType& type, const void* value) {
    const void* const held = type.get(value);
    if (held != nullptr) return write(type.item(), held);
    out_.put("null");
    return true;
  }
  bool write(const ArrayType& type, const void* value) {
    const std::size_t size = type.size(value);
    out_.put('[');
    // What the elements are is asked once, and not for each.
    const bool whole = std::visit(
        [&](const auto& item) {
          for (std::size_t i = 0; i < size; ++i) {
            if (i != 0) out_.put(',');
            if (!write(item, type.at(value, i))) return false;
          }
          return true;
        },
        type.item().of);
    out_.put(']');
    return whole;
  }
  bool write(const MapType& type, const void* value) {
    const DescribedType& item = type.item();
    bool well = true;
    bool first = true;
    out_.put('{');
    type.each(value, [&](const std::string& key, const void* held) {
      begin_member(key, first);
      well = write(item, held) && well;
    });
    out_.put('}');
    return well;
  }
  bool write(const ObjectType& type, const void* value) {
    bool first = true;
    out_.put('{');
    if (!write_members(type, value, first)) return false;
    out_.put('}');
    return true;
  }
  bool write(const VariantType& type, const void* value) {
    const std::size_t index = type.index(value);
    if (index >= type.alternatives.size()) return false;
    const auto& alternative = type.alternatives[index];
    if (type.tag.empty()) return write(alternative.type(), type.get(value));
    bool first = true;
    out_.put('{');
    begin_member(type.tag, first);
    out_.string(alternative.name);
    const auto& object = std::get<ObjectType>(alternative.type().of);
    if (!write_members(object, type.get(value), first)) return false;
    out_.put('}');
    return true;
  }

  bool write_members(const ObjectType& type, const void* value, bool& first) {
    for (const Field& field : type.fields) {
      if (field.source != Source::member) continue;
      const DescribedType& of = field.type();
      const void* const held = at_offset(value, field.offset);
      const auto* const optional = std::get_if<OptionalType>(&of.of);
      if (optional != nullptr && !field.required && optional->get(held) == nullptr) continue;
      begin_member(field.name, first);
      if (!write(of, held)) return false;
    }
    return true;
  }

  void begin_member(const std::string& name, bool& first) {
    if (!first) out_.put(',');
    first = false;
    out_.string(name);
    out_.put(':');
  }

  Pieces& out_;
};

}  // namespace

bool write_json(const DescribedType& type, const void* value, std::string& out) {
  Pieces pieces(out);
  const bool whole = Encoder(pieces).write(type, value);
  pieces.flush();
  return whole;
}

}  // namespace aiserve::inline v0::http::detail
