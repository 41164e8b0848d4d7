// InvalidationLog: which of the things that are cached have been declared dead, in O(1) per
// declaration. Pure.
//
// Every cached thing carries the stamp of the moment its making began and the labels it may be
// killed by (tenant, namespace, model version, tag, key). Killing a label notes a stamp; a thing is
// dead if one of its labels was killed after it was born. What is newer than the newest kill is
// alive at one comparison, without looking at its labels.
//
// Labels are hashes: two that collide kill each other's things too, which costs a miss. The log is
// bounded in the same spirit: when it is full, everything born before its older half dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace aiserve::inline v0::decide {

class InvalidationLog {
 public:
  /// Ascends with every kill; shaped like nanoseconds of wall time, so that stamps of an earlier
  /// process can be compared.
  using Stamp = std::int64_t;
  using Label = std::uint64_t;
  using Kill = std::pair<Label, Stamp>;

  /// `max_labels` is at least 2.
  explicit InvalidationLog(std::size_t max_labels) : max_labels_(max_labels) {}

  /// The stamp of what is born now: kills from now on are after it. `wall_now` may stand still or
  /// step back, here and below.
  Stamp birth(Stamp wall_now) noexcept;
  /// Everything that carries the label and was born until now is dead.
  void kill(Label label, Stamp wall_now);
  void kill_all(Stamp wall_now);
  bool alive(Stamp born, std::span<const Label> labels) const noexcept;

  /// What was born at or after it is alive whatever its labels.
  Stamp newest_kill() const noexcept { return newest_; }
  /// What has to be told to a later process: the kills after floor().
  std::vector<Kill> kills() const { return {killed_.begin(), killed_.end()}; }
  /// Everything born before it is dead.
  Stamp floor() const noexcept { return floor_; }
  /// Adds what another process noted.
  void merge(Stamp floor, std::span<const Kill> kills);

 private:
  Stamp advance(Stamp wall_now) noexcept;
  void note(Label label, Stamp stamp);
  void make_room();

  std::size_t max_labels_;
  Stamp latest_ = 0;  // of births and kills
  Stamp newest_ = 0;  // of kills
  Stamp floor_ = 0;
  std::unordered_map<Label, Stamp> killed_;
};

}  // namespace aiserve::inline v0::decide
