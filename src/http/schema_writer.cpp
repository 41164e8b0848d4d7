#include "http/schema_writer.hpp"

#include <limits>

#include "http/json_encoder.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using v0::detail::JsonText;

const Checks kNoChecks;

std::string text_of(AnyInteger integer) {
  return (integer.negative ? "-" : "") + std::to_string(integer.magnitude);
}

void size_limits(JsonText& json, const Checks& checks, std::string_view least,
                 std::string_view most) {
  if (checks.min_size != 0) json.key(least).number(static_cast<std::int64_t>(checks.min_size));
  if (checks.max_size != std::numeric_limits<std::size_t>::max()) {
    json.key(most).number(static_cast<std::int64_t>(checks.max_size));
  }
}

void number_limit(JsonText& json, std::string_view key, const std::optional<double>& limit) {
  if (limit) json.key(key).number(*limit);
}

// Referred to by name.
bool is_component(const DescribedType& type) noexcept { return !type.name.empty(); }

}  // namespace

std::string default_of(const ObjectType& object, const Field& field) {
  std::string text;
  if (field.required || object.defaults == nullptr) return text;
  const void* const value = static_cast<const char*>(object.defaults.get()) + field.offset;
  if (!write_json(field.type(), value, text) || text == "null") text.clear();
  return text;
}

const std::string& SchemaWriter::component(const DescribedType& type) {
  const auto [at, fresh] = names_.try_emplace(&type, type.name);
  if (fresh) {
    for (int n = 2; !taken_.insert(at->second).second; ++n) {
      at->second = type.name + "_" + std::to_string(n);
    }
    pending_.push_back(&type);
  }
  return at->second;
}

void SchemaWriter::write(Json& json, const DescribedType& type, const Checks& checks,
                         const std::string& fallback) {
  json.begin_object();
  if (is_component(type)) {
    json.key("$ref").string("#/components/schemas/" + component(type));
  } else {
    members(json, type, checks);
  }
  if (!checks.about.empty()) json.key("description").string(checks.about);
  if (!fallback.empty()) json.key("default").raw(fallback);
  json.end_object();
}

void SchemaWriter::write_components(Json& json) {
  while (!pending_.empty()) {
    const DescribedType& type = *pending_.back();
    pending_.pop_back();
    json.key(names_.at(&type)).begin_object();
    if (!type.about.empty()) json.key("description").string(type.about);
    members(json, type, kNoChecks);
    json.end_object();
  }
}

void SchemaWriter::members(Json& json, const DescribedType& type, const Checks& checks) {
  std::visit([&](const auto& of) { members(json, of, checks); }, type.of);
}

void SchemaWriter::members(Json& json, const BooleanType&, const Checks&) {
  json.key("type").string("boolean");
}

void SchemaWriter::members(Json& json, const TextType&, const Checks& checks) {
  json.key("type").string("string");
  size_limits(json, checks, "minLength", "maxLength");
  if (!checks.pattern_text.empty()) json.key("pattern").string(checks.pattern_text);
  if (!checks.format.empty()) json.key("format").string(checks.format);
}

// What 64 bits hold is not said: tools that read it as a double would round it.
void SchemaWriter::members(Json& json, const IntegerType& type, const Checks& checks) {
  constexpr auto kWide = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool wide = type.most.magnitude >= kWide;
  json.key("type").string("integer");
  if (wide && type.least.negative) json.key("format").string("int64");
  if (checks.least_integer) {
    json.key("minimum").raw(text_of(*checks.least_integer));
  } else if (!wide || !type.least.negative) {
    json.key("minimum").raw(text_of(type.least));
  }
  if (checks.most_integer) {
    json.key("maximum").raw(text_of(*checks.most_integer));
  } else if (!wide) {
    json.key("maximum").raw(text_of(type.most));
  }
}

void SchemaWriter::members(Json& json, const NumberType& type, const Checks& checks) {
  json.key("type").string("number");
  json.key("format").string(type.single ? "float" : "double");
  number_limit(json, "minimum", checks.minimum);
  number_limit(json, "maximum", checks.maximum);
  number_limit(json, "exclusiveMinimum", checks.above);
  number_limit(json, "exclusiveMaximum", checks.below);
}

void SchemaWriter::members(Json& json, const EnumType& type, const Checks&) {
  json.key("type").string("string");
  json.key("enum").begin_array();
  for (const auto& [name, value] : type.values) json.string(name);
  json.end_array();
}

void SchemaWriter::members(Json& json, const OptionalType& type, const Checks& checks) {
  Checks plain = checks;
  plain.about.clear();  // it stands beside anyOf
  json.key("anyOf").begin_array();
  write(json, type.item(), plain);
  json.begin_object().key("type").string("null").end_object().end_array();
}

void SchemaWriter::members(Json& json, const ArrayType& type, const Checks& checks) {
  json.key("type").string("array").key("items");
  write(json, type.item(), checks.items == nullptr ? kNoChecks : *checks.items);
  size_limits(json, checks, "minItems", "maxItems");
}

void SchemaWriter::members(Json& json, const MapType& type, const Checks& checks) {
  json.key("type").string("object").key("additionalProperties");
  write(json, type.item(), checks.items == nullptr ? kNoChecks : *checks.items);
  size_limits(json, checks, "minProperties", "maxProperties");
}

void SchemaWriter::members(Json& json, const ObjectType& type, const Checks&) {
  object(json, type, "", "");
}

void SchemaWriter::members(Json& json, const VariantType& type, const Checks&) {
  json.key(type.tag.empty() ? "anyOf" : "oneOf").begin_array();
  for (const auto& alternative : type.alternatives) {
    if (type.tag.empty()) {
      write(json, alternative.type(), kNoChecks);
    } else {
      json.begin_object().key("title").string(alternative.name);
      object(json, std::get<ObjectType>(alternative.type().of), type.tag, alternative.name);
      json.end_object();
    }
  }
  json.end_array();
}

// With a tag: that of the alternative `name` of a variant.
void SchemaWriter::object(Json& json, const ObjectType& type, const std::string& tag,
                          const std::string& name) {
  std::vector<std::string_view> required;
  required.reserve(type.fields.size() + 1);
  json.key("type").string("object").key("properties").begin_object();
  if (!tag.empty()) {
    json.key(tag).begin_object().key("type").string("string").key("const").string(name);
    json.end_object();
    required.push_back(tag);
  }
  for (const Field& field : type.fields) {
    if (field.source != Source::member) continue;
    json.key(field.name);
    write(json, field.type(), field.checks, default_of(type, field));
    if (field.required) required.push_back(field.name);
  }
  json.end_object();
  if (!required.empty()) {
    json.key("required").begin_array();
    for (const std::string_view member : required) json.string(member);
    json.end_array();
  }
  if (type.unknown == Unknown::refuse) json.key("additionalProperties").boolean(false);
}

}  // namespace aiserve::inline v0::http::detail
