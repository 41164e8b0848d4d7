#include "postgres/guest_enqueue.hpp"

#include <algorithm>
#include <array>

#include <libpq-fe.h>

namespace aiserve::inline v0::pg {
namespace {

constexpr int kTries = 3;

Error unfit(const char* why) { return {Errc::invalid_argument, why}; }

/// Why nothing can be done on it.
std::optional<Error> problem(const pg_conn* connection) {
  if (connection == nullptr) return unfit("there is no connection");
  if (PQstatus(connection) != CONNECTION_OK) {
    return Error(Errc::unavailable, "the connection is broken");
  }
  if (PQpipelineStatus(connection) != PQ_PIPELINE_OFF) {
    return unfit("the connection is in pipeline mode");
  }
  switch (PQtransactionStatus(connection)) {
    case PQTRANS_INTRANS:
      return std::nullopt;
    case PQTRANS_INERROR:
      return unfit("the connection's transaction has failed");
    case PQTRANS_ACTIVE:
      return unfit("a statement runs on the connection");
    default:
      return unfit("the connection is not in a transaction");
  }
}

/// What others commit meanwhile decides over these jobs.
bool look_at_others(std::span<const NewJob> jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const NewJob& job) {
    return !job.order_key.empty() || job.max_waiting > 0;
  });
}

Error as_seen_by_host(const PgError& error) {
  const std::string& state = error.sqlstate();
  // No such schema, table, function, role.
  for (const char* missing : {"3F000", "42P01", "42883", "22023"}) {
    if (state == missing) return unfit("the connection's database has no job store");
  }
  if (state == "25006") return unfit("the connection's transaction is read-only");
  if (state == "42501") {
    return Error(Errc::permission_denied, "the connection's login may not enqueue")
        .with_detail(error.what());
  }
  return error.to_error();
}

/// Non-blocking, as long as it lives.
class Loan {
 public:
  explicit Loan(pg_conn* connection) noexcept
      : connection_(connection), before_(PQisnonblocking(connection)) {
    PQsetnonblocking(connection_, 1);
  }
  ~Loan() { PQsetnonblocking(connection_, before_); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

 private:
  pg_conn* connection_;
  int before_;
};

Result<std::vector<Enqueued>> enqueue_once(PostgresCore& core, pg_conn* connection,
                                           std::span<const NewJob> jobs) {
  const int slot = kOwnSlots + PQbackendPID(connection) % kGuestSlots;
  Connection borrowed = Connection::borrow(connection);
  Transaction transaction(Transaction::Guest{}, borrowed,
                          std::chrono::steady_clock::now() + core.options().timeout,
                          core.manual_now(), slot);
  transaction.flush();
  if (transaction.sees_the_past() && look_at_others(jobs)) {
    return unfit("order keys and max_waiting need a transaction that is READ COMMITTED");
  }
  const std::array<std::span<const NewJob>, 1> requests{jobs};
  JobTransaction work(transaction);
  return std::move(*work.enqueue(requests, Patience::full).front());
}

}  // namespace

Result<std::vector<Enqueued>> enqueue_as_guest(PostgresCore& core, pg_conn* connection,
                                               std::span<const NewJob> jobs) {
  if (auto unusable = problem(connection)) return std::move(*unusable);
  const Loan loan(connection);
  for (int tries = 1;; ++tries) {
    try {
      return enqueue_once(core, connection, jobs);
    } catch (const PgError& error) {
      // What was done is undone, and nobody else's work with it.
      if (!error.retryable() || tries == kTries) return as_seen_by_host(error);
    }
  }
}

}  // namespace aiserve::inline v0::pg
