#include "http/json_encoder.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "core/json_text.hpp"
#include "http/decimal.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using v0::detail::append_json_string;

const void* at_offset(const void* object, std::size_t offset) noexcept {
  return static_cast<const char*>(object) + offset;
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), end.ptr);
}

void append_double(std::string& out, double number) {
  std::array<char, kShortDecimal> buffer{};
  char* const end = write_short_decimal(buffer.data(), number);
  if (end == nullptr) return append_number(out, number);
  out.append(buffer.data(), end);
}

class Encoder {
 public:
  explicit Encoder(std::string& out) noexcept : out_(out) {}

  bool write(const DescribedType& type, const void* value) {
    return std::visit([&](const auto& of) { return write(of, value); }, type.of);
  }

 private:
  bool write(const BooleanType&, const void* value) {
    out_ += *static_cast<const bool*>(value) ? "true" : "false";
    return true;
  }
  bool write(const TextType&, const void* value) {
    append_json_string(out_, *static_cast<const std::string*>(value));
    return true;
  }
  bool write(const IntegerType& type, const void* value) {
    const AnyInteger integer = type.load(value);
    if (integer.negative) out_ += '-';
    append_number(out_, integer.magnitude);
    return true;
  }
  bool write(const NumberType& type, const void* value) {
    const double number = type.load(value);
    if (!std::isfinite(number)) {
      out_ += "null";
    } else if (type.single) {
      append_number(out_, static_cast<float>(number));
    } else {
      append_double(out_, number);
    }
    return true;
  }
  bool write(const EnumType& type, const void* value) {
    const std::int64_t number = type.load(value);
    for (const auto& [name, named] : type.values) {
      if (named != number) continue;
      append_json_string(out_, name);
      return true;
    }
    return false;
  }
  bool write(const OptionalType& type, const void* value) {
    const void* const held = type.get(value);
    if (held != nullptr) return write(type.item(), held);
    out_ += "null";
    return true;
  }
  bool write(const ArrayType& type, const void* value) {
    const DescribedType& item = type.item();
    const std::size_t size = type.size(value);
    out_ += '[';
    for (std::size_t i = 0; i < size; ++i) {
      if (i != 0) out_ += ',';
      if (!write(item, type.at(value, i))) return false;
    }
    out_ += ']';
    return true;
  }
  bool write(const MapType& type, const void* value) {
    const DescribedType& item = type.item();
    bool well = true;
    bool first = true;
    out_ += '{';
    type.each(value, [&](const std::string& key, const void* held) {
      begin_member(key, first);
      well = write(item, held) && well;
    });
    out_ += '}';
    return well;
  }
  bool write(const ObjectType& type, const void* value) {
    bool first = true;
    out_ += '{';
    if (!write_members(type, value, first)) return false;
    out_ += '}';
    return true;
  }
  bool write(const VariantType& type, const void* value) {
    const std::size_t index = type.index(value);
    if (index >= type.alternatives.size()) return false;
    const auto& alternative = type.alternatives[index];
    if (type.tag.empty()) return write(alternative.type(), type.get(value));
    bool first = true;
    out_ += '{';
    begin_member(type.tag, first);
    append_json_string(out_, alternative.name);
    const auto& object = std::get<ObjectType>(alternative.type().of);
    if (!write_members(object, type.get(value), first)) return false;
    out_ += '}';
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
    if (!first) out_ += ',';
    first = false;
    append_json_string(out_, name);
    out_ += ':';
  }

  std::string& out_;
};

}  // namespace

bool write_json(const DescribedType& type, const void* value, std::string& out) {
  return Encoder(out).write(type, value);
}

}  // namespace aiserve::inline v0::http::detail
