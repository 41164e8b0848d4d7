/// Description<T>: says once what a struct, an enum or a variant looks like from outside: names,
/// rules, what may be left out. Reading, writing, errors and OpenAPI all follow it.
///
/// Write `void describe(http::Description<T>&)` beside T; nothing else is registered. Members may
/// be bool, integers, float, double, std::string, std::optional, std::vector, std::map with string
/// keys, std::variant, and whatever is described itself. T must be default constructible.
///
/// A member that is optional() keeps what T's default constructor gave it; std::optional ones also
/// take null. With path(), query() and header() a struct describes a request: the members that are
/// required() or optional() are then its JSON body. Unknown members are refused (Unknown::refuse).
/// *Thread safety:* describe() is called once. *Errors:* ConfigError when the type is first used.
///
///     struct Pet { std::string name; int age = 0; };
///     inline void describe(aiserve::http::Description<Pet>& d) {
///       d.required("name", &Pet::name, {.max_length = 40})
///           .optional("age", &Pet::age, {.minimum = 0});
///     }
#pragma once

#include <aiserve/http/described_type.hpp>
#include <aiserve/http/erase_type.hpp>
#include <aiserve/http/rules.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace aiserve::inline v0::http {

template <class T>
class Description {
  static_assert(std::is_default_constructible_v<T>, "a described type is default constructible");

 public:
  /// In schemas; default: the type's own. Two types of one name are told apart by a number.
  Description& name(std::string name) {
    type_.name = std::move(name);
    return *this;
  }
  Description& about(std::string about) {
    type_.about = std::move(about);
    return *this;
  }
  Description& unknown(Unknown policy) {
    object_.unknown = policy;
    return *this;
  }

  /// A member of the JSON object that must be there. Of a std::optional: it may be null.
  template <class M, class B>
  requires std::derived_from<T, B> Description& required(std::string name, M B::*member,
                                                         const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::member, true, member, rules);
  }
  /// One that may be left out; it keeps its default then.
  template <class M, class B>
  requires std::derived_from<T, B> Description& optional(std::string name, M B::*member,
                                                         const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::member, false, member, rules);
  }

  /// A {name} of the route's pattern.
  template <class M, class B>
  requires std::derived_from<T, B> Description& path(std::string name, M B::*member,
                                                     const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::path, true, member, rules);
  }
  /// A query parameter, optional unless required_query(). A std::vector takes all of that name.
  template <class M, class B>
  requires std::derived_from<T, B> Description& query(std::string name, M B::*member,
                                                      const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::query, false, member, rules);
  }
  template <class M, class B>
  requires std::derived_from<T, B> Description& required_query(std::string name, M B::*member,
                                                               const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::query, true, member, rules);
  }
  /// A header field, in whatever case, optional unless required_header().
  template <class M, class B>
  requires std::derived_from<T, B> Description& header(std::string name, M B::*member,
                                                       const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::header, false, member, rules);
  }
  template <class M, class B>
  requires std::derived_from<T, B> Description& required_header(std::string name, M B::*member,
                                                                const RulesFor<M>& rules = {}) {
    return add(std::move(name), detail::Source::header, true, member, rules);
  }
  /// The JSON body as a whole, in place of required() and optional() members.
  template <class M, class B>
  requires std::derived_from<T, B> Description& body(M B::*member, const RulesFor<M>& rules = {}) {
    return add("body", detail::Source::body, true, member, rules);
  }

  /// What must hold between members; looked at when each of them is right.
  ///     d.check("end must not be before begin", [](const T& t) { return t.begin <= t.end; });
  template <std::predicate<const T&> F>
  Description& check(std::string message, F holds) {
    object_.invariants.push_back({std::move(message), [holds](const void* value) {
                                    return holds(*static_cast<const T*>(value));
                                  }});
    return *this;
  }

 private:
  friend struct detail::Describer<T>;

  template <class M, class B>
  Description& add(std::string name, detail::Source source, bool required, M B::*member,
                   const RulesFor<M>& rules) {
    const B& base = *probe_;
    const auto* const at = reinterpret_cast<const char*>(&(base.*member));
    const auto offset = static_cast<std::size_t>(at - reinterpret_cast<const char*>(probe_.get()));
    object_.fields.push_back(
        {std::move(name), source, required, offset, &detail::type_of<M>, detail::checks_of(rules)});
    return *this;
  }

  detail::DescribedType type_;
  detail::ObjectType object_;
  std::shared_ptr<const T> probe_ = std::make_shared<const T>();
};

/// Of an enum: its values as JSON strings.
///
///     enum class Size { small, large };
///     inline void describe(aiserve::http::Description<Size>& d) {
///       d.value("small", Size::small).value("large", Size::large);
///     }
template <class E>
requires std::is_enum_v<E>
class Description<E> {
 public:
  Description& name(std::string name) {
    type_.name = std::move(name);
    return *this;
  }
  Description& about(std::string about) {
    type_.about = std::move(about);
    return *this;
  }
  Description& value(std::string name, E value) {
    values_.emplace_back(std::move(name), static_cast<std::int64_t>(value));
    return *this;
  }

 private:
  friend struct detail::Describer<E>;
  detail::DescribedType type_;
  std::vector<std::pair<std::string, std::int64_t>> values_;
};

/// Of a variant of structs: a member of the object, its tag, says which it is. A variant without
/// description is told apart by the kind of JSON value (a number, a string, ...).
///
///     using Shape = std::variant<Circle, Square>;
///     inline void describe(aiserve::http::Description<Shape>& d) {
///       d.tag("kind").alternative<Circle>("circle").alternative<Square>("square");
///     }
template <class... A>
class Description<std::variant<A...>> {
 public:
  Description& name(std::string name) {
    type_.name = std::move(name);
    return *this;
  }
  Description& about(std::string about) {
    type_.about = std::move(about);
    return *this;
  }
  /// Best sent as the first member: what stands before it is read twice.
  Description& tag(std::string name) {
    variant_.tag = std::move(name);
    return *this;
  }
  /// In the order of the variant's types.
  template <class T>
  requires(std::same_as<T, A> || ...) Description& alternative(std::string name) {
    variant_.alternatives.push_back(
        {std::move(name), &detail::type_of<T>, &detail::emplace_alternative<T, A...>});
    return *this;
  }

 private:
  friend struct detail::Describer<std::variant<A...>>;
  detail::DescribedType type_;
  detail::VariantType variant_;
};

}  // namespace aiserve::inline v0::http
