// SequenceTensors: which tensors of a model are brought by a step, which are state and control, and
// how one becomes the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aiserve/serving/sequence_options.hpp"

namespace aiserve::inline v0::detail {

/// In the order of SequenceOptions::state. Null: none yet, zeros.
using StateTensors = std::shared_ptr<const std::vector<Tensor>>;

/// What the batcher adds to the inputs of a step.
struct SequenceRow {
  StateTensors state;
  bool start = false;
  std::uint32_t slot = 0;
};

class SequenceTensors {
 public:
  /// `signature` outlives this. Throws ConfigError, naming the option.
  SequenceTensors(const Signature& signature, const SequenceOptions& options);

  /// Whether a step may bring these. Errors: invalid_argument, too_large.
  Result<void> check(const TensorSet& inputs) const;
  /// All that the Batcher takes.
  TensorSet row(const TensorSet& inputs, const SequenceRow& own) const;
  /// Parts what the Batcher gave: the new state, compacted, and what the step gets.
  StateTensors take_state(const TensorSet& outputs) const;
  TensorSet answer(const TensorSet& outputs) const;

  std::size_t state_bytes() const noexcept;

 private:
  void add_state(const SequenceState& state);
  void add_start(const std::string& name);
  void add_slot(const std::string& name);
  const TensorSpec& claim(const std::string& option, const std::string& name);

  const Signature& signature_;
  std::vector<SequenceState> state_;
  std::vector<Tensor> zeros_;  // one per state
  std::string start_input_;
  std::vector<Tensor> start_;  // 0, 1
  const TensorSpec* slot_ = nullptr;
  std::vector<const TensorSpec*> brought_;
};

}  // namespace aiserve::inline v0::detail
