/// Errors: one small vocabulary of codes that maps to HTTP status, retry and metric label.
///
/// An Error carries a code, a message that is safe to show to a caller, an optional delay after
/// which a retry makes sense, and an internal detail that only the log may show.
/// *Thread safety:* value types; share like an int.
///
///     return Error(Errc::overloaded, "the queue is full").retry_after(50ms);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {

/// When to use which:
enum class Errc : std::uint8_t {
  malformed,          ///< the bytes are not what their format says (unparsable JSON, bad framing)
  invalid_argument,   ///< well-formed, but the values are wrong (shape, range, unknown field)
  unauthenticated,    ///< no or invalid credentials
  permission_denied,  ///< known caller, not allowed
  not_found,          ///< no such thing for this tenant
  already_exists,     ///< creation of something that is there
  conflict,           ///< the state changed under the caller, or an operation is in flight
  too_large,          ///< over a configured size limit
  rate_limited,       ///< the caller is over its own rate or quota
  overloaded,         ///< this process has no room now; retry later
  unavailable,        ///< a dependency or the component is not there now
  deadline_exceeded,  ///< the deadline passed, or certainly will before the work could be done
  cancelled,          ///< the caller, or a shutdown, gave the work up
  unimplemented,      ///< not supported by this build or model
  internal,           ///< a bug or an unexpected failure; the message stays generic
  data_loss,          ///< stored data is missing or corrupt
};

/// One row of the table code -> HTTP status, retryable, metric label, problem type.
struct ErrcTraits {
  Errc code;
  int http_status;
  bool retryable;
  std::string_view label;         ///< snake_case, used as metric label and JSON code
  std::string_view title;         ///< short human title (RFC 9457 "title")
  std::string_view problem_type;  ///< RFC 9457 "type"
};

const ErrcTraits& traits(Errc code) noexcept;
std::span<const ErrcTraits> all_errc_traits() noexcept;

class [[nodiscard]] Error {
 public:
  /// Internal error with a generic message.
  Error() noexcept : Error(Errc::internal, "internal error") {}
  Error(Errc code, std::string message) noexcept : code_(code), message_(std::move(message)) {}

  Errc code() const noexcept { return code_; }
  /// Safe to show to the caller: never holds file names, SQL, addresses or exception texts.
  const std::string& message() const noexcept { return message_; }
  /// For the log only.
  const std::string& detail() const noexcept { return detail_; }
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    if (retry_after_.count() < 0) return std::nullopt;
    return retry_after_;
  }

  Error& with_detail(std::string detail) & noexcept {
    detail_ = std::move(detail);
    return *this;
  }
  Error with_detail(std::string detail) && noexcept {
    detail_ = std::move(detail);
    return std::move(*this);
  }
  Error& retry_after(std::chrono::milliseconds delay) & noexcept {
    retry_after_ = delay;
    return *this;
  }
  Error retry_after(std::chrono::milliseconds delay) && noexcept {
    retry_after_ = delay;
    return std::move(*this);
  }

  /// "code: message (detail)", for logs.
  std::string to_string() const;

 private:
  Errc code_;
  std::chrono::milliseconds retry_after_{-1};
  std::string message_;
  std::string detail_;
};

/// What Result<T>::value() throws. Host handlers may let it fly: every entry point catches it.
class ResultError : public std::exception {
 public:
  explicit ResultError(Error error) noexcept : error_(std::move(error)) {}
  const char* what() const noexcept override { return error_.message().c_str(); }
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// Thrown by constructors and wiring functions: the configuration cannot work. The message is
/// one line that names the option and what is wrong with it.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Prints "error: <message>" as one line on stderr and returns the exit status 2.
int report(const ConfigError& error) noexcept;

/// Turns the exception in flight into an Error: ResultError keeps its Error, everything else is
/// `internal` with the text of the exception as detail. Call inside a catch block only.
Error error_from_current_exception() noexcept;

}  // namespace aiserve::inline v0
