#include "aiserve/http/typed_operation.hpp"

#include <algorithm>
#include <utility>

#include "aiserve/core/error.hpp"
#include "aiserve/http/typed.hpp"
#include "http/operation_body.hpp"
#include "http/pattern_names.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

void check_range(std::string_view name, std::size_t value, std::size_t most) {
  if (value >= 1 && value <= most) return;
  throw ConfigError("http: limits." + std::string(name) + " of a typed handler is " +
                    std::to_string(value) + ", must be 1 to " + std::to_string(most));
}

void check_options(const TypedOptions& options) {
  constexpr std::size_t kAny = std::size_t{1} << 40;
  constexpr std::size_t kDeepest = 256;  // reading is recursive
  const JsonLimits& limits = options.limits;
  check_range("max_depth", limits.max_depth, kDeepest);
  check_range("max_values", limits.max_values, kAny);
  check_range("max_string", limits.max_string, kAny);
  check_range("max_number", limits.max_number, kAny);
  check_range("max_problems", limits.max_problems, 10'000);
  if (options.status != 0 && (options.status < 200 || options.status > 299)) {
    throw ConfigError("http: status of a typed handler is " + std::to_string(options.status) +
                      ", must be 200 to 299");
  }
}

[[noreturn]] void refuse(Method method, std::string_view pattern, std::string_view why) {
  throw ConfigError("http: " + std::string(name(method)) + " " + std::string(pattern) + " " +
                    std::string(why));
}

// What the text of a parameter can become.
bool is_scalar(const DescribedType& type) {
  if (const auto* optional = std::get_if<OptionalType>(&type.of))
    return is_scalar(optional->item());
  return std::holds_alternative<BooleanType>(type.of) ||
         std::holds_alternative<TextType>(type.of) ||
         std::holds_alternative<IntegerType>(type.of) ||
         std::holds_alternative<NumberType>(type.of) || std::holds_alternative<EnumType>(type.of);
}

bool is_parameter(const Field& field) {
  const DescribedType* type = &field.type();
  if (const auto* optional = std::get_if<OptionalType>(&type->of)) type = &optional->item();
  const auto* array = std::get_if<ArrayType>(&type->of);
  return is_scalar(*type) ||
         (array != nullptr && field.source != Source::path && is_scalar(array->item()));
}

}  // namespace

OperationBody body_of(const DescribedType& type) {
  const auto* const object = std::get_if<ObjectType>(&type.of);
  if (object == nullptr) return {.type = &type};
  for (const Field& field : object->fields) {
    if (field.source == Source::body) {
      const bool may_lack = std::holds_alternative<OptionalType>(field.type().of);
      return {&field.type(), &field.checks, field.offset, !may_lack};
    }
  }
  if (object->by_name.empty()) return {};
  const bool required = std::any_of(object->by_name.begin(), object->by_name.end(),
                                    [object](std::size_t i) { return object->fields[i].required; });
  return {.type = &type, .required = required};
}

std::shared_ptr<const TypedOperation> make_operation(TypeRef input, TypeRef output,
                                                     TypedOptions options) {
  check_options(options);
  if (options.status == 0) options.status = output == nullptr ? 204 : 200;
  if (input != nullptr) check_type(input());
  if (output != nullptr) check_type(output());
  return std::make_shared<const TypedOperation>(TypedOperation{input, output, std::move(options)});
}

void check_operation(const TypedOperation& operation, Method method, std::string_view pattern) {
  if (operation.input == nullptr) return;
  const DescribedType& type = operation.input();
  const bool takes_body = method != Method::get && method != Method::del;
  if (!takes_body && body_of(type).type != nullptr) {
    refuse(method, pattern, "has no body, but its handler reads one: describe it with query()");
  }
  const auto* const object = std::get_if<ObjectType>(&type.of);
  if (object == nullptr) return;
  const std::vector<std::string_view> names = pattern_names(pattern);
  for (const Field& field : object->fields) {
    if (field.source == Source::member || field.source == Source::body) continue;
    if (!is_parameter(field)) {
      refuse(method, pattern, "cannot read \"" + field.name + "\" from text");
    }
    const bool there = std::find(names.begin(), names.end(), field.name) != names.end();
    if (field.source == Source::path && !there) {
      refuse(method, pattern, "has no {" + field.name + "}");
    }
  }
}

}  // namespace aiserve::inline v0::http::detail
