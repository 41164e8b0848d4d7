// PoolShare: some of a pool's threads, for calls that nobody can end (a resolver that hangs). Who
// wants in, wants a place: whatever becomes of those calls, the other threads are there for the
// rest. Users have places in turn, one after the other. *Thread safety:* any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace aiserve::inline v0::detail {

class PoolShare {
 public:
  /// What a user made of the place that it was given.
  enum class Use : std::uint8_t { none, taken, taken_and_more_wanted };
  class User {
   public:
    virtual ~User() = default;
    /// If it takes it, it calls release() when its call has ended. No lock is held.
    virtual Use take_place() = 0;
  };

  explicit PoolShare(std::size_t places) noexcept : free_(places) {}

  /// The user is given a place as soon as one is free and it is its turn. Called without a lock
  /// that take_place() wants.
  void want(const std::weak_ptr<User>& user);
  void release();
  bool has_free() const;

 private:
  void line_up(const std::weak_ptr<User>& user);
  void give();

  mutable std::mutex mutex_;
  std::size_t free_;
  std::deque<std::weak_ptr<User>> turns_;  // each user once
};

}  // namespace aiserve::inline v0::detail
