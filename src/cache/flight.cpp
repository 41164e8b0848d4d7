#include "cache/flight.hpp"

namespace aiserve::inline v0::detail {

Flight::Flight(FlightKey key, std::shared_ptr<FlightWork> work, Context context, bool pinned)
    : key_(std::move(key)), work_(std::move(work)), context_(std::move(context)), pinned_(pinned) {}

void Flight::add(FlightMember& member) noexcept {
  member.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &member;
  first_ = &member;
  member.aboard_ = true;
  ++count_;
}

bool Flight::remove(FlightMember& member) noexcept {
  if (!member.aboard_) return false;
  if (member.previous_ != nullptr) member.previous_->next_ = member.next_;
  if (member.next_ != nullptr) member.next_->previous_ = member.previous_;
  if (first_ == &member) first_ = member.next_;
  member.aboard_ = false;
  --count_;
  return true;
}

std::vector<FlightMemberPtr> Flight::take_all() {
  std::vector<FlightMemberPtr> all;
  all.reserve(count_);
  for (FlightMember* member = first_; member != nullptr; member = member->next_) {
    member->aboard_ = false;
    all.push_back(FlightMemberPtr::share(member));
  }
  first_ = nullptr;
  count_ = 0;
  return all;
}

}  // namespace aiserve::inline v0::detail
