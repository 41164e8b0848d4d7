/// type_of<T>(): the DescribedType of a C++ type, made at its first use from what T is, or from its
/// describe() (description.hpp).
///
/// *Thread safety:* any thread. *Errors:* ConfigError for descriptions that cannot work.
///
///     const detail::DescribedType& type = detail::type_of<std::vector<Pet>>();
#pragma once

#include <aiserve/http/described_type.hpp>
#include <aiserve/http/rules.hpp>

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace aiserve::inline v0::http {
template <class T>
class Description;
}

namespace aiserve::inline v0::http::detail {

template <class T>
concept Described = requires(Description<T>& d) {
  describe(d);
};
template <class T>
concept PlainInteger = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                       !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                       !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
const DescribedType& type_of();

template <class T>
struct Describer;

// --- rules

template <std::integral T>
AnyInteger any_integer(T value) noexcept {
  bool negative = false;
  if constexpr (std::signed_integral<T>) negative = value < 0;
  const auto bits = static_cast<std::uint64_t>(value);
  return {negative ? ~bits + 1 : bits, negative};
}

template <class M>
Checks checks_of(const Rules<M>& rules);

template <class M>
struct RulesOf {
  static void erase(const Rules<M>& rules, Checks& checks) {
    if constexpr (std::same_as<M, std::string>) {
      checks.min_size = rules.min_length.value_or(0);
      checks.max_size = rules.max_length.value_or(rules.pattern.empty() ? checks.max_size : 1024);
      checks.pattern_text = rules.pattern;
      checks.format = rules.format;
      if (!rules.pattern.empty()) checks.pattern = compile_pattern(rules.pattern);
    } else if constexpr (std::floating_point<M>) {
      checks.minimum = rules.minimum;
      checks.maximum = rules.maximum;
      checks.above = rules.above;
      checks.below = rules.below;
    } else if constexpr (PlainInteger<M>) {
      if (rules.minimum) checks.least_integer = any_integer(*rules.minimum);
      if (rules.maximum) checks.most_integer = any_integer(*rules.maximum);
    }
  }
};
template <class T>
struct RulesOf<std::vector<T>> {
  static void erase(const Rules<std::vector<T>>& rules, Checks& checks) {
    checks.min_size = rules.min_items.value_or(0);
    checks.max_size = rules.max_items.value_or(checks.max_size);
    checks.items = std::make_shared<const Checks>(checks_of(rules.items));
  }
};
template <class T>
struct RulesOf<std::map<std::string, T>> {
  static void erase(const Rules<std::map<std::string, T>>& rules, Checks& checks) {
    checks.min_size = rules.min_items.value_or(0);
    checks.max_size = rules.max_items.value_or(checks.max_size);
    checks.items = std::make_shared<const Checks>(checks_of(rules.items));
  }
};
template <class M>
Checks checks_of(const Rules<M>& rules) {
  Checks checks;
  checks.about = rules.about;
  RulesOf<M>::erase(rules, checks);
  return checks;
}

// --- types

/// What the compiler calls T.
template <class T>
constexpr std::string_view qualified_name() noexcept {
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("T = ") + 4;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

template <class T, class... A>
void* emplace_alternative(void* variant) {
  return &static_cast<std::variant<A...>*>(variant)->template emplace<T>();
}

template <PlainInteger T>
IntegerType integer_type() {
  return {any_integer(std::numeric_limits<T>::min()), any_integer(std::numeric_limits<T>::max()),
          [](void* value, AnyInteger integer) {
            const std::uint64_t bits =
                integer.negative ? ~integer.magnitude + 1 : integer.magnitude;
            *static_cast<T*>(value) = static_cast<T>(bits);
          },
          [](const void* value) { return any_integer(*static_cast<const T*>(value)); }};
}

template <std::floating_point T>
NumberType number_type() {
  static_assert(!std::same_as<T, long double>, "use double");
  return {std::same_as<T, float>,
          [](void* value, double number) { *static_cast<T*>(value) = static_cast<T>(number); },
          [](const void* value) { return static_cast<double>(*static_cast<const T*>(value)); }};
}

/// Of types that are known without description.
template <class T>
struct BuiltIn {
  static DescribedType make() {
    DescribedType type;
    if constexpr (std::same_as<T, bool>) {
      type.of = BooleanType{};
    } else if constexpr (std::same_as<T, std::string>) {
      type.of = TextType{};
    } else if constexpr (PlainInteger<T>) {
      type.of = integer_type<T>();
    } else if constexpr (std::floating_point<T>) {
      type.of = number_type<T>();
    } else {
      static_assert(Described<T>,
                    "write `void describe(aiserve::http::Description<T>&)` beside this type");
    }
    return type;
  }
};

template <class T>
struct BuiltIn<std::optional<T>> {
  static DescribedType make() {
    using O = std::optional<T>;
    return {.of = OptionalType{&type_of<T>,
                               [](void* o) -> void* { return &static_cast<O*>(o)->emplace(); },
                               [](void* o) { static_cast<O*>(o)->reset(); },
                               [](const void* o) -> const void* {
                                 const O& optional = *static_cast<const O*>(o);
                                 return optional ? &*optional : nullptr;
                               }}};
  }
};

template <class T>
struct BuiltIn<std::vector<T>> {
  static_assert(!std::same_as<T, bool>, "std::vector<bool> has no addresses: use another element");
  static DescribedType make() {
    using V = std::vector<T>;
    return {.of = ArrayType{&type_of<T>, [](void* v) { static_cast<V*>(v)->clear(); },
                            [](void* v) -> void* { return &grown(*static_cast<V*>(v)); },
                            [](const void* v) { return static_cast<const V*>(v)->size(); },
                            [](const void* v, std::size_t i) -> const void* {
                              return &(*static_cast<const V*>(v))[i];
                            }}};
  }

 private:
  // The first numbers come together: growing one by one would cost more than reading them.
  static T& grown(std::vector<T>& values) {
    constexpr std::size_t kFirst = 16;
    if (std::is_arithmetic_v<T> && values.capacity() == 0) values.reserve(kFirst);
    return values.emplace_back();
  }
};

template <class T>
struct BuiltIn<std::map<std::string, T>> {
  static DescribedType make() {
    using M = std::map<std::string, T>;
    return {.of = MapType{&type_of<T>, [](void* m) { static_cast<M*>(m)->clear(); },
                          [](void* m, const std::string& key) -> void* {
                            const auto [at, fresh] = static_cast<M*>(m)->try_emplace(key);
                            return fresh ? &at->second : nullptr;
                          },
                          [](const void* m) { return static_cast<const M*>(m)->size(); },
                          [](const void* m, const auto& visit) {
                            for (const auto& [key, value] : *static_cast<const M*>(m)) {
                              visit(key, &value);
                            }
                          }}};
  }
};

template <class... A>
VariantType untagged(std::variant<A...>*) {
  VariantType type;
  (type.alternatives.push_back({"", &type_of<A>, &emplace_alternative<A, A...>}), ...);
  return type;
}
template <class V>
void complete(VariantType& type) {
  type.index = [](const void* v) { return static_cast<const V*>(v)->index(); };
  type.get = [](const void* v) -> const void* {
    const auto address = [](const auto& held) -> const void* { return &held; };
    return std::visit(address, *static_cast<const V*>(v));
  };
}

template <class... A>
struct BuiltIn<std::variant<A...>> {
  static DescribedType make() {
    VariantType type = untagged(static_cast<std::variant<A...>*>(nullptr));
    complete<std::variant<A...>>(type);
    return {.of = std::move(type)};
  }
};

template <class T>
inline constexpr bool kIsVariant = false;
template <class... A>
inline constexpr bool kIsVariant<std::variant<A...>> = true;

/// Of types that have a describe().
template <class T>
struct Describer {
  static DescribedType make() {
    Description<T> d;
    d.type_.name = component_name(qualified_name<T>());
    describe(d);
    DescribedType type = std::move(d.type_);
    if constexpr (std::is_enum_v<T>) {
      type.of = EnumType{std::move(d.values_),
                         [](void* value, std::int64_t number) {
                           *static_cast<T*>(value) = static_cast<T>(number);
                         },
                         [](const void* value) {
                           return static_cast<std::int64_t>(*static_cast<const T*>(value));
                         }};
    } else if constexpr (kIsVariant<T>) {
      complete<T>(d.variant_);
      type.of = std::move(d.variant_);
    } else {
      d.object_.defaults = d.probe_;
      type.of = std::move(d.object_);
    }
    finish(type);
    return type;
  }
};

template <class T>
const DescribedType& type_of() {
  static const DescribedType type = [] {
    if constexpr (Described<T>) {
      return Describer<T>::make();
    } else {
      return BuiltIn<T>::make();
    }
  }();
  return type;
}

}  // namespace aiserve::inline v0::http::detail
