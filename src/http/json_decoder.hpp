// JsonDecoder: one pass over JSON text straight into a described value.
//
// What doesn't fit is noted and skipped, so that all of it can be told at once; what is no JSON
// ends the reading. The value is to be used only if there were no errors of either kind.
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "aiserve/http/described_type.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"

namespace aiserve::inline v0::http::detail {

inline constexpr std::size_t kMaxFields = 128;

class JsonDecoder {
 public:
  JsonDecoder(JsonReader& reader, FieldErrors& errors) noexcept
      : reader_(reader), errors_(errors) {}

  // The value that comes next. False: the reading has ended early (the reader failed, or there is
  // no room for more errors).
  bool read(const DescribedType& type, const Checks& checks, const Step& at, void* value);

 private:
  using Seen = std::bitset<kMaxFields>;

  bool read(const BooleanType&, const Checks&, const Step& at, void* value);
  bool read(const TextType&, const Checks& checks, const Step& at, void* value);
  bool read(const IntegerType& type, const Checks& checks, const Step& at, void* value);
  bool read(const NumberType& type, const Checks& checks, const Step& at, void* value);
  bool read(const EnumType& type, const Checks&, const Step& at, void* value);
  bool read(const OptionalType& type, const Checks& checks, const Step& at, void* value);
  bool read(const ArrayType& type, const Checks& checks, const Step& at, void* value);
  bool read(const MapType& type, const Checks& checks, const Step& at, void* value);
  bool read(const ObjectType& type, const Checks&, const Step& at, void* value);
  bool read(const VariantType& type, const Checks& checks, const Step& at, void* value);

  bool read_object(const ObjectType& type, const Step& at, void* value, std::string_view tag);
  bool read_member(const ObjectType& type, std::string_view key, Seen& seen, std::size_t& next,
                   const Step& at, void* value);
  bool close_object(const ObjectType& type, const Seen& seen, std::size_t errors_before,
                    const Step& at, const void* value);
  bool read_by_kind(const VariantType& type, const Checks& checks, const Step& at, void* value);
  // Leaves the reader where it was. False if the reader failed.
  bool find_tag(std::string_view tag, std::string& name, bool& found);

  bool mismatch(const Step& at, std::string_view problem);
  bool verdict(const Step& at, std::string_view problem);

  JsonReader& reader_;
  FieldErrors& errors_;
};

// What is wrong with a value that has the right type; empty if nothing is.
std::string problem_of(std::string_view text, const Checks& checks);
std::string problem_of(AnyInteger integer, const IntegerType& type, const Checks& checks);
std::string problem_of(double number, const NumberType& type, const Checks& checks);
// "must be one of \"small\", \"large\"".
std::string choices_of(const EnumType& type);
std::string size_problem(std::size_t size, const Checks& checks, std::string_view unit);

}  // namespace aiserve::inline v0::http::detail
