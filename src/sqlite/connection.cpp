#include "sqlite/connection.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr int kLogPages = 4000;  // from there on a commit brings them into the file

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
  database_->exec("PRAGMA synchronous = NORMAL");
  full_sync_ = options.full_sync;
  wait_for_disk(true);
  sqlite3_wal_hook(handle(), &Connection::committed, this);
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

void Connection::wait_for_disk(bool wait) {
  wait = wait && full_sync_;
  if (wait == waits_) return;
  database_->exec(wait ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  waits_ = wait;
}

void Connection::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

// SQLite does the same by itself, and tells nobody that it failed.
int Connection::committed(void* self, sqlite3*, const char* name, int pages) noexcept {
  if (pages < kLogPages) return SQLITE_OK;
  auto& connection = *static_cast<Connection*>(self);
  const int code = sqlite3_wal_checkpoint_v2(connection.handle(), name, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if ((code & 0xff) == SQLITE_IOERR) connection.disk_failed_ = true;
  return SQLITE_OK;  // anything else would be the error of the commit, which is done
}

bool Connection::begin_log() noexcept {
  const int code =
      sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  if (code != SQLITE_OK || log == nullptr || log->pMethods == nullptr) return false;
  // An old log that came back would be played over the newer file.
  return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK;
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
