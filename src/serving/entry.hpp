// BatchEntry: one request inside the Batcher, from submission until its outcome is delivered.
#pragma once

#include <vector>

#include "aiserve/core/gate.hpp"
#include "aiserve/serving/batcher.hpp"
#include "core/operation.hpp"

namespace aiserve::inline v0::detail {

class BatchEngine;

class BatchEntry final : public Operation {
 public:
  BatchEntry(const Context& ctx, TimePoint now) : context(ctx), submitted(now) {}

  Context context;
  TimePoint submitted;
  // One tensor per input of the signature; the first inline, because most models have one.
  Tensor input;
  std::vector<Tensor> more_inputs;
  // Written by the worker before it settles the entry.
  Result<Tensor> output;
  std::vector<Tensor> more_outputs;
  Ride ride;
  Batcher::Callback done;        // of submit()
  BatchEngine* owner = nullptr;  // of submit()
  Gate::Pass inside;             // of the engine, until its worker or its caller is done with it

  const Tensor& input_at(std::size_t index) const noexcept {
    return index == 0 ? input : more_inputs[index - 1];
  }

 private:
  friend class EntryQueue;
  BatchEntry* previous_ = nullptr;
  BatchEntry* next_ = nullptr;
  bool queued_ = false;
};

using EntryPtr = IntrusivePtr<BatchEntry>;

}  // namespace aiserve::inline v0::detail
