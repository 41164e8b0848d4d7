#include "postgres/connection.hpp"

#include <algorithm>
#include <array>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

namespace aiserve::inline v0::pg {
namespace {

using Kind = PgError::Kind;

int timeout_ms(Until until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

PgError server_error(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  // Without a state it is libpq that speaks: the connection broke.
  if (state == nullptr) return {Kind::lost, "", PQresultErrorMessage(result)};
  return {Kind::server, state, text == nullptr ? "" : text};
}

bool good(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

void ignore_notice(void* /*unused*/, const PGresult* /*notice*/) {}

}  // namespace

void FinishConnection::operator()(pg_conn* conn) const noexcept {
  if (owned) PQfinish(conn);
}

Connection Connection::borrow(pg_conn* open) noexcept { return Connection(open); }

void Connection::open() {
  if (conn_) return;
  const std::string timeout = std::to_string(options_.connect_timeout.count());
  const std::string user_timeout = std::to_string(options_.connect_timeout.count() * 2'000);
  // What stands before dbname is a default, which the DSN may override.
  const std::array<const char*, 8> names{"application_name",
                                         "client_encoding",
                                         "target_session_attrs",
                                         "connect_timeout",
                                         "tcp_user_timeout",
                                         "keepalives_idle",
                                         "dbname",
                                         nullptr};
  const std::array<const char*, 8> values{"aiserve",
                                          "UTF8",
                                          "read-write",
                                          timeout.c_str(),
                                          user_timeout.c_str(),
                                          "30",
                                          options_.dsn.c_str(),
                                          nullptr};
  conn_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  if (PQstatus(conn_.get()) != CONNECTION_OK) lose(Kind::lost, PQerrorMessage(conn_.get()));
  PQsetNoticeReceiver(conn_.get(), &ignore_notice, nullptr);
  PQsetnonblocking(conn_.get(), 1);
}

void Connection::close() noexcept {
  conn_.reset();
  prepared_.clear();
  being_prepared_.clear();
}

void Connection::lose(Kind kind, const std::string& why) {
  // An answer that nobody waits for any more must not be taken for the next one.
  if (conn_ && !conn_.get_deleter().owned) ::shutdown(PQsocket(conn_.get()), SHUT_RDWR);
  close();
  throw PgError(kind, "", why);
}

void Connection::wait(short events, Until until) {
  std::array<pollfd, 2> polled{
      {{PQsocket(conn_.get()), events, 0}, {options_.stop_event, POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(polled.data(), polled.size(), timeout_ms(until));
    if (polled[1].revents != 0) lose(Kind::stopped, "shutdown");
    if (ready > 0) return;
    if (ready == 0) lose(Kind::timed_out, "no answer in time");
  }
}

void Connection::flush(Until until) {
  for (;;) {
    const int rest = PQflush(conn_.get());
    if (rest == 0) return;
    if (rest < 0) lose(Kind::lost, PQerrorMessage(conn_.get()));
    // The server may want to be read before it reads on.
    wait(POLLIN | POLLOUT, until);
    if (PQconsumeInput(conn_.get()) == 0) lose(Kind::lost, PQerrorMessage(conn_.get()));
  }
}

Rows::Handle Connection::next(Until until) {
  while (PQisBusy(conn_.get()) != 0) {
    wait(POLLIN, until);
    if (PQconsumeInput(conn_.get()) == 0) lose(Kind::lost, PQerrorMessage(conn_.get()));
  }
  return Rows::Handle(PQgetResult(conn_.get()));
}

void Connection::send_prepare(const Statement& statement, const std::string& name) {
  const Params& params = statement.params;
  if (PQsendPrepare(conn_.get(), name.c_str(), statement.sql, params.size(), params.types()) == 0) {
    lose(Kind::lost, PQerrorMessage(conn_.get()));
  }
  being_prepared_.push_back(statement.sql);
}

void Connection::send(const Statement& statement) {
  const Params& params = statement.params;
  const std::vector<const char*> values = params.values();
  const std::vector<int> formats = params.formats();
  int sent = 0;
  if (options_.prepared) {
    const auto [entry, first] = prepared_.try_emplace(statement.sql);
    if (first) {
      entry->second = "aiserve_" + std::to_string(++names_);
      send_prepare(statement, entry->second);
    }
    sent = PQsendQueryPrepared(conn_.get(), entry->second.c_str(), params.size(), values.data(),
                               params.lengths(), formats.data(), 1);
  } else {
    sent = PQsendQueryParams(conn_.get(), statement.sql, params.size(), params.types(),
                             values.data(), params.lengths(), formats.data(), 1);
  }
  if (sent == 0) lose(Kind::lost, PQerrorMessage(conn_.get()));
}

// Returns the first result that is an error, if there is one.
Rows::Handle Connection::take_until_sync(std::span<const Statement> sent, std::vector<Rows>& rows,
                                         Until until) {
  Rows::Handle failed;
  std::vector<const char*> preparing = std::exchange(being_prepared_, {});
  std::size_t prepared = 0;
  for (std::size_t i = 0; i < sent.size();) {
    Rows::Handle result = next(until);
    if (PQstatus(conn_.get()) == CONNECTION_BAD) break;
    if (!result) continue;  // ends what one statement returned
    const bool of_prepare = prepared < preparing.size() && preparing[prepared] == sent[i].sql;
    if (!good(result.get()) && !failed && PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      failed = std::move(result);
    } else if (good(result.get()) && !of_prepare) {
      rows.emplace_back(std::move(result));
    }
    if (failed && of_prepare) prepared_.erase(sent[i].sql);
    if (of_prepare) {
      ++prepared;
    } else {
      ++i;
    }
  }
  return failed;
}

std::vector<Rows> Connection::run(std::span<const Statement> statements, Until until) {
  if (!conn_) throw PgError(Kind::lost, "", "not connected");
  PQenterPipelineMode(conn_.get());
  for (const Statement& statement : statements) send(statement);
  if (PQpipelineSync(conn_.get()) == 0) lose(Kind::lost, PQerrorMessage(conn_.get()));
  flush(until);
  std::vector<Rows> rows;
  rows.reserve(statements.size());
  const Rows::Handle failed = take_until_sync(statements, rows, until);
  if (PQstatus(conn_.get()) == CONNECTION_BAD) lose(Kind::lost, PQerrorMessage(conn_.get()));
  for (;;) {
    const Rows::Handle sync = next(until);
    if (sync && PQresultStatus(sync.get()) == PGRES_PIPELINE_SYNC) break;
    if (PQstatus(conn_.get()) == CONNECTION_BAD) lose(Kind::lost, PQerrorMessage(conn_.get()));
  }
  PQexitPipelineMode(conn_.get());
  if (!failed) return rows;
  if (server_error(failed.get()).unusable() && conn_.get_deleter().owned) close();
  throw server_error(failed.get());
}

void Connection::script(const std::string& sql, Until until) {
  if (!conn_) throw PgError(Kind::lost, "", "not connected");
  if (PQsendQuery(conn_.get(), sql.c_str()) == 0) {
    lose(Kind::lost, PQerrorMessage(conn_.get()));
  }
  flush(until);
  Rows::Handle failed;
  while (Rows::Handle result = next(until)) {
    if (!good(result.get()) && !failed) failed = std::move(result);
  }
  if (PQstatus(conn_.get()) == CONNECTION_BAD) lose(Kind::lost, PQerrorMessage(conn_.get()));
  if (failed) throw server_error(failed.get());
}

void Connection::await_input(int event, Until until) {
  if (!conn_) throw PgError(Kind::lost, "", "not connected");
  std::array<pollfd, 3> polled{
      {{PQsocket(conn_.get()), POLLIN, 0}, {options_.stop_event, POLLIN, 0}, {event, POLLIN, 0}}};
  ::poll(polled.data(), polled.size(), timeout_ms(until));
  if (polled[1].revents != 0) lose(Kind::stopped, "shutdown");
  if (polled[0].revents == 0) return;
  if (PQconsumeInput(conn_.get()) == 0) lose(Kind::lost, PQerrorMessage(conn_.get()));
}

std::optional<std::string> Connection::notification() {
  struct Free {
    void operator()(PGnotify* notify) const noexcept { PQfreemem(notify); }
  };
  const std::unique_ptr<PGnotify, Free> next(PQnotifies(conn_.get()));
  if (!next) return std::nullopt;
  return next->extra;
}

std::optional<std::string> dsn_problem(const std::string& dsn) {
  struct Free {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
  };
  const std::unique_ptr<PQconninfoOption, Free> parsed(PQconninfoParse(dsn.c_str(), nullptr));
  if (parsed) return std::nullopt;
  return "is neither key=value pairs nor a postgresql:// URI that libpq understands";
}

}  // namespace aiserve::inline v0::pg
