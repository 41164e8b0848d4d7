/// Rules<M>: what a member of type M must be beside being an M, and what is told of it.
///
/// They are checked when a request is read, and stand in its schema. Given beside the member
/// (description.hpp), with what M can have: an integer has no max_length.
/// *Thread safety:* a value. *Errors:* ConfigError when the description is first used, for a
/// pattern that is none, or limits that nothing can meet.
///
///     d.required("name", &Pet::name, {.min_length = 1, .max_length = 40})
///         .optional("age", &Pet::age, {.minimum = 0, .maximum = 200, .about = "in years"});
#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace aiserve::inline v0::http {

template <class M>
struct Rules;
namespace detail {
template <class M>
struct WithoutOptional {
  using type = M;
};
template <class T>
struct WithoutOptional<std::optional<T>> : WithoutOptional<T> {};
}  // namespace detail
/// Of a std::optional<T>: those of T, for when there is one.
template <class M>
using RulesFor = Rules<typename detail::WithoutOptional<M>::type>;

/// Of booleans, enums, variants and structs.
template <class M>
struct Rules {
  /// For people: shown in the documentation.
  std::string about{};
};

/// An integer is exact: 1.0 and 1e2 are none, what its type cannot hold is out of range.
template <class M>
requires(std::integral<M> && !std::same_as<M, bool>) struct Rules<M> {
  /// Inclusive, both. Default: what M can hold.
  std::optional<M> minimum{};
  std::optional<M> maximum{};
  std::string about{};
};

template <std::floating_point M>
struct Rules<M> {
  /// Inclusive. Default: none; infinities are never taken.
  std::optional<M> minimum{};
  std::optional<M> maximum{};
  /// Exclusive.
  std::optional<M> above{};
  std::optional<M> below{};
  std::string about{};
};

template <>
struct Rules<std::string> {
  /// In characters (code points), inclusive.
  std::optional<std::size_t> min_length{};
  /// Default: JsonLimits::max_string, or 1024 where there is a pattern.
  std::optional<std::size_t> max_length{};
  /// A regular expression (ECMA-262) that must match somewhere; anchor it with ^ and $. Runs in
  /// linear time; back references and look-around are refused.
  std::string pattern{};
  /// Told, not checked: "email", "date-time", "uuid" (JSON Schema 2020-12, 7.3).
  std::string format{};
  std::string about{};
};

template <class T>
struct Rules<std::vector<T>> {
  /// Inclusive.
  std::optional<std::size_t> min_items{};
  std::optional<std::size_t> max_items{};
  /// Of each element.
  RulesFor<T> items{};
  std::string about{};
};

template <class T>
struct Rules<std::map<std::string, T>> {
  /// Inclusive.
  std::optional<std::size_t> min_items{};
  std::optional<std::size_t> max_items{};
  /// Of each value.
  RulesFor<T> items{};
  std::string about{};
};

}  // namespace aiserve::inline v0::http
