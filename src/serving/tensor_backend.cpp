#include "serving/tensor_backend.hpp"

#include <algorithm>
#include <cmath>

#include "serving/row_check.hpp"

namespace aiserve::inline v0 {

double BatchCost::operator()(const Tensor& first_input, std::size_t padded_elements) const {
  const std::size_t elements = std::max(first_input.elements(), padded_elements);
  double cost = 1;
  switch (kind_) {
    case Kind::rows:
      break;
    case Kind::elements:
      cost = static_cast<double>(elements);
      break;
    case Kind::bytes:
      cost = static_cast<double>(elements * size_of(first_input.dtype()));
      break;
    case Kind::function:
      cost = function_(first_input);
  }
  return std::isfinite(cost) && cost > 0 ? cost : 1;
}

namespace detail {
namespace {

class TensorRunner final : public BatchRunner {
 public:
  TensorRunner(Model& model, const BatcherOptions& options, int index)
      : model_(model),
        index_(index),
        builder_(model.signature(), options.max_batch, options.shapes) {
    rows_.reserve(options.max_batch);
  }

  Result<void> begin() override {
    Result<std::unique_ptr<ModelInstance>> made = model_.create_instance(index_);
    if (!made) return made.error();
    instance_ = std::move(*made);
    return success();
  }
  bool can_warm_up() const noexcept override { return model_.may_warm_up(); }
  Result<void> warm_up(std::size_t rows) override {
    return instance_->warm_up(builder_.gather_zeros(rows, model_.sample_length()));
  }
  Result<void> check_rows() override {
    if (!model_.may_check_rows()) return success();
    const RowCheck check{.length = model_.sample_length(), .tolerance = model_.row_tolerance()};
    return detail::check_rows(*instance_, model_.signature(), builder_, check);
  }
  Result<void> run(std::span<const EntryPtr> entries, NanPolicy nan_outputs) override {
    rows_.clear();
    for (const EntryPtr& entry : entries) rows_.push_back(static_cast<TensorEntry*>(entry.get()));
    const std::int64_t pad_to = static_cast<const TensorEntry&>(*entries.front()).pad_to;
    Result<void> ran = instance_->run(builder_.gather(rows_, pad_to));
    if (ran) builder_.scatter(rows_, ran, nan_outputs);
    return ran;
  }
  Padding padding() const noexcept override { return builder_.padding(); }

 private:
  Model& model_;
  int index_;
  BatchBuilder builder_;
  std::unique_ptr<ModelInstance> instance_;
  std::vector<TensorRow*> rows_;
};

}  // namespace

TensorBackend::TensorBackend(Model& model, const BatcherOptions& options)
    : model_(model), options_(options) {}

std::unique_ptr<BatchRunner> TensorBackend::runner(int index) {
  return std::make_unique<TensorRunner>(model_, options_, index);
}

bool TensorBackend::rows_vary() const noexcept {
  const auto varies = [](const TensorSpec& spec) {
    return first_variable(spec) < spec.row_shape().rank();
  };
  const auto& inputs = model_.signature().inputs;
  return std::any_of(inputs.begin(), inputs.end(), varies);
}

void TensorBackend::describe(JsonText& json) const {
  json.key("model").raw(model_.status());
  json.key("signature").string(model_.signature().to_string());
}

TensorPlacer::TensorPlacer(const Signature& signature, const BatcherOptions& options)
    : rules_(signature, options.shapes), router_(rules_), cost_(options.cost) {}

Result<BatchPlacer::News> TensorPlacer::place(BatchEntry& entry) {
  auto& own = static_cast<TensorEntry&>(entry);
  News news = News::none;
  if (!rules_.fixed()) {
    if (const Result<void> fits = check_group(own); !fits) return fits.error();
    const Result<Placement> placed = router_.place(own.input, own.more_inputs);
    if (!placed) return placed.error();
    own.lane = placed->lane;
    if (placed->new_lane) news = News::lane;
    if (placed->new_lanes) news = News::lanes;
    own.pad_to = router_.pad_to(placed->lane);
  }
  if (cost_.custom()) return news;  // asked before the lock was taken
  own.cost = cost_of(own);
  for (const EntryPtr& companion : own.companions) {
    own.cost += cost_of(static_cast<const TensorEntry&>(*companion));
  }
  return news;
}

namespace {
bool same_shapes(const TensorRow& a, const TensorRow& b) {
  const auto same = [](const Tensor& x, const Tensor& y) { return x.shape() == y.shape(); };
  return same(a.input, b.input) && std::equal(a.more_inputs.begin(), a.more_inputs.end(),
                                              b.more_inputs.begin(), b.more_inputs.end(), same);
}
}  // namespace

// Rows that stay together are placed by the first of them.
Result<void> TensorPlacer::check_group(const TensorEntry& leader) const {
  for (const EntryPtr& entry : leader.companions) {
    const auto& companion = static_cast<const TensorEntry&>(*entry);
    const Result<std::int64_t> length = rules_.length(companion.input, companion.more_inputs);
    if (!length) return length.error();
    const auto& edges = rules_.options().edges;
    if (!edges.empty() && *length > edges.back()) {
      return Error(Errc::invalid_argument, "the input is " + std::to_string(*length) +
                                               " long, at most " + std::to_string(edges.back()) +
                                               " is taken");
    }
    if (rules_.mode() == ShapeMode::exact && !same_shapes(leader, companion)) {
      return Error(Errc::invalid_argument, "rows that stay together must have one shape");
    }
  }
  return success();
}

double TensorPlacer::cost_of(const TensorEntry& entry) const {
  if (rules_.fixed() || rules_.mode() != ShapeMode::padded) return cost_(entry.input, 0);
  const Result<std::int64_t> length = rules_.length(entry.input, entry.more_inputs);
  if (!length || *length == 0) return cost_(entry.input, 0);
  const decide::LengthBuckets& buckets = router_.buckets();
  const std::int64_t edge = std::max(buckets.edge(buckets.bucket_of(*length)), *length);
  return cost_(entry.input, entry.input.elements() / static_cast<std::size_t>(*length) *
                                static_cast<std::size_t>(edge));
}

}  // namespace detail
}  // namespace aiserve::inline v0
