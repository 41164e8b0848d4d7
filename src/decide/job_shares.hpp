// JobShares: how far each tenant was served, in measured cost per weight. Pure.
//
// Start-time fair queueing as in the batcher (fair_tenants.hpp), but what a job costs is known only
// when it has run: at its start the tenant is charged the mean of its kind, at its settlement the
// difference to what was measured. A tenant that comes back from idleness, or from a limit of its
// own, starts at the virtual time: what it did not use is nobody's debt.
//
//   JobShares shares;
//   shares.wake("acme", 2.0);
//   const double charged = shares.started("acme", "render");
//   shares.settled("acme", "render", charged, 1.7);  // seconds, tokens: one unit for all kinds
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aiserve::inline v0::decide {

class JobShares {
 public:
  /// Tenants that are remembered while they have nothing to run.
  static constexpr std::size_t kMaxIdle = 1024;

  /// The tenant has jobs that could run. `weight` > 0 and finite.
  void wake(std::string_view tenant, double weight);
  /// It has none. Forgets it if that costs it or others nothing.
  void rest(std::string_view tenant);
  /// All but those that were woken since the last call rest.
  void end_round();

  /// What is expected of a job: the mean of its kind, or of all kinds, or 1.
  double expected_cost(std::string_view kind) const noexcept;
  /// How far a tenant is; the least goes first. The virtual time if it is unknown.
  double tag(std::string_view tenant) const noexcept;

  /// Charges the tenant, and returns what: give that back to settled() or returned().
  double started(std::string_view tenant, std::string_view kind);
  /// `measured` > 0 and finite, else it is as if it was what was charged.
  void settled(std::string_view tenant, std::string_view kind, double charged, double measured);
  /// The job did not run after all.
  void returned(std::string_view tenant, double charged) noexcept;

  std::size_t size() const noexcept { return tenants_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  template <class T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  struct Share {
    double tag = 0;
    double weight = 1;
    bool awake = false;
    bool woken = false;  // in this round
  };
  struct Mean {
    double value = 0;
    double count = 0;  // fades
    void add(double cost) noexcept;
  };

  void forget_idle();

  Map<Share> tenants_;
  Map<Mean> kinds_;
  Mean all_;
  double virtual_time_ = 0;
  std::size_t awake_ = 0;
};

}  // namespace aiserve::inline v0::decide
