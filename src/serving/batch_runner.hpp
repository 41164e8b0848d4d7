// BatchRunner and BatchBackend: what the engine needs of whatever computes batches: tensors over
// the Model port, or a typed C++ callable.
#pragma once

#include <memory>
#include <span>

#include "aiserve/serving/batch.hpp"
#include "core/json_text.hpp"
#include "serving/batch_layout.hpp"
#include "serving/entry.hpp"

namespace aiserve::inline v0::detail {

/// What a batch is run by; may be another one for the next batch.
struct RunRules {
  bool isolate_failures = true;
  std::size_t max_reruns = 0;
  NanPolicy nan_outputs = NanPolicy::allow;
};

/// One instance; lives on its worker's thread.
class BatchRunner {
 public:
  virtual ~BatchRunner() = default;
  /// Makes the instance.
  virtual Result<void> begin() = 0;
  /// True if it can be run with made-up rows.
  virtual bool can_warm_up() const noexcept = 0;
  virtual Result<void> warm_up(std::size_t rows) = 0;
  /// Errors: what shows that the model mixes rows.
  virtual Result<void> check_rows() = 0;
  /// On success every entry has its result or its own error; on an error none was touched.
  virtual Result<void> run(std::span<const EntryPtr> entries, NanPolicy nan_outputs) = 0;
  /// Of the batch that last ran.
  virtual Padding padding() const noexcept { return {}; }
};

/// What the requests of one model version are computed with.
class BatchBackend {
 public:
  virtual ~BatchBackend() = default;
  virtual std::unique_ptr<BatchRunner> runner(int index) = 0;
  /// Rows differ in length: made-up ones teach nothing about what real ones take.
  virtual bool rows_vary() const noexcept { return false; }
  /// Adds its members to the object of /status.
  virtual void describe(JsonText& json) const = 0;
};

/// Which requests can share a batch. Called under the engine's lock.
class BatchPlacer {
 public:
  virtual ~BatchPlacer() = default;
  /// Whether what was learned about the entry's lane, or about all lanes, is about other shapes.
  enum class News : std::uint8_t { none, lane, lanes };
  /// Sets the entry's lane and cost. Errors: why it cannot be taken.
  virtual Result<News> place(BatchEntry& entry) = 0;
  /// A placed entry no longer waits.
  virtual void left(std::uint32_t lane) noexcept = 0;
};

}  // namespace aiserve::inline v0::detail
