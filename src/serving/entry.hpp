// BatchEntry: one request inside the Batcher, from submission until its outcome is delivered.
#pragma once

#include <vector>

#include "aiserve/core/gate.hpp"
#include "aiserve/serving/batcher.hpp"
#include "core/operation.hpp"
#include "serving/tensor_row.hpp"

namespace aiserve::inline v0::detail {

class BatchEngine;

class BatchEntry final : public Operation, public TensorRow {
 public:
  BatchEntry(const Context& ctx, TimePoint now) : context(ctx), submitted(now) {
    gone = [](const TensorRow& row) noexcept {
      return !static_cast<const BatchEntry&>(row).pending();
    };
  }

  Context context;
  TimePoint submitted;
  Ride ride;                     // written by the worker before it settles the entry
  Batcher::Callback done;        // of submit()
  BatchEngine* owner = nullptr;  // of submit()
  Gate::Pass inside;             // of the engine, until its worker or its caller is done with it

 private:
  friend class EntryQueue;
  BatchEntry* previous_ = nullptr;
  BatchEntry* next_ = nullptr;
  bool queued_ = false;
};

using EntryPtr = IntrusivePtr<BatchEntry>;

}  // namespace aiserve::inline v0::detail
