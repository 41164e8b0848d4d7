#include "aiserve/http/described_type.hpp"

#include <algorithm>
#include <set>

#include "aiserve/core/error.hpp"
#include "http/json_decoder.hpp"
#include "http/json_kind.hpp"
#include "http/text_pattern.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

[[noreturn]] void refuse(const std::string& name, std::string_view why) {
  throw ConfigError("http: the description of " + name + " " + std::string(why));
}

void check_rules(const std::string& owner, const Field& field) {
  const Checks& checks = field.checks;
  const bool no_number = (checks.minimum && checks.maximum && *checks.minimum > *checks.maximum) ||
                         (checks.above && checks.below && *checks.above >= *checks.below);
  if (checks.min_size > checks.max_size || no_number) {
    refuse(owner, "gives \"" + field.name + "\" limits that nothing can meet");
  }
}

void finish_object(const std::string& name, ObjectType& object) {
  if (object.fields.size() > kMaxFields) refuse(name, "has more than 128 fields");
  std::set<std::pair<Source, std::string>> seen;
  for (std::size_t i = 0; i < object.fields.size(); ++i) {
    const Field& field = object.fields[i];
    if (field.name.empty()) refuse(name, "has a field without a name");
    if (!seen.emplace(field.source, field.name).second) {
      refuse(name, "names \"" + field.name + "\" twice");
    }
    check_rules(name, field);
    if (field.source == Source::member) object.by_name.push_back(i);
  }
  const bool whole = std::any_of(object.fields.begin(), object.fields.end(),
                                 [](const Field& f) { return f.source == Source::body; });
  if (whole && !object.by_name.empty()) refuse(name, "has both body() and members of its own");
  std::sort(object.by_name.begin(), object.by_name.end(), [&object](std::size_t a, std::size_t b) {
    return object.fields[a].name < object.fields[b].name;
  });
}

void finish_enum(const std::string& name, const EnumType& type) {
  std::set<std::string> seen;
  if (type.values.empty()) refuse(name, "has no values");
  for (const auto& [text, number] : type.values) {
    if (!seen.insert(text).second) refuse(name, "names \"" + text + "\" twice");
  }
}

void finish_variant(const std::string& name, const VariantType& type) {
  std::set<std::string> seen;
  if (type.tag.empty()) refuse(name, "has no tag()");
  for (const auto& alternative : type.alternatives) {
    if (alternative.name.empty()) refuse(name, "has an alternative without a name");
    if (!seen.insert(alternative.name).second) {
      refuse(name, "names \"" + alternative.name + "\" twice");
    }
  }
}

// Walks all that a type is made of, each once.
class Walk {
 public:
  void visit(const DescribedType& type) {
    if (!seen_.insert(&type).second) return;
    std::visit([&](const auto& of) { check(type, of); }, type.of);
  }

 private:
  template <class Scalar>
  void check(const DescribedType&, const Scalar&) {}
  void check(const DescribedType&, const OptionalType& type) { inner(type.item()); }
  void check(const DescribedType&, const ArrayType& type) { inner(type.item()); }
  void check(const DescribedType&, const MapType& type) { inner(type.item()); }
  void check(const DescribedType&, const ObjectType& type) {
    for (const Field& field : type.fields) inner(field.type());
  }
  void check(const DescribedType& type, const VariantType& variant) {
    std::set<JsonKind> kinds;
    for (const auto& alternative : variant.alternatives) {
      const DescribedType& held = alternative.type();
      inner(held);
      if (!variant.tag.empty() && !std::holds_alternative<ObjectType>(held.of)) {
        refuse(type.name, "has an alternative that is no struct");
      }
      if (variant.tag.empty() && !kinds.insert(kind_of(held)).second) {
        throw ConfigError(
            "http: a variant has two alternatives of one kind of JSON value: describe it");
      }
    }
  }
  void inner(const DescribedType& type) {
    if (const auto* object = std::get_if<ObjectType>(&type.of)) {
      for (const Field& field : object->fields) {
        if (field.source == Source::member) continue;
        refuse(type.name, "reads a request and cannot be part of another type");
      }
    }
    visit(type);
  }

  std::set<const DescribedType*> seen_;
};

}  // namespace

void check_type(const DescribedType& type) { Walk().visit(type); }

void finish(DescribedType& type) {
  if (auto* object = std::get_if<ObjectType>(&type.of)) finish_object(type.name, *object);
  if (const auto* named = std::get_if<EnumType>(&type.of)) finish_enum(type.name, *named);
  if (const auto* variant = std::get_if<VariantType>(&type.of)) finish_variant(type.name, *variant);
}

std::shared_ptr<const TextPattern> compile_pattern(const std::string& pattern) {
  return std::make_shared<const TextPattern>(pattern);
}

std::string component_name(std::string_view qualified) {
  const std::size_t arguments = std::min(qualified.find('<'), qualified.size());
  const std::size_t scope = qualified.substr(0, arguments).rfind("::");
  std::string name(scope == std::string_view::npos ? qualified : qualified.substr(scope + 2));
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  std::replace_if(
      name.begin(), name.end(), [plain](char c) { return !plain(c); }, '_');
  return name;
}

}  // namespace aiserve::inline v0::http::detail
