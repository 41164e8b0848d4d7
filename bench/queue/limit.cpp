#include "queue/limit.hpp"

#include <stdexcept>

#include <sqlite3.h>

#include "queue/subject.hpp"

namespace bench {
namespace {

class File {
 public:
  explicit File(const std::string& name) {
    if (sqlite3_open(name.c_str(), &handle_) != SQLITE_OK) throw std::runtime_error("cannot open");
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    run("CREATE TABLE job (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT, kind TEXT, "
        "state INTEGER, run_at INTEGER, attempt INTEGER, worker INTEGER, input BLOB)");
    run("CREATE INDEX ready ON job (kind, tenant, run_at, id) WHERE state = 1");
    run("CREATE TABLE done (id INTEGER PRIMARY KEY, tenant TEXT, kind TEXT, state INTEGER, "
        "at INTEGER, result BLOB)");
  }
  ~File() { sqlite3_close_v2(handle_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(handle_));
    }
  }
  sqlite3* handle() const noexcept { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(const File& file, const char* sql) {
    if (sqlite3_prepare_v2(file.handle(), sql, -1, &statement_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(file.handle()));
    }
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void run(sqlite3_int64 number) {
    sqlite3_bind_int64(statement_, 1, number);
    while (sqlite3_step(statement_) == SQLITE_ROW) {
    }
    end();
  }
  /// The first column of every row.
  std::vector<sqlite3_int64> ids(int limit) {
    std::vector<sqlite3_int64> found;
    sqlite3_bind_int(statement_, 1, limit);
    while (sqlite3_step(statement_) == SQLITE_ROW) {
      found.push_back(sqlite3_column_int64(statement_, 0));
    }
    end();
    return found;
  }

 private:
  void end() {
    if (sqlite3_reset(statement_) == SQLITE_OK) return;
    throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(statement_)));
  }

  sqlite3_stmt* statement_ = nullptr;
};

constexpr const char* kInsert =
    "INSERT INTO job (tenant, kind, state, run_at, attempt, worker, input) "
    "VALUES ('t', 'noop', 1, ?1, 0, 0, x'')";

}  // namespace

double limit_jobs_per_s(const std::string& name, int jobs, int group) {
  File file(name);
  Statement insert(file, kInsert);
  Statement ready(file,
                  "SELECT id FROM job WHERE kind = 'noop' AND tenant = 't' AND state = 1 "
                  "ORDER BY run_at, id LIMIT ?1");
  Statement claim(file,
                  "UPDATE job SET state = 2, attempt = attempt + 1, worker = 7 WHERE id = ?1");
  Statement remove(file, "DELETE FROM job WHERE id = ?1 AND attempt = 1 AND worker = 7");
  Statement done(file, "INSERT INTO done VALUES (?1, 't', 'noop', 4, 0, x'')");
  const Clock::time_point begin = Clock::now();
  std::vector<sqlite3_int64> running;
  for (int finished = 0, inserted = 0; finished < jobs;) {
    file.run("BEGIN IMMEDIATE");
    for (const sqlite3_int64 id : running) {
      remove.run(id);
      done.run(id);
    }
    finished += static_cast<int>(running.size());
    for (int i = 0; i < group && inserted < jobs; ++i) insert.run(++inserted);
    running = ready.ids(group);
    for (const sqlite3_int64 id : running) claim.run(id);
    file.run("COMMIT");
  }
  return jobs / seconds_since(begin);
}

std::vector<double> bare_commit_seconds(const std::string& name, int count) {
  File file(name);
  Statement insert(file, kInsert);
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    const Clock::time_point begin = Clock::now();
    file.run("BEGIN IMMEDIATE");
    insert.run(i);
    file.run("COMMIT");
    seconds.push_back(seconds_since(begin));
  }
  return seconds;
}

}  // namespace bench
