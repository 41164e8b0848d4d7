#include "core/pool_share.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {

void PoolShare::want(const std::weak_ptr<User>& user) {
  line_up(user);
  give();
}

void PoolShare::release() {
  {
    const std::scoped_lock lock(mutex_);
    ++free_;
  }
  give();
}

bool PoolShare::has_free() const {
  const std::scoped_lock lock(mutex_);
  return free_ > 0;
}

void PoolShare::line_up(const std::weak_ptr<User>& user) {
  const auto is_same = [&user](const std::weak_ptr<User>& other) {
    return !other.owner_before(user) && !user.owner_before(other);
  };
  const std::scoped_lock lock(mutex_);
  if (std::none_of(turns_.begin(), turns_.end(), is_same)) turns_.push_back(user);
}

void PoolShare::give() {
  for (;;) {
    std::shared_ptr<User> user;
    {
      const std::scoped_lock lock(mutex_);
      if (free_ == 0 || turns_.empty()) return;
      user = turns_.front().lock();
      turns_.pop_front();
      if (user == nullptr) continue;
      --free_;
    }
    const Use use = user->take_place();
    if (use == Use::taken_and_more_wanted) line_up(user);
    if (use != Use::none) continue;
    const std::scoped_lock lock(mutex_);
    ++free_;
  }
}

}  // namespace aiserve::inline v0::detail
