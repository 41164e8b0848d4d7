#include "sqlite/connection.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::uint64_t kPage = 4096;

// The change of the journal's mode does not ask the busy handler.
void enter_wal(SQLite::Database& database, int patience_ms) {
  for (int waited = 0;; ++waited) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() != SQLITE_BUSY || waited >= std::max(patience_ms, 5'000)) throw;
    }
    sqlite3_sleep(1);
  }
}

}  // namespace

Connection::Connection(const std::string& path, const Options& options)
    : database_(std::in_place, path,
                SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                options.busy_timeout_ms),
      handle_(database_->getHandle()) {
  enter_wal(*database_, options.busy_timeout_ms);
  database_->exec(options.full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  database_->exec("PRAGMA wal_autocheckpoint = 4000");
  database_->exec("PRAGMA journal_size_limit = 67108864");
  database_->exec("PRAGMA foreign_keys = OFF");
  database_->exec("PRAGMA trusted_schema = OFF");
  if (options.max_size > 0) {
    // SQLite counts them in 32 bits.
    const std::uint64_t pages = std::min<std::uint64_t>(options.max_size / kPage, 0xfffffffe);
    database_->exec("PRAGMA max_page_count = " + std::to_string(pages));
  }
}

Connection::~Connection() {
  if (database_) rollback();
}

void Connection::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

sqlite3_stmt* Connection::prepared(const char* sql) {
  Prepared& slot = statements_[sql];
  if (!slot) {
    sqlite3_stmt* made = nullptr;
    const int code =
        sqlite3_prepare_v3(handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) throw SQLite::Exception(handle(), code);
    slot.reset(made);
  }
  return slot.get();
}

std::int64_t Connection::changes() const noexcept { return sqlite3_total_changes64(handle()); }

std::int64_t Connection::last_id() const noexcept { return sqlite3_last_insert_rowid(handle()); }

bool Connection::in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }

void Connection::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::require(int code) {
  if (code != SQLITE_OK) throw SQLite::Exception(connection_.handle(), code);
}

bool Query::row() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    throw SQLite::Exception(connection_.handle(), code);
  }
  return code == SQLITE_ROW;
}

int Query::run() {
  while (row()) {
  }
  return sqlite3_changes(connection_.handle());
}

std::int64_t Query::integer(int column) const noexcept {
  return sqlite3_column_int64(statement_, column);
}

double Query::real(int column) const noexcept { return sqlite3_column_double(statement_, column); }

bool Query::null(int column) const noexcept {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view Query::text(int column) const noexcept {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return {static_cast<const char*>(data), size};
}

Bytes Query::bytes(int column) const { return Bytes::copy(text(column)); }

void Query::bind_integer(int position, std::int64_t value) {
  require(sqlite3_bind_int64(statement_, position, value));
}

void Query::bind(int position, double value) {
  require(sqlite3_bind_double(statement_, position, value));
}

// In both: a null pointer would be NULL instead of empty.
void Query::bind(int position, std::string_view text) {
  require(sqlite3_bind_text64(statement_, position, text.empty() ? "" : text.data(), text.size(),
                              SQLITE_STATIC, SQLITE_UTF8));
}

void Query::bind(int position, const Bytes& bytes) {
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  require(sqlite3_bind_blob64(statement_, position, data, bytes.size(), SQLITE_STATIC));
}

Error to_error(const SQLite::Exception& error) {
  using std::chrono::seconds;
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
      return Error(Errc::overloaded, "the store has no room on its disk")
          .retry_after(seconds(1))
          .with_detail(error.what());
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Errc::unavailable, "the store is held by another process")
          .retry_after(seconds(1))
          .with_detail(error.what());
    case SQLITE_TOOBIG:
      return Error(Errc::too_large, "the value is larger than the store takes");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(Errc::data_loss, "the store is damaged").with_detail(error.what());
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return Error().with_detail(std::string("sqlite: ") + error.what());
    default:
      return Error(Errc::unavailable, "the store cannot be used").with_detail(error.what());
  }
}

}  // namespace aiserve::inline v0::detail
