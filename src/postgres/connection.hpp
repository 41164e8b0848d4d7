// Connection: one connection to PostgreSQL, used by one thread at a time. Statements go out
// together and cost one round trip (libpq's pipeline mode). Every wait has an end: `until`, or the
// stop event. Throws PgError; a connection that broke is closed and opened again by open().
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <unordered_map>

#include "postgres/pg_error.hpp"
#include "postgres/values.hpp"

struct pg_conn;

namespace aiserve::inline v0::pg {

/// Of the machine, not of a ManualClock: what waits here is a socket.
using Until = std::chrono::steady_clock::time_point;

/// `sql` is a literal: its address is the key of the prepared statement.
struct Statement {
  const char* sql;
  Params params;
};

/// Ends a connection, unless it is somebody else's.
struct FinishConnection {
  void operator()(pg_conn* conn) const noexcept;
  bool owned = true;
};

class Connection {
 public:
  struct Options {
    std::string dsn;
    bool prepared = true;
    std::chrono::seconds connect_timeout{5};
    int stop_event = -1;  ///< readable: give up
  };
  explicit Connection(Options options) noexcept : options_(std::move(options)) {}
  /// One that is somebody else's, and stays open; it has to be non-blocking meanwhile. If it has to
  /// be given up in the middle of an answer, it is broken for its owner too.
  static Connection borrow(pg_conn* open) noexcept;

  /// Connects if it isn't.
  void open();
  bool is_open() const noexcept { return conn_ != nullptr; }
  void close() noexcept;

  /// Runs them in order, the answers in the same order. After the first that fails none is run.
  std::vector<Rows> run(std::span<const Statement> statements, Until until);
  /// Any number of statements without parameters, as an implicit transaction.
  void script(const std::string& sql, Until until);

  /// Until something came from the server, `event` is readable, or `until`.
  void await_input(int event, Until until);
  /// The payload of the next notification that has come.
  std::optional<std::string> notification();

 private:
  explicit Connection(pg_conn* borrowed) noexcept
      : options_{.dsn = {}, .prepared = false}, conn_(borrowed, FinishConnection{.owned = false}) {}

  void send(const Statement& statement);
  void send_prepare(const Statement& statement, const std::string& name);
  void flush(Until until);
  void wait(short events, Until until);
  Rows::Handle next(Until until);
  Rows::Handle take_until_sync(std::span<const Statement> sent, std::vector<Rows>& rows,
                               Until until);
  [[noreturn]] void lose(PgError::Kind kind, const std::string& why);

  const Options options_;
  std::unique_ptr<pg_conn, FinishConnection> conn_;
  std::unordered_map<const char*, std::string> prepared_;  // their names
  std::vector<const char*> being_prepared_;                // in the pipeline that is being sent
  std::uint64_t names_ = 0;
};

/// Nothing if libpq understands it. The text never holds what the DSN says: it may be a password.
std::optional<std::string> dsn_problem(const std::string& dsn);

}  // namespace aiserve::inline v0::pg
