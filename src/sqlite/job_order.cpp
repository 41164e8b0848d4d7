// The part of JobTransaction that says whose turn it is under an order key.
#include "decide/order_line.hpp"
#include "sqlite/job_transaction.hpp"

namespace aiserve::inline v0::detail {
namespace {

// The oldest ones: those that have their turn, then those that wait, but for redriven ones. If none
// of so many waits, nobody does, or all of them have their turn.
constexpr const char* kOldest =
    R"sql(SELECT blocked FROM job WHERE tenant = ?1 AND kind = ?2 AND order_key = ?3
          ORDER BY id LIMIT ?4)sql";
constexpr const char* kFirst =
    R"sql(SELECT id FROM job WHERE tenant = ?1 AND kind = ?2 AND order_key = ?3 AND blocked <> 0
          ORDER BY id LIMIT 1)sql";
constexpr const char* kInTurn =
    R"sql(SELECT count(*) FROM (
            SELECT 1 FROM job INDEXED BY job_in_turn
            WHERE tenant = ?1 AND kind = ?2 AND order_key = ?3 AND blocked = 0 LIMIT ?4))sql";

std::int64_t count_in_turn(Connection& connection, const JobRow& row, int most) {
  Query query(connection, kInTurn, row.tenant, row.kind, *row.order_key, most);
  return query.row() ? query.integer(0) : 0;
}

}  // namespace

void JobTransaction::join_line(JobRow& row, int order_concurrency) {
  decide::OrderLine line;
  Query oldest(connection_, kOldest, row.tenant, row.kind, *row.order_key, order_concurrency);
  while (oldest.row()) {
    line.waits = line.waits || oldest.integer(0) != 0;
    ++line.in_turn;
  }
  block(row, decide::join(line, order_concurrency));
}

void JobTransaction::rejoin_line(JobRow& row) {
  decide::OrderLine line{.in_turn = count_in_turn(connection_, row, decide::kMostTurns)};
  block(row, decide::rejoin(line));
}

std::optional<JobRow> JobTransaction::first_in_line(const JobRow& row) {
  Query query(connection_, kFirst, row.tenant, row.kind, *row.order_key);
  if (!query.row()) return std::nullopt;
  return find_open(connection_, row.tenant, JobId(query.integer(0)));
}

void JobTransaction::give_turns(const JobRow& finished) {
  std::optional<JobRow> next = first_in_line(finished);
  if (!next) return;
  decide::OrderLine line{.in_turn = count_in_turn(connection_, finished, next->blocked)};
  for (auto room = decide::room(line, next->blocked); room > 0; --room) {
    if (!decide::has_turn(line, next->blocked)) return;
    ++line.in_turn;
    next->blocked = 0;
    // Refused if its time has not come: then it is found when it has.
    if (!advance(*next, {.kind = decide::JobEventKind::due})) update_open(connection_, *next);
    next = first_in_line(finished);
    if (!next) return;
  }
}

}  // namespace aiserve::inline v0::detail
