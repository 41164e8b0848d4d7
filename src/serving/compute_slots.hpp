// ComputeSlotsClient: one batcher's side of ComputeSlots. Without slots it always succeeds.
#pragma once

#include <functional>
#include <list>
#include <mutex>

#include "aiserve/core/deadline.hpp"
#include "aiserve/serving/compute_slots.hpp"

namespace aiserve::inline v0::detail {

class ComputeSlotsClient {
 public:
  /// `slot_free` is called, on whatever thread lets a slot go and without a lock of the slots held,
  /// when a slot was set aside for this client.
  ComputeSlotsClient(ComputeSlots* slots, double weight, std::function<void()> slot_free);
  ~ComputeSlotsClient();
  ComputeSlotsClient(const ComputeSlotsClient&) = delete;
  ComputeSlotsClient& operator=(const ComputeSlotsClient&) = delete;

  /// False: slot_free() will be called once there is one.
  bool acquire();
  /// `used`: what was computed in it. Who wants it again at once competes for it with the others.
  void release(Duration used, bool again = false);
  /// Counts for what is computed from now on.
  void set_weight(double weight);
  /// Lets go of what was set aside: there is nothing to run any more.
  void return_unused();

 private:
  friend struct ComputeSlotsState;
  ComputeSlotsState* state_;
  std::function<void()> slot_free_;
  // Under the slots' lock.
  double weight_;
  double served_ = 0;  // compute time / weight
  int set_aside_ = 0;  // slots that are this client's for the taking
  bool waiting_ = false;
};

struct ComputeSlotsState {
  mutable std::mutex mutex;
  int total = 1;
  int free = 1;
  double served = 0;  // of the client that was last given a slot: who comes back starts here
  std::vector<ComputeSlotsClient*> clients;

  ComputeSlotsClient* next_waiting() noexcept;
};

}  // namespace aiserve::inline v0::detail
