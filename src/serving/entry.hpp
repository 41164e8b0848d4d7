// BatchEntry: one request inside the Batcher, from submission until its outcome is delivered. What
// it brings and gets is in the classes derived from it, one per front.
#pragma once

#include <vector>

#include "aiserve/core/gate.hpp"
#include "aiserve/serving/ride.hpp"
#include "core/operation.hpp"
#include "decide/fair_queue.hpp"

namespace aiserve::inline v0::detail {

class BatchEngine;
class BatchEntry;
using EntryPtr = IntrusivePtr<BatchEntry>;

class BatchEntry : public Operation, public decide::QueueItem {
 public:
  BatchEntry(const Context& ctx, TimePoint now);

  /// The outcome of a request that gets no result.
  virtual void fail(const Error& error) noexcept = 0;
  /// Null when it has a result. Call only when settled, or refused.
  virtual const Error* failure() const noexcept = 0;
  void refuse(const Error& error) noexcept {
    refused = true;
    fail(error);
  }

  Context context;
  TimePoint submitted;
  bool refused = false;  // never queued; failure() says why
  Ride ride;             // written by the worker before it settles the entry
  /// Others that ride in the same batch; they wait through this one.
  std::vector<EntryPtr> companions;
  /// Of submit(), on the home thread; without an error the result is in the entry.
  std::function<void(BatchEntry&, const Error*)> done;
  BatchEngine* owner = nullptr;  // of submit()
  Gate::Pass inside;             // of the engine, until its worker or its caller is done with it

  /// It and its companions.
  void leave_gate() noexcept {
    inside = Gate::Pass();
    for (const EntryPtr& companion : companions) companion->inside = Gate::Pass();
  }

  static decide::Nanos nanos(TimePoint when) noexcept { return when.time_since_epoch().count(); }
};

}  // namespace aiserve::inline v0::detail
