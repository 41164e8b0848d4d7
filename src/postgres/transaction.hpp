// Transaction: one transaction on a Connection. Statements are gathered and go out together, the
// first ones with BEGIN, the last ones with COMMIT: most operations cost one or two round trips.
// Throws PgError.
#pragma once

#include "postgres/connection.hpp"

namespace aiserve::inline v0::pg {

/// Rows that transactions of one queue are counted in, so that they don't wait for each other:
/// those of the library, and those of hosts, which may take long.
inline constexpr int kOwnSlots = 64;
inline constexpr int kGuestSlots = 192;

class Transaction {
 public:
  /// `manual_now` replaces the server's clock, in ns: for simulated runtimes.
  Transaction(Connection& connection, Until until, std::optional<std::int64_t> manual_now,
              int slot = 0);
  /// A part of a transaction that somebody else began and will end. It goes on as it was: settings
  /// are put back, and without commit() nothing was done.
  struct Guest {};
  Transaction(Guest guest, Connection& connection, Until until,
              std::optional<std::int64_t> manual_now, int slot);
  /// Rolls back what was not committed.
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// From here on statements see this tenant's rows only.
  void as_tenant(const TenantId& tenant);
  /// ... what waits and runs of all tenants, but no input, result or value.
  void as_dispatcher();
  /// ... events only, of all tenants.
  void as_relay();
  /// COMMIT doesn't wait for the disk: for what may be undone by a crash of the server.
  void relax();

  /// Gathers a statement. Returns its index in what flush() returns.
  template <class... Args>
  std::size_t add(const char* sql, const Args&... args) {
    gathered_.push_back({sql, Params(args...)});
    return gathered_.size() - 1;
  }
  /// Sends what was gathered.
  std::vector<Rows> flush();
  /// add() and flush() for a single answer.
  template <class... Args>
  Rows query(const char* sql, const Args&... args) {
    const std::size_t index = add(sql, args...);
    return std::move(flush()[index]);
  }
  /// The next flush() commits. `harmless`: the transaction only read.
  void finish_with_next(bool harmless = false) noexcept;
  void commit();

  bool began() const noexcept { return began_; }
  /// The server's clock at the beginning, ns since 1970; known after the first flush().
  std::int64_t now() const noexcept { return now_; }
  /// Of a guest's host, known after the first flush(): statements do not see what is committed now.
  bool sees_the_past() const noexcept { return sees_the_past_; }
  /// Spreads rows that everybody counts in.
  int slot() const noexcept { return slot_; }
  /// COMMIT was sent: if the connection breaks now, nobody knows what became of it.
  bool in_doubt() const noexcept { return committing_ && !committed_ && !harmless_; }

 private:
  void add_settings(std::optional<std::int64_t> manual_now);
  void add_end();
  void take_opening(std::vector<Rows>& rows);

  Connection& connection_;
  const Until until_;
  const int slot_;
  const bool guest_;
  std::size_t opening_ = 0;  // statements
  Rows host_settings_;
  std::vector<Statement> gathered_;
  std::int64_t now_ = 0;
  bool sees_the_past_ = false;
  bool began_ = false;
  bool finish_ = false;
  bool harmless_ = false;
  bool committing_ = false;
  bool committed_ = false;
};

}  // namespace aiserve::inline v0::pg
