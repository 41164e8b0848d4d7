// The part of JobTransaction that keeps the history of finished jobs in tables of a day or more.
#include "postgres/job_transaction.hpp"
#include "postgres/store_options.hpp"

namespace aiserve::inline v0::pg {
namespace {

// Of many processes one does it.
constexpr const char* kAlone = R"sql(SELECT pg_try_advisory_xact_lock($1))sql";
constexpr const char* kMakeDays = R"sql(SELECT aiserve.make_job_tables($1::integer))sql";
constexpr const char* kDropDay = R"sql(SELECT aiserve.drop_job_day(aiserve.now_ns() - $1))sql";
// Of the next table that goes, how many jobs go with it; no more are counted than soon can be.
constexpr const char* kOldDay =
    R"sql(SELECT (SELECT count(*) FROM (
                    SELECT FROM aiserve.job_done
                    WHERE finished_at >= day.since AND finished_at < day.until
                    LIMIT 100000) AS jobs)
          FROM aiserve.job_day AS day WHERE day.until <= aiserve.now_ns() - $1
          ORDER BY day.until LIMIT 1)sql";

}  // namespace

int JobTransaction::keep_days(std::chrono::milliseconds retention) {
  transaction_.as_dispatcher();
  if (transaction_.query(kAlone, lock_of("job days")).integer(0, 0) == 0) return 0;
  const std::int64_t kept = later(0, retention);
  // Counted before the day is locked: that may take a while, and waits for nobody.
  const Rows old = transaction_.query(kOldDay, kept);
  std::optional<std::size_t> dropped;
  if (!old.empty()) dropped = transaction_.add(kDropDay, kept);
  transaction_.add(kMakeDays, days_per_table(retention));
  transaction_.finish_with_next();
  const std::vector<Rows> answers = transaction_.flush();
  const bool gone = dropped && answers[*dropped].integer(0, 0) != 0;
  return gone ? static_cast<int>(old.integer(0, 0)) : 0;
}

}  // namespace aiserve::inline v0::pg
