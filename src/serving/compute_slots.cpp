#include "serving/compute_slots.hpp"

#include <algorithm>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0 {

ComputeSlots::ComputeSlots(int slots) : state_(std::make_unique<detail::ComputeSlotsState>()) {
  if (slots < 1 || slots > 1024) throw ConfigError("compute slots: slots must be 1 to 1024");
  state_->total = slots;
  state_->free = slots;
}

ComputeSlots::~ComputeSlots() = default;

int ComputeSlots::slots() const noexcept { return state_->total; }

int ComputeSlots::in_use() const noexcept {
  const std::scoped_lock lock(state_->mutex);
  return state_->total - state_->free;
}

namespace detail {

ComputeSlotsClient* ComputeSlotsState::next_waiting() noexcept {
  ComputeSlotsClient* next = nullptr;
  for (ComputeSlotsClient* client : clients) {
    if (client->waiting_ && (next == nullptr || client->served_ < next->served_)) next = client;
  }
  return next;
}

ComputeSlotsClient::ComputeSlotsClient(ComputeSlots* slots, double weight,
                                       std::function<void()> slot_free)
    : state_(slots == nullptr ? nullptr : slots->state_.get()),
      slot_free_(std::move(slot_free)),
      weight_(weight) {
  if (state_ == nullptr) return;
  const std::scoped_lock lock(state_->mutex);
  state_->clients.push_back(this);
}

ComputeSlotsClient::~ComputeSlotsClient() {
  if (state_ == nullptr) return;
  {
    const std::scoped_lock lock(state_->mutex);
    std::erase(state_->clients, this);
  }
  return_unused();
}

bool ComputeSlotsClient::acquire() {
  if (state_ == nullptr) return true;
  const std::scoped_lock lock(state_->mutex);
  if (set_aside_ > 0) {
    --set_aside_;
    return true;
  }
  if (state_->free == 0) {
    // Idleness earns no credit.
    if (!waiting_) served_ = std::max(served_, state_->served);
    waiting_ = true;
    return false;
  }
  --state_->free;
  return true;
}

void ComputeSlotsClient::return_unused() {
  if (state_ == nullptr) return;
  int unused = 0;
  {
    const std::scoped_lock lock(state_->mutex);
    unused = std::exchange(set_aside_, 0);
  }
  for (; unused > 0; --unused) release(Duration::zero());
}

void ComputeSlotsClient::set_weight(double weight) {
  if (state_ == nullptr) return;
  const std::scoped_lock lock(state_->mutex);
  weight_ = weight;
}

void ComputeSlotsClient::release(Duration used, bool again) {
  if (state_ == nullptr) return;
  ComputeSlotsClient* next = nullptr;
  {
    const std::scoped_lock lock(state_->mutex);
    served_ += static_cast<double>(used.count()) / weight_;
    waiting_ = waiting_ || again;
    next = state_->next_waiting();
    if (next == nullptr) {
      ++state_->free;
      return;
    }
    // Handed over, not put back: nobody whose turn it is not gets in between.
    next->waiting_ = false;
    ++next->set_aside_;
    state_->served = next->served_;
  }
  // Who takes it again at once sees for itself.
  if (next != this || !again) next->slot_free_();
}

}  // namespace detail
}  // namespace aiserve::inline v0
