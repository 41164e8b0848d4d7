// Connection: one connection to a SQLite file with its prepared statements, used by one thread at a
// time. Query is one use of a statement. Both throw SQLite::Exception; to_error() makes Errors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/tenant.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace aiserve::inline v0::detail {

class Connection {
 public:
  struct Options {
    bool full_sync = true;
    int busy_timeout_ms = 0;
    std::uint64_t max_size = 0;  ///< bytes, 0: no limit
  };
  /// Opens or creates the file, in WAL mode.
  Connection(const std::string& path, const Options& options);
  /// A host's connection in the middle of a transaction: neither is touched but by statements.
  explicit Connection(sqlite3* borrowed) noexcept : handle_(borrowed) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Not of a borrowed one.
  SQLite::Database& database() noexcept { return *database_; }
  sqlite3* handle() const noexcept { return handle_; }
  /// The kept statement of this text. `sql` is a literal: its address is the key.
  sqlite3_stmt* prepared(const char* sql);
  /// Rows changed since it was opened.
  std::int64_t changes() const noexcept;
  std::int64_t last_id() const noexcept;
  bool in_transaction() const noexcept;
  /// Whether the next commits wait for the disk: with full_sync, yes by default. What does not is
  /// on disk after the next one that does, in order. Not inside a transaction.
  void wait_for_disk(bool wait);
  /// If there is one; never throws.
  void rollback() noexcept;
  /// Brings the log into the file and empties it, on disk. False: it failed, or others read.
  bool begin_log() noexcept;
  /// Whether the disk failed under a commit that succeeded, since it was asked last: while the log
  /// was brought into the file.
  bool disk_failed() noexcept { return std::exchange(disk_failed_, false); }

 private:
  static int committed(void* self, sqlite3*, const char* name, int pages) noexcept;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

  std::optional<SQLite::Database> database_;
  sqlite3* handle_;
  bool full_sync_ = false;
  bool waits_ = false;  // for the disk
  bool disk_failed_ = false;
  std::unordered_map<const char*, Prepared> statements_;
};

class Query {
 public:
  /// Binds the arguments to ?1, ?2, ...: numbers, text, TenantId, Bytes (a blob), an empty optional
  /// (NULL). They live until the Query has ended.
  template <class... Args>
  Query(Connection& connection, const char* sql, const Args&... args)
      : connection_(connection), statement_(connection.prepared(sql)) {
    int position = 0;
    (bind(++position, args), ...);
  }
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Steps to the next row; false after the last.
  bool row();
  /// For statements without rows. Returns the number of rows it changed.
  int run();

  std::int64_t integer(int column) const noexcept;
  double real(int column) const noexcept;
  bool null(int column) const noexcept;
  /// Valid until the next row.
  std::string_view text(int column) const noexcept;
  std::string string(int column) const { return std::string(text(column)); }
  Bytes bytes(int column) const;

 private:
  template <class T>
  requires std::is_integral_v<T>
  void bind(int position, T value) { bind_integer(position, static_cast<std::int64_t>(value)); }
  void bind(int position, double value);
  void bind(int position, std::string_view text);
  void bind(int position, const std::string& text) { bind(position, std::string_view(text)); }
  void bind(int position, const TenantId& tenant) { bind(position, tenant.view()); }
  void bind(int position, const Bytes& bytes);
  template <class T>
  void bind(int position, const std::optional<T>& value) {
    if (value) bind(position, *value);
  }
  void bind_integer(int position, std::int64_t value);
  void require(int code);

  Connection& connection_;
  sqlite3_stmt* statement_;
};

/// What a caller may know of it, and the rest as detail.
Error to_error(const SQLite::Exception& error);

}  // namespace aiserve::inline v0::detail
