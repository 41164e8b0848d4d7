#include "http/json_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "http/decimal.hpp"
#include "http/json_kind.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

void* at_offset(void* object, std::size_t offset) noexcept {
  return static_cast<char*>(object) + offset;
}

bool to_double(const JsonNumber& from, double& number) noexcept {
  if (const auto decimal = short_decimal(from)) {
    number = *decimal;
    return true;
  }
  const char* const end = from.text.data() + from.text.size();
  return std::from_chars(from.text.data(), end, number).ec == std::errc();
}

// Most numbers may be any.
bool is_bounded(const NumberType& type, const Checks& checks) noexcept {
  return type.single || checks.minimum || checks.maximum || checks.above || checks.below;
}

constexpr std::size_t kNoField = static_cast<std::size_t>(-1);

// Members usually come in the order of their description: `next` is tried first.
std::size_t find_field(const ObjectType& type, std::string_view key, std::size_t next) noexcept {
  if (next < type.fields.size()) {
    const Field& likely = type.fields[next];
    if (likely.source == Source::member && likely.name == key) return next;
  }
  const auto less = [&type](std::size_t i, std::string_view name) {
    return type.fields[i].name < name;
  };
  const auto at = std::lower_bound(type.by_name.begin(), type.by_name.end(), key, less);
  return at != type.by_name.end() && type.fields[*at].name == key ? *at : kNoField;
}

}  // namespace

bool JsonDecoder::read(const DescribedType& type, const Checks& checks, const Step& at,
                       void* value) {
  return std::visit([&](const auto& of) { return read(of, checks, at, value); }, type.of);
}

// Notes what is wrong with the value that comes next, and skips it.
bool JsonDecoder::mismatch(const Step& at, std::string_view problem) {
  if (reader_.peek() == JsonToken::none) return reader_.fail("invalid");
  const bool room = errors_.add(at, problem);
  return reader_.skip() && room;
}

// Notes what is wrong with the value that was read, if anything is.
bool JsonDecoder::verdict(const Step& at, std::string_view problem) {
  return problem.empty() || errors_.add(at, problem);
}

bool JsonDecoder::read(const BooleanType&, const Checks&, const Step& at, void* value) {
  if (reader_.peek() != JsonToken::boolean) return mismatch(at, "must be true or false");
  return reader_.read_boolean(*static_cast<bool*>(value));
}

bool JsonDecoder::read(const TextType&, const Checks& checks, const Step& at, void* value) {
  if (reader_.peek() != JsonToken::string) return mismatch(at, "must be a string");
  std::string_view text;
  if (!reader_.read_string(text)) return false;
  if (!verdict(at, problem_of(text, checks))) return false;
  static_cast<std::string*>(value)->assign(text);
  return true;
}

bool JsonDecoder::read(const IntegerType& type, const Checks& checks, const Step& at, void* value) {
  constexpr std::string_view kNoInteger = "must be an integer";
  if (reader_.peek() != JsonToken::number) return mismatch(at, kNoInteger);
  JsonNumber number;
  if (!reader_.read_number(number)) return false;
  if (!number.integer()) return verdict(at, kNoInteger);
  AnyInteger integer;
  const std::string_view text = number.text.substr(number.minus ? 1 : 0);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), integer.magnitude);
  if (parsed.ec != std::errc()) integer.magnitude = std::numeric_limits<std::uint64_t>::max();
  integer.negative = number.minus && integer.magnitude != 0;
  const std::string problem = problem_of(integer, type, checks);
  if (!problem.empty()) return errors_.add(at, problem);
  if (parsed.ec != std::errc()) return errors_.add(at, "must fit 64 bits");
  type.store(value, integer);
  return true;
}

bool JsonDecoder::read(const NumberType& type, const Checks& checks, const Step& at, void* value) {
  if (reader_.peek() != JsonToken::number) return mismatch(at, "must be a number");
  JsonNumber text{};
  if (!reader_.read_number(text)) return false;
  double number = 0;
  if (!to_double(text, number)) return errors_.add(at, "must fit a 64-bit float");
  if (is_bounded(type, checks)) {
    const std::string problem = problem_of(number, type, checks);
    if (!problem.empty()) return errors_.add(at, problem);
  }
  type.store(value, number);
  return true;
}

bool JsonDecoder::read(const EnumType& type, const Checks&, const Step& at, void* value) {
  if (reader_.peek() != JsonToken::string) return mismatch(at, choices_of(type));
  std::string_view text;
  if (!reader_.read_string(text)) return false;
  for (const auto& [name, number] : type.values) {
    if (name != text) continue;
    type.store(value, number);
    return true;
  }
  return errors_.add(at, choices_of(type));
}

bool JsonDecoder::read(const OptionalType& type, const Checks& checks, const Step& at,
                       void* value) {
  if (reader_.peek() == JsonToken::null) {
    type.reset(value);
    return reader_.read_null();
  }
  return read(type.item(), checks, at, type.engage(value));
}

bool JsonDecoder::read(const ArrayType& type, const Checks& checks, const Step& at, void* value) {
  static const Checks kNone;
  if (reader_.peek() != JsonToken::array) return mismatch(at, "must be an array");
  if (!reader_.enter()) return false;
  type.clear(value);
  const Checks& rules = checks.items == nullptr ? kNone : *checks.items;
  Step step{.up = &at, .is_index = true};
  // What the elements are is asked once, and not for each.
  const bool whole = std::visit(
      [&](const auto& item) {
        for (bool first = true; reader_.next_element(first); ++step.index) {
          // One too many is enough to know; what follows is not kept.
          const bool kept = step.index <= checks.max_size;
          if (!(kept ? read(item, rules, step, type.add(value)) : reader_.skip())) return false;
        }
        return !reader_.failed();
      },
      type.item().of);
  return whole && verdict(at, size_problem(step.index, checks, "element"));
}

