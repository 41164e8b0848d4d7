#include "http/parameters.hpp"

#include <algorithm>

#include "http/char_class.hpp"
#include "http/json_decoder.hpp"
#include "http/target.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

void* at_offset(void* object, std::size_t offset) noexcept {
  return static_cast<char*>(object) + offset;
}

const DescribedType& unwrap(const DescribedType& type, void*& value) {
  const auto* const optional = std::get_if<OptionalType>(&type.of);
  if (optional == nullptr) return type;
  value = optional->engage(value);
  return unwrap(optional->item(), value);
}

// What is wrong with the text; empty if nothing is. Numbers and booleans are written as in JSON.
std::string assign(const DescribedType& type, const Checks& checks, std::string_view text,
                   const JsonLimits& limits, void* value) {
  if (std::holds_alternative<TextType>(type.of)) {
    if (!is_valid_utf8(text)) return "must be UTF-8";
    std::string problem = problem_of(text, checks);
    if (problem.empty()) static_cast<std::string*>(value)->assign(text);
    return problem;
  }
  if (const auto* named = std::get_if<EnumType>(&type.of)) {
    const auto has_name = [text](const auto& entry) { return entry.first == text; };
    const auto at = std::find_if(named->values.begin(), named->values.end(), has_name);
    if (at == named->values.end()) return choices_of(*named);
    named->store(value, at->second);
    return {};
  }
  FieldErrors errors(1);
  JsonReader reader(text, limits);
  const bool spaced = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!spaced && JsonDecoder(reader, errors).read(type, checks, {}, value) && reader.finish()) {
    return {};
  }
  if (!errors.empty()) return errors.all().front().problem;
  if (std::holds_alternative<BooleanType>(type.of)) return "must be true or false";
  return std::holds_alternative<IntegerType>(type.of) ? "must be an integer" : "must be a number";
}

class Parameters {
 public:
  Parameters(const ObjectType& type, const JsonLimits& limits, FieldErrors& errors, void* value)
      : type_(type), limits_(limits), errors_(errors), value_(value) {}

  bool give(const Field& field, std::string_view text) {
    const std::size_t index = static_cast<std::size_t>(&field - type_.fields.data());
    static const Checks kNone;
    void* place = at_offset(value_, field.offset);
    const DescribedType& type =
        given_[index] ? unwrap_given(field.type(), place) : unwrap(field.type(), place);
    std::string problem;
    if (const auto* array = std::get_if<ArrayType>(&type.of)) {
      if (!given_[index]) array->clear(place);
      const Checks& rules = field.checks.items == nullptr ? kNone : *field.checks.items;
      problem = assign(array->item(), rules, text, limits_, array->add(place));
    } else if (given_[index]) {
      problem = "must be given once";
    } else {
      problem = assign(type, field.checks, text, limits_, place);
    }
    given_.set(index);
    return problem.empty() || errors_.add(field.source, field.name, problem);
  }

  bool give_unknown(std::string_view name) {
    return type_.unknown == Unknown::ignore ||
           errors_.add(Source::query, name, "is not known here");
  }

  // What is missing, and arrays of the wrong size.
  bool finish() {
    for (std::size_t i = 0; i < type_.fields.size(); ++i) {
      const Field& field = type_.fields[i];
      if (field.source == Source::member || field.source == Source::body) continue;
      std::string problem;
      if (!given_[i]) {
        if (field.required) problem = "is missing";
      } else {
        void* place = at_offset(value_, field.offset);
        const DescribedType& type = unwrap_given(field.type(), place);
        const auto* const array = std::get_if<ArrayType>(&type.of);
        if (array != nullptr) problem = size_problem(array->size(place), field.checks, "element");
      }
      if (!problem.empty() && !errors_.add(field.source, field.name, problem)) return false;
    }
    return true;
  }

 private:
  // As unwrap(), of an optional that holds something already.
  static const DescribedType& unwrap_given(const DescribedType& type, void*& place) {
    const auto* const optional = std::get_if<OptionalType>(&type.of);
    if (optional == nullptr) return type;
    place = const_cast<void*>(optional->get(place));
    return unwrap_given(optional->item(), place);
  }

  const ObjectType& type_;
  const JsonLimits& limits_;
  FieldErrors& errors_;
  void* value_;
  std::bitset<kMaxFields> given_;
};

bool read_query(const ObjectType& type, std::string_view query, Parameters& parameters) {
  const auto is_query = [](const Field& field) { return field.source == Source::query; };
  if (std::none_of(type.fields.begin(), type.fields.end(), is_query)) return true;
  return for_each_parameter(query, [&](const std::string& name, const std::string& value) {
    for (const Field& field : type.fields) {
      if (is_query(field) && field.name == name) return parameters.give(field, value);
    }
    return parameters.give_unknown(name);
  });
}

bool read_headers(const ObjectType& type, const Request& request, Parameters& parameters) {
  for (const Field& field : type.fields) {
    if (field.source != Source::header) continue;
    for (std::size_t i = 0; i < request.header_count(); ++i) {
      const auto [name, value] = request.header_at(i);
      if (iequals(name, field.name) && !parameters.give(field, value)) return false;
    }
  }
  return true;
}

bool read_path(const ObjectType& type, const Request& request, Parameters& parameters) {
  return std::all_of(type.fields.begin(), type.fields.end(), [&](const Field& field) {
    return field.source != Source::path || parameters.give(field, request.param(field.name));
  });
}

}  // namespace

bool read_parameters(const ObjectType& type, const Request& request, const JsonLimits& limits,
                     FieldErrors& errors, void* value) {
  Parameters parameters(type, limits, errors, value);
  return read_path(type, request, parameters) && read_query(type, request.query(), parameters) &&
         read_headers(type, request, parameters) && parameters.finish();
}

}  // namespace aiserve::inline v0::http::detail
