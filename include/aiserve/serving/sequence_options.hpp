/// SequenceOptions, SequenceId and SequenceStep: how a SequenceBatcher is set up, and what names
/// and describes one step.
/// *Thread safety:* values. *Errors:* the SequenceBatcher throws ConfigError naming the option.
///
///     SequenceOptions options{.state = {{"h_in", "h_out"}}, .idle_timeout = 30s};
///     const SequenceId call(request.param("call"));
#pragma once

#include <aiserve/serving/batcher_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

/// An output that becomes an input of the next step. Both have the same element type and shape,
/// fixed but for the batch.
struct SequenceState {
  std::string input{};
  std::string output{};
};

struct SequenceOptions {
  /// Of the Batcher in which the steps of all sequences share batches.
  BatcherOptions batcher{};
  /// What is carried from step to step. The first step sees zeros. Steps neither bring these inputs
  /// nor get these outputs.
  std::vector<SequenceState> state{};
  /// The name of a model input that the batcher fills: 1 in a step that starts a sequence, else 0.
  /// Any numeric type, fixed shape. Empty: none.
  std::string start_input{};
  /// The same with the number of the sequence's slot, 0 to max_sequences - 1: i32 or i64. For
  /// models that look something up by it. Empty: none.
  std::string slot_input{};
  /// Sequences at the same time, 1 to 2^20. Each keeps its state in memory.
  std::size_t max_sequences = 1024;
  /// Of them, those of one tenant; 0: all.
  std::size_t max_sequences_per_tenant = 0;
  /// Steps of one sequence that may wait for the one before them, 0 to 4096.
  std::size_t max_waiting = 16;
  /// A sequence without a step for so long is forgotten. At least 1 ms.
  Duration idle_timeout = std::chrono::seconds(60);
};

/// Names a sequence of a tenant, 1 to 128 bytes of any kind. Numbers and their decimal text are the
/// same id.
class SequenceId {
 public:
  static constexpr std::size_t kMaxSize = 128;

  explicit SequenceId(std::string value) noexcept : value_(std::move(value)) {}
  explicit SequenceId(std::string_view value) : value_(value) {}
  explicit SequenceId(const char* value) : value_(value) {}
  explicit SequenceId(std::uint64_t number) : value_(std::to_string(number)) {}

  const std::string& value() const noexcept { return value_; }
  friend bool operator==(const SequenceId&, const SequenceId&) noexcept = default;

 private:
  std::string value_;
};

struct SequenceStep {
  bool start = false;  ///< begins the sequence, or begins it anew
  bool end = false;    ///< nothing comes after this step
};

struct SequenceSnapshot {
  std::size_t active = 0;       ///< slots taken
  std::size_t stepping = 0;     ///< of them, those with a step in the Batcher
  std::size_t waiting = 0;      ///< steps that wait for the one before them
  std::uint64_t started = 0;    ///< sequences, since the construction
  std::uint64_t expired = 0;    ///< of them, forgotten because they were idle
  std::size_t state_bytes = 0;  ///< that one sequence keeps
};

}  // namespace aiserve::inline v0