bool JsonDecoder::read(const MapType& type, const Checks& checks, const Step& at, void* value) {
  static const Checks kNone;
  if (reader_.peek() != JsonToken::object) return mismatch(at, "must be an object");
  if (!reader_.enter()) return false;
  type.clear(value);
  const DescribedType& item = type.item();
  const Checks& rules = checks.items == nullptr ? kNone : *checks.items;
  std::string_view key;
  for (bool first = true; reader_.next_member(first, key);) {
    const std::string kept(key);
    void* const place = type.insert(value, kept);
    if (place == nullptr) return reader_.fail("duplicate key");
    if (!read(item, rules, {.up = &at, .key = kept}, place)) return false;
  }
  if (reader_.failed()) return false;
  return verdict(at, size_problem(type.size(value), checks, "member"));
}

bool JsonDecoder::read(const ObjectType& type, const Checks&, const Step& at, void* value) {
  if (reader_.peek() != JsonToken::object) return mismatch(at, "must be an object");
  return read_object(type, at, value, {});
}

bool JsonDecoder::read_object(const ObjectType& type, const Step& at, void* value,
                              std::string_view tag) {
  if (!reader_.enter()) return false;
  const std::size_t errors_before = errors_.size();
  Seen seen;
  std::size_t next = 0;
  bool tagged = false;
  std::string_view key;
  for (bool first = true; reader_.next_member(first, key);) {
    if (!tag.empty() && key == tag) {
      if (std::exchange(tagged, true)) return reader_.fail("duplicate key");
      if (!reader_.skip()) return false;
    } else if (!read_member(type, key, seen, next, at, value)) {
      return false;
    }
  }
  if (reader_.failed()) return false;
  return close_object(type, seen, errors_before, at, value);
}

bool JsonDecoder::read_member(const ObjectType& type, std::string_view key, Seen& seen,
                              std::size_t& next, const Step& at, void* value) {
  const std::size_t found = find_field(type, key, next);
  if (found == kNoField) {
    if (type.unknown == Unknown::ignore) return reader_.skip();
    const bool room = errors_.add({.up = &at, .key = key}, "is not known here");
    return reader_.skip() && room;
  }
  if (seen[found]) return reader_.fail("duplicate key");
  seen.set(found);
  next = found + 1;
  const Field& field = type.fields[found];
  const Step step{.up = &at, .key = field.name};
  return read(field.type(), field.checks, step, at_offset(value, field.offset));
}

bool JsonDecoder::close_object(const ObjectType& type, const Seen& seen, std::size_t errors_before,
                               const Step& at, const void* value) {
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    if (field.source != Source::member || !field.required || seen[i]) continue;
    if (!errors_.add({.up = &at, .key = field.name}, "is missing")) return false;
  }
  // The outermost object may have parameters beside its members, which were read before.
  if (errors_.size() != errors_before || (at.up == nullptr && !errors_.empty())) return true;
  for (const Invariant& invariant : type.invariants) {
    if (!invariant.holds(value) && !errors_.add(at, invariant.message)) return false;
  }
  return true;
}

bool JsonDecoder::read(const VariantType& type, const Checks& checks, const Step& at, void* value) {
  if (type.tag.empty()) return read_by_kind(type, checks, at, value);
  if (reader_.peek() != JsonToken::object) return mismatch(at, "must be an object");
  std::string name;
  bool found = false;
  if (!find_tag(type.tag, name, found)) return false;
  const Step tag_at{.up = &at, .key = type.tag};
  if (!found) return mismatch(tag_at, "is missing");
  for (const auto& alternative : type.alternatives) {
    if (alternative.name != name) continue;
    const auto& object = std::get<ObjectType>(alternative.type().of);
    return read_object(object, at, alternative.emplace(value), type.tag);
  }
  std::string known = "must be one of ";
  for (const auto& alternative : type.alternatives) {
    if (&alternative != &type.alternatives.front()) known += ", ";
    known += '"' + alternative.name + '"';
  }
  return mismatch(tag_at, known);
}

bool JsonDecoder::find_tag(std::string_view tag, std::string& name, bool& found) {
  const JsonReader::Mark before = reader_.mark();
  if (!reader_.enter()) return false;
  std::string_view key;
  for (bool first = true; reader_.next_member(first, key);) {
    found = key == tag;
    if (found && reader_.peek() != JsonToken::string) break;  // no name, which is none of theirs
    if (found) {
      std::string_view text;
      if (!reader_.read_string(text)) return false;
      name = text;
      break;
    }
    if (!reader_.skip()) return false;
  }
  return reader_.rewind(before);
}

bool JsonDecoder::read_by_kind(const VariantType& type, const Checks& checks, const Step& at,
                               void* value) {
  const JsonToken next = reader_.peek();
  for (const auto& alternative : type.alternatives) {
    const DescribedType& candidate = alternative.type();
    if (kind_of(candidate) == next) return read(candidate, checks, at, alternative.emplace(value));
  }
  return mismatch(at, "must be of another type");
}

}  // namespace aiserve::inline v0::http::detail
