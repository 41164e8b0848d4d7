/// DescribedType: what reading, writing and schemas need to know of a C++ type, without the type.
///
/// Made once per type from its description (description.hpp) and never changed: src/http reads and
/// writes values through it, so that no template holds more than a few lines.
/// *Thread safety:* const, any thread.
///
///     const detail::DescribedType& type = detail::type_of<Pet>();
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aiserve::inline v0::http {

/// What becomes of members and query parameters that a description doesn't name.
enum class Unknown : std::uint8_t {
  refuse,  ///< 422: a misspelt optional member is no silent default
  ignore,  ///< for inputs that others extend
};

}  // namespace aiserve::inline v0::http

namespace aiserve::inline v0::http::detail {

class TextPattern;
struct DescribedType;
/// Called, not kept: types may contain themselves.
using TypeRef = const DescribedType& (*)();

/// Any integer of 64 bits, signed or not. Zero is not negative.
struct AnyInteger {
  std::uint64_t magnitude = 0;
  bool negative = false;
};

/// Rules of a member, whatever its type.
struct Checks {
  std::optional<AnyInteger> least_integer{};
  std::optional<AnyInteger> most_integer{};
  std::optional<double> minimum{};
  std::optional<double> maximum{};
  std::optional<double> above{};
  std::optional<double> below{};
  std::size_t min_size = 0;  // characters, elements, members
  std::size_t max_size = std::numeric_limits<std::size_t>::max();
  std::shared_ptr<const TextPattern> pattern{};
  std::string pattern_text{};
  std::string format{};
  std::string about{};
  std::shared_ptr<const Checks> items{};
};

struct BooleanType {};
struct TextType {};

struct IntegerType {
  AnyInteger least;
  AnyInteger most;
  void (*store)(void* value, AnyInteger integer);
  AnyInteger (*load)(const void* value);
};

struct NumberType {
  bool single;  // float
  void (*store)(void* value, double number);
  double (*load)(const void* value);
};

struct EnumType {
  std::vector<std::pair<std::string, std::int64_t>> values{};
  void (*store)(void* value, std::int64_t number);
  std::int64_t (*load)(const void* value);
};

struct OptionalType {
  TypeRef item;
  void* (*engage)(void* optional);
  void (*reset)(void* optional);
  const void* (*get)(const void* optional);  // null: empty
};

struct ArrayType {
  TypeRef item;
  void (*clear)(void* array);
  void* (*add)(void* array);
  std::size_t (*size)(const void* array);
  const void* (*at)(const void* array, std::size_t i);
};

struct MapType {
  TypeRef item;
  void (*clear)(void* map);
  void* (*insert)(void* map, const std::string& key);  // null: it is there already
  std::size_t (*size)(const void* map);
  void (*each)(const void* map,
               const std::function<void(const std::string& key, const void* value)>& visit);
};

/// Where the value of a member comes from.
enum class Source : std::uint8_t { member, body, path, query, header };

struct Field {
  std::string name{};
  Source source = Source::member;
  bool required = true;
  std::size_t offset = 0;
  TypeRef type{};
  Checks checks{};
};

struct Invariant {
  std::string message{};
  std::function<bool(const void*)> holds{};
};

struct ObjectType {
  std::vector<Field> fields{};
  Unknown unknown = Unknown::refuse;
  std::vector<Invariant> invariants{};
  std::shared_ptr<const void> defaults{};  // a value as its default constructor leaves it
  std::vector<std::size_t> by_name{};      // members in the order of their names
};

struct VariantType {
  struct Alternative {
    std::string name{};
    TypeRef type{};
    void* (*emplace)(void* variant) = nullptr;
  };
  std::string tag{};  // empty: told apart by the kind of JSON value
  std::vector<Alternative> alternatives{};
  std::size_t (*index)(const void* variant) = nullptr;
  const void* (*get)(const void* variant) = nullptr;
};

struct DescribedType {
  std::string name{};  // of structs, enums and tagged variants: their name in schemas
  std::string about{};
  std::variant<BooleanType, TextType, IntegerType, NumberType, EnumType, OptionalType, ArrayType,
               MapType, ObjectType, VariantType>
      of{};
};

/// Makes sure that the type and all it is made of can work; ConfigError names what cannot. Once per
/// use at wiring, so that nothing throws while serving.
void check_type(const DescribedType& type);
/// Checks for names that are empty or repeated, and sorts them.
void finish(DescribedType& type);
/// ConfigError if it is no regular expression that is supported.
std::shared_ptr<const TextPattern> compile_pattern(const std::string& pattern);
/// "Pet" of "a::b::Pet", and what schemas cannot name replaced.
std::string component_name(std::string_view qualified);

}  // namespace aiserve::inline v0::http::detail
