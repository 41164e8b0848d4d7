// SchemaWriter: described types as JSON Schema 2020-12, named ones as components that are referred
// to.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "aiserve/http/described_type.hpp"
#include "core/json_text.hpp"

namespace aiserve::inline v0::http::detail {

class SchemaWriter {
 public:
  // The names are taken by others.
  explicit SchemaWriter(std::set<std::string> taken) : taken_(std::move(taken)) {}

  // The schema of a value, or a reference to it. `fallback`: the default as JSON text, if any.
  void write(v0::detail::JsonText& json, const DescribedType& type, const Checks& checks,
             const std::string& fallback = {});
  // Members of an open object: all components that were referred to, and that those refer to.
  void write_components(v0::detail::JsonText& json);

 private:
  using Json = v0::detail::JsonText;

  void members(Json& json, const DescribedType& type, const Checks& checks);
  void members(Json& json, const BooleanType& type, const Checks& checks);
  void members(Json& json, const TextType& type, const Checks& checks);
  void members(Json& json, const IntegerType& type, const Checks& checks);
  void members(Json& json, const NumberType& type, const Checks& checks);
  void members(Json& json, const EnumType& type, const Checks& checks);
  void members(Json& json, const OptionalType& type, const Checks& checks);
  void members(Json& json, const ArrayType& type, const Checks& checks);
  void members(Json& json, const MapType& type, const Checks& checks);
  void members(Json& json, const ObjectType& type, const Checks& checks);
  void members(Json& json, const VariantType& type, const Checks& checks);

  void object(Json& json, const ObjectType& type, const std::string& tag, const std::string& name);
  const std::string& component(const DescribedType& type);

  std::set<std::string> taken_;
  std::map<const DescribedType*, std::string> names_;
  std::vector<const DescribedType*> pending_;
};

// What the field has when it is left out, as JSON text; empty if it must be there or has nothing.
std::string default_of(const ObjectType& object, const Field& field);

}  // namespace aiserve::inline v0::http::detail
