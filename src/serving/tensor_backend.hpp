// TensorBackend: tensors over the Model port.
#pragma once

#include "aiserve/serving/batcher_options.hpp"
#include "serving/batch_builder.hpp"
#include "serving/batch_runner.hpp"
#include "serving/shape_router.hpp"
#include "serving/tensor_row.hpp"

namespace aiserve::inline v0::detail {

class TensorEntry final : public BatchEntry, public TensorRow {
 public:
  TensorEntry(const Context& ctx, TimePoint now) : BatchEntry(ctx, now) {
    gone = [](const TensorRow& row) noexcept {
      return !static_cast<const TensorEntry&>(row).pending();
    };
  }
  void fail(const Error& error) noexcept override { output = error; }
  const Error* failure() const noexcept override { return output.ok() ? nullptr : &output.error(); }

  std::int64_t pad_to = 0;
};

class TensorBackend final : public BatchBackend {
 public:
  /// Throws ConfigError when model and options don't fit.
  TensorBackend(Model& model, const BatcherOptions& options);

  std::unique_ptr<BatchRunner> runner(int index) override;
  bool rows_vary() const noexcept override;
  void describe(JsonText& json) const override;

 private:
  Model& model_;
  const BatcherOptions& options_;
};

/// By shape and cost.
class TensorPlacer final : public BatchPlacer {
 public:
  TensorPlacer(const Signature& signature, const BatcherOptions& options);

  Result<News> place(BatchEntry& entry) override;
  void left(std::uint32_t lane) noexcept override { router_.leave(lane); }

 private:
  Result<void> check_group(const TensorEntry& leader) const;
  double cost_of(const TensorEntry& entry) const;

  ShapeRules rules_;
  ShapeRouter router_;
  BatchCost cost_;
};

}  // namespace aiserve::inline v0::detail
