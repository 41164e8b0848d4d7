/// SequenceBatcher: batches for models that remember: streams of audio, conversations, sessions.
///
/// A sequence is a row of steps, each of which needs the state that the one before left. The state
/// travels as tensors: out of one step, into the next. So the steps of different sequences share
/// batches, any instance runs any step, and everything the Batcher does holds for steps as well.
/// One step of a sequence runs at a time, later ones wait in order. A step that fails, is cancelled
/// or misses its deadline leaves the sequence as it was before: it can be made again. Sequences
/// belong to the tenant of the Context; the same id of another tenant is another sequence.
/// The Model must outlive the Runtime's shutdown.
/// *Thread safety:* step: I/O threads of the Runtime; the rest: any thread.
/// *Errors:* not_found (unknown or expired, and not a start), overloaded with retry_after (no slot
/// free, too many steps wait), invalid_argument, unavailable (draining), and those of the Batcher.
///
///     SequenceBatcher speech(runtime, model, {.state = {{"h_in", "h_out"}}});
///     const SequenceId call("call-17");
///     Result<TensorSet> text = co_await speech.step(ctx, call, audio, {.start = true});
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/serving/batcher.hpp>
#include <aiserve/serving/sequence_options.hpp>

#include <memory>

namespace aiserve::inline v0 {

class SequenceBatcher {
 public:
  /// Throws ConfigError when an option is out of range or does not fit the signature.
  SequenceBatcher(Runtime& runtime, Model& model, SequenceOptions options);
  ~SequenceBatcher();
  SequenceBatcher(const SequenceBatcher&) = delete;
  SequenceBatcher& operator=(const SequenceBatcher&) = delete;

  /// Makes one step. `inputs` are those of the model without state, start, slot and mask; the
  /// result has its outputs without the state. An answer means that the sequence has moved on, an
  /// error that it has not.
  Async<TensorSet> step(const Context& ctx, const SequenceId& id, const TensorSet& inputs,
                        SequenceStep flags = {});

  SequenceSnapshot snapshot() const;
  /// For its knobs, announcements and snapshot. A replace() keeps the sequences: states of the old
  /// model go into the new one.
  Batcher& batcher() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
