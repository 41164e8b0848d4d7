/// Result<T>: a value or an Error.
///
/// SDK code and plug-ins return it; host handlers may call value(), which throws ResultError, and
/// the entry point that called them (HTTP session, job runner, worker) turns that into an answer.
/// Default-constructed it holds `internal`: a Result nobody filled is never a success.
/// *Thread safety:* a value; share like a std::string.
///
///     Result<int> parse(std::string_view text);
///     if (Result<int> n = parse("12"); n) use(*n); else log(n.error());
#pragma once

#include <aiserve/core/error.hpp>

#include <type_traits>
#include <utility>
#include <variant>

namespace aiserve::inline v0 {

template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_same_v<std::remove_cv_t<T>, Error>);

 public:
  using value_type = T;

  Result() noexcept : state_(std::in_place_index<0>) {}
  Result(Error error) noexcept : state_(std::in_place_index<0>, std::move(error)) {}
  template <class U = T>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> && std::is_convertible_v<U&&, T>)
      Result(U&& value)
      : state_(std::in_place_index<1>, std::forward<U>(value)) {}

  bool ok() const noexcept { return state_.index() == 1; }
  explicit operator bool() const noexcept { return ok(); }

  /// The value, or throws ResultError.
  T& value() & { return require(), *std::get_if<1>(&state_); }
  const T& value() const& { return require(), *std::get_if<1>(&state_); }
  T value() && { return require(), std::move(*std::get_if<1>(&state_)); }
  template <class U>
  T value_or(U&& fallback) const& {
    return ok() ? **this : static_cast<T>(std::forward<U>(fallback));
  }

  /// Precondition: ok().
  T& operator*() & noexcept { return *std::get_if<1>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<1>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<1>(&state_)); }
  T* operator->() noexcept { return std::get_if<1>(&state_); }
  const T* operator->() const noexcept { return std::get_if<1>(&state_); }

  /// Precondition: !ok().
  const Error& error() const& noexcept { return *std::get_if<0>(&state_); }
  Error& error() & noexcept { return *std::get_if<0>(&state_); }
  Error error() && noexcept { return std::move(*std::get_if<0>(&state_)); }

 private:
  void require() const {
    if (!ok()) throw ResultError(error());
  }

  std::variant<Error, T> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() noexcept : error_(Error()) {}
  Result(Error error) noexcept : error_(std::move(error)) {}
  static Result success() noexcept { return Result(Success{}); }

  bool ok() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return ok(); }
  /// Returns, or throws ResultError.
  void value() const {
    if (error_) throw ResultError(*error_);
  }
  /// Precondition: !ok().
  const Error& error() const& noexcept { return *error_; }
  Error error() && noexcept { return std::move(*error_); }

 private:
  struct Success {};
  explicit Result(Success) noexcept {}

  std::optional<Error> error_;
};

/// `return success();` from a function that returns Result<void>.
inline Result<void> success() noexcept { return Result<void>::success(); }

}  // namespace aiserve::inline v0
