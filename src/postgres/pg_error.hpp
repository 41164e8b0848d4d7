// PgError: why a statement or a connection failed, and what may be done about it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::pg {

class PgError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    server,     ///< the server refused the statement: sqlstate() says why
    lost,       ///< there is no connection, or it broke
    timed_out,  ///< the client's patience ended; the connection is closed
    stopped,    ///< the Runtime shuts down
  };

  /// A sqlstate, see appendix A of PostgreSQL's manual.
  static constexpr const char* kSerializationFailure = "40001";

  PgError(Kind kind, std::string sqlstate, const std::string& what)
      : std::runtime_error(what), kind_(kind), sqlstate_(std::move(sqlstate)) {}

  Kind kind() const noexcept { return kind_; }
  /// Five characters, empty if the server said nothing.
  const std::string& sqlstate() const noexcept { return sqlstate_; }

  /// Serialization failure or deadlock: the same transaction may succeed when run again.
  bool retryable() const noexcept;
  /// The connection is of no use any more: it broke, the server goes down, or it is a standby.
  bool unusable() const noexcept;
  /// What the statement did is not known: the server went away, or goes down.
  bool unheard() const noexcept;
  /// What a caller may know of it, and the rest as detail.
  Error to_error() const;

 private:
  Kind kind_;
  std::string sqlstate_;
};

}  // namespace aiserve::inline v0::pg
