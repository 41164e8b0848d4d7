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
// What a guest changes, and the host gets back.
constexpr const char* kSavepoint = R"sql(SAVEPOINT aiserve_guest)sql";
constexpr const char* kHostSettings =
    R"sql(SELECT current_setting('transaction_isolation') IN ('repeatable read', 'serializable'),
                 name, coalesce(current_setting(name, true), '')
          FROM unnest(ARRAY['aiserve.now', 'aiserve.tenant', 'statement_timeout', 'row_security',
            'enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin', 'jit',
            'role']) AS of (name))sql";
// As a role that may call what the next statement calls; the host's may not.
constexpr const char* kEnter =
    R"sql(SELECT set_config('role', 'aiserve_tenant', true),
                 set_config('row_security', 'on', true))sql";
constexpr const char* kPutBack =
    R"sql(SELECT set_config(convert_from(name, 'UTF8'), convert_from(value, 'UTF8'), true)
          FROM unnest($1::bytea[], $2::bytea[]) AS host (name, value))sql";
constexpr const char* kLeave = R"sql(RELEASE SAVEPOINT aiserve_guest)sql";
constexpr const char* kUndo = R"sql(ROLLBACK TO SAVEPOINT aiserve_guest)sql";
// The server gives up first, so that the connection stays.
constexpr std::chrono::milliseconds kGrace{1'000};
constexpr std::chrono::milliseconds kRollbackPatience{2'000};

}  // namespace

Transaction::Transaction(Connection& connection, Until until,
                         std::optional<std::int64_t> manual_now, int slot)
    : connection_(connection), until_(until), slot_(slot), guest_(false) {
  add(kBegin);
  add_settings(manual_now);
}

Transaction::Transaction(Guest /*guest*/, Connection& connection, Until until,
                         std::optional<std::int64_t> manual_now, int slot)
    : connection_(connection), until_(until), slot_(slot), guest_(true) {
  add(kSavepoint);
  add(kHostSettings);
  add(kEnter);
  add_settings(manual_now);
}

void Transaction::add_settings(std::optional<std::int64_t> manual_now) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until_ - std::chrono::steady_clock::now());
  const std::string timeout =
      std::to_string(std::clamp<std::int64_t>(left.count(), 1, 2'000'000'000));
  add(kSettings, Text{manual_now ? std::to_string(*manual_now) : std::string()}, Text{timeout});
  opening_ = gathered_.size();
}

Transaction::~Transaction() {
  if (!began_ || committed_ || !connection_.is_open()) return;
  std::vector<Statement> undo{{guest_ ? kUndo : kRollback, Params()}};
  if (guest_) undo.push_back({kLeave, Params()});
  try {
    connection_.run(undo, std::chrono::steady_clock::now() + kRollbackPatience);
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

void Transaction::add_end() {
  if (!guest_) {
    add(kCommit);
    return;
  }
  std::vector<std::string_view> names;
  std::vector<std::string_view> values;
  for (int i = 0; i < host_settings_.size(); ++i) {
    names.push_back(host_settings_.text(i, 1));
    values.push_back(host_settings_.text(i, 2));
  }
  add(kPutBack, names, values);
  add(kLeave);
}

void Transaction::take_opening(std::vector<Rows>& rows) {
  now_ = rows[opening_ - 1].integer(0, 0);
  if (!guest_) return;
  host_settings_ = std::move(rows[1]);
  sees_the_past_ = host_settings_.integer(0, 0) != 0;
}

std::vector<Rows> Transaction::flush() {
  if (finish_) add_end();
  const std::vector<Statement> sent = std::exchange(gathered_, {});
  if (sent.empty()) return {};
  const bool opening = !std::exchange(began_, true);
  committing_ = finish_;
  std::vector<Rows> rows = connection_.run(sent, until_ + kGrace);
  committed_ = finish_;
  if (opening) take_opening(rows);
  return rows;
}

void Transaction::commit() {
  if (committed_) return;
  finish_ = true;
  flush();
}

}  // namespace aiserve::inline v0::pg
