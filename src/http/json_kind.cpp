#include "http/json_kind.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

struct KindOf {
  JsonKind operator()(const BooleanType&) const { return JsonKind::boolean; }
  JsonKind operator()(const TextType&) const { return JsonKind::string; }
  JsonKind operator()(const IntegerType&) const { return JsonKind::number; }
  JsonKind operator()(const NumberType&) const { return JsonKind::number; }
  JsonKind operator()(const EnumType&) const { return JsonKind::string; }
  JsonKind operator()(const OptionalType& type) const { return kind_of(type.item()); }
  JsonKind operator()(const ArrayType&) const { return JsonKind::array; }
  JsonKind operator()(const MapType&) const { return JsonKind::object; }
  JsonKind operator()(const ObjectType&) const { return JsonKind::object; }
  JsonKind operator()(const VariantType& type) const {
    return type.tag.empty() ? JsonKind::none : JsonKind::object;
  }
};

}  // namespace

JsonKind kind_of(const DescribedType& type) { return std::visit(KindOf(), type.of); }

}  // namespace aiserve::inline v0::http::detail
