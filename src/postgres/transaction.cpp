#include "postgres/transaction.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

constexpr const char* kBegin = R"sql(BEGIN)sql";
constexpr const char* kCommit = R"sql(COMMIT)sql";
constexpr const char* kRollback = R"sql(ROLLBACK)sql";
// All of it ends with the transaction (SET LOCAL), so that a pooler may sit in between. Every
// statement has its index: what the statistics say of tables that fill and empty all the time must
// not talk the planner into reading them whole.
constexpr const char* kSettings =
    R"sql(SELECT aiserve.now_ns(), set_config('statement_timeout', $2, true),
                 set_config('aiserve.tenant', '', true), set_config('enable_seqscan', 'off', true),
                 set_config('enable_bitmapscan', 'off', true),
                 set_config('enable_hashjoin', 'off', true),
                 set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)
          FROM set_config('aiserve.now', $1, true))sql";
constexpr const char* kTenant =
    R"sql(SELECT set_config('role', 'aiserve_tenant', true),
                 set_config('aiserve.tenant', 'x' || encode($1, 'hex'), true))sql";
constexpr const char* kDispatcher =
    R"sql(SELECT set_config('role', 'aiserve_dispatcher', true),
                 set_config('aiserve.tenant', '', true))sql";
constexpr const char* kRelay =
    R"sql(SELECT set_config('role', 'aiserve_relay', true),
                 set_config('aiserve.tenant', '', true))sql";
constexpr const char* kRelax = R"sql(SELECT set_config('synchronous_commit', 'off', true))sql";
constexpr std::size_t kOpening = 2;
// The server gives up first, so that the connection stays.
constexpr std::chrono::milliseconds kGrace{1'000};
constexpr std::chrono::milliseconds kRollbackPatience{2'000};

}  // namespace

Transaction::Transaction(Connection& connection, Until until,
                         std::optional<std::int64_t> manual_now, int slot)
    : connection_(connection), until_(until), slot_(slot) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  const std::string timeout =
      std::to_string(std::clamp<std::int64_t>(left.count(), 1, 2'000'000'000));
  add(kBegin);
  add(kSettings, Text{manual_now ? std::to_string(*manual_now) : std::string()}, Text{timeout});
}

Transaction::~Transaction() {
  if (!began_ || committed_ || !connection_.is_open()) return;
  try {
    const Statement rollback{kRollback, Params()};
    connection_.run(std::span(&rollback, 1), std::chrono::steady_clock::now() + kRollbackPatience);
  } catch (const PgError&) {
    connection_.close();
  }
}

void Transaction::as_tenant(const TenantId& tenant) { add(kTenant, tenant); }
void Transaction::as_dispatcher() { add(kDispatcher); }
void Transaction::as_relay() { add(kRelay); }
void Transaction::relax() { add(kRelax); }

void Transaction::finish_with_next(bool harmless) noexcept {
  finish_ = true;
  harmless_ = harmless;
}

std::vector<Rows> Transaction::flush() {
  if (finish_) add(kCommit);
  const std::vector<Statement> sent = std::exchange(gathered_, {});
  if (sent.empty()) return {};
  const bool opening = !std::exchange(began_, true);
  committing_ = finish_;
  std::vector<Rows> rows = connection_.run(sent, until_ + kGrace);
  committed_ = finish_;
  if (opening) now_ = rows[kOpening - 1].integer(0, 0);
  return rows;
}

void Transaction::commit() {
  if (committed_) return;
  finish_ = true;
  flush();
}

}  // namespace aiserve::inline v0::pg
