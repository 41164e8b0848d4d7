/// TypedBatcher: the Batcher for any C++ callable over spans of values, without tensors.
///
/// The callable gets the inputs of a batch and returns as many results, each a value or an Error of
/// its own. It runs on the worker threads of `instances`, one call per thread at a time; what it
/// throws is isolated as in Batcher. Inputs move into the batch, results move out.
/// *Thread safety:* as Batcher.
/// *Errors:* as Batcher; internal if the callable returns another number of results.
///
///     TypedBatcher<std::string, int> lengths(runtime, {.name = "lengths"},
///         [](std::span<const std::string> texts) {
///           std::vector<Result<int>> results;
///           for (const std::string& text : texts) results.push_back(int(text.size()));
///           return results;
///         });
///     Result<int> length = co_await lengths.infer(ctx, text);
#pragma once

#include <aiserve/core/announcement.hpp>
#include <aiserve/core/async.hpp>
#include <aiserve/serving/batcher.hpp>

#include <concepts>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {

/// What a running callable may ask about its batch.
class BatchToken {
 public:
  using Cancelled = bool (*)(const void* batch, std::size_t row) noexcept;
  BatchToken(Cancelled look, const void* batch) noexcept : cancelled_(look), batch_(batch) {}
  /// True once nobody waits for this row any more: a long computation may skip it.
  bool cancelled(std::size_t row) const noexcept { return cancelled_(batch_, row); }

 private:
  Cancelled cancelled_;
  const void* batch_;
};

namespace detail {

/// A request's input and, later, its result.
class TypedItem {
 public:
  virtual ~TypedItem() = default;
  virtual void fail(const Error& error) noexcept = 0;
  virtual const Error* failure() const noexcept = 0;
  double cost = 1;
};
using TypedItemPtr = std::shared_ptr<TypedItem>;

/// The callable without its types.
class TypedCall {
 public:
  virtual ~TypedCall() = default;
  /// On an error the items still hold their inputs.
  virtual Result<void> run(std::span<TypedItem* const> items, const BatchToken& token) = 0;
  virtual std::unique_ptr<TypedCall> clone() const = 0;
};

/// The engine without the types of its requests.
class TypedFront {
 public:
  TypedFront(Runtime& runtime, BatcherOptions options, std::unique_ptr<TypedCall> call);
  ~TypedFront();
  TypedFront(const TypedFront&) = delete;
  TypedFront& operator=(const TypedFront&) = delete;

  Async<void> ride(const Context& ctx, TypedItemPtr item);
  /// `lost`, one per item: set for those whose caller's Context ended first; such an item may
  /// still be written by its batch.
  Async<void> ride_all(const Context& ctx, std::span<const TypedItemPtr> items, Grouping grouping,
                       std::span<std::optional<Error>> lost);
  void submit(const Context& ctx, TypedItemPtr item, std::function<void(const Error*)> done);
  Announcement announce() noexcept;
  Result<void> set(const BatcherKnobs& knobs);
  void reset_tuning();
  Async<void> replace(const Context& ctx, std::unique_ptr<TypedCall> call);
  BatcherSnapshot snapshot() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

template <class In, class Out>
class TypedRow final : public TypedItem {
 public:
  explicit TypedRow(In value) : in(std::move(value)) {}
  void fail(const Error& error) noexcept override { out = error; }
  const Error* failure() const noexcept override { return out.ok() ? nullptr : &out.error(); }

  In in;
  Result<Out> out;
};

template <class In, class Out, class F>
class TypedCallOf final : public TypedCall {
 public:
  explicit TypedCallOf(std::shared_ptr<F> function) noexcept : function_(std::move(function)) {}
  std::unique_ptr<TypedCall> clone() const override {
    return std::make_unique<TypedCallOf>(function_);
  }

  Result<void> run(std::span<TypedItem* const> items, const BatchToken& token) override {
    inputs_.clear();
    inputs_.reserve(items.size());  // nothing throws once inputs have begun to move
    for (TypedItem* item : items) inputs_.push_back(std::move(row(item).in));
    const GiveBack give_back{*this, items};
    std::vector<Result<Out>> results = call(token);
    if (results.size() != items.size()) {
      return Error(Errc::internal, "the batch function returned another number of results")
          .with_detail(std::to_string(results.size()) + " for " + std::to_string(items.size()));
    }
    for (std::size_t i = 0; i < items.size(); ++i) row(items[i]).out = std::move(results[i]);
    return success();
  }

 private:
  using Row = TypedRow<In, Out>;
  static Row& row(TypedItem* item) noexcept { return static_cast<Row&>(*item); }

  /// A part of a failed batch is run again, with the same inputs.
  struct GiveBack {
    TypedCallOf& call;
    std::span<TypedItem* const> items;
    ~GiveBack() {
      for (std::size_t i = 0; i < items.size(); ++i) {
        row(items[i]).in = std::move(call.inputs_[i]);
      }
    }
  };

  std::vector<Result<Out>> call(const BatchToken& token) {
    const std::span<const In> inputs(inputs_);
    if constexpr (std::invocable<F&, std::span<const In>, const BatchToken&>) {
      return (*function_)(inputs, token);
    } else {
      return (*function_)(inputs);
    }
  }

  std::shared_ptr<F> function_;
  std::vector<In> inputs_;
};

}  // namespace detail

template <class In, class Out>
class TypedBatcher {
 public:
  /// `function(std::span<const In>)`, or with a `const BatchToken&` behind it, returning
  /// std::vector<Result<Out>>. With several instances it is called from several threads.
  /// Of the options shapes, nan_outputs, warm_up, learn_cap and cost (see set_cost()) mean nothing
  /// here; `instances` of 0 is 1, an empty name "callable". Throws ConfigError when an option is
  /// out of range.
  template <class F>
  TypedBatcher(Runtime& runtime, BatcherOptions options, F function)
      : front_(runtime, std::move(options), make_call(std::move(function))) {}

  /// What a request counts for (BatcherOptions::max_cost, fairness); > 0. Set it before start().
  void set_cost(std::function<double(const In&)> cost) { cost_ = std::move(cost); }

  Async<Out> infer(const Context& ctx, In input) {
    const std::shared_ptr<Row> row = make_row(std::move(input));
    const detail::TypedItemPtr item = row;
    const Result<void> rode = co_await front_.ride(ctx, item);
    if (!rode) co_return rode.error();
    co_return std::move(row->out);
  }

  /// Many at once; the results stand in the order of the inputs.
  Async<std::vector<Result<Out>>> infer_many(const Context& ctx, std::vector<In> inputs,
                                             Grouping grouping = Grouping::split) {
    std::vector<std::shared_ptr<Row>> rows;
    for (In& input : inputs) rows.push_back(make_row(std::move(input)));
    const std::vector<detail::TypedItemPtr> items(rows.begin(), rows.end());
    std::vector<std::optional<Error>> lost(items.size());
    const Result<void> rode = co_await front_.ride_all(ctx, items, grouping, lost);
    if (!rode) co_return rode.error();
    std::vector<Result<Out>> results;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      results.push_back(lost[i] ? Result<Out>(*lost[i]) : std::move(rows[i]->out));
    }
    co_return results;
  }

  /// For plain threads: never wait for it on an I/O thread.
  std::future<Result<Out>> submit(const Context& ctx, In input) {
    const std::shared_ptr<Row> row = make_row(std::move(input));
    const auto promise = std::make_shared<std::promise<Result<Out>>>();
    front_.submit(ctx, row, [row, promise](const Error* error) {
      promise->set_value(error != nullptr ? Result<Out>(*error) : std::move(row->out));
    });
    return promise->get_future();
  }

  Announcement announce() noexcept { return front_.announce(); }
  Announcer announcer() noexcept {
    return [this] { return announce(); };
  }
  Result<void> set(const BatcherKnobs& knobs) { return front_.set(knobs); }
  void reset_tuning() { front_.reset_tuning(); }
  /// As Batcher::replace().
  template <class F>
  Async<void> replace(const Context& ctx, F function) {
    std::unique_ptr<detail::TypedCall> call = make_call(std::move(function));
    co_return co_await front_.replace(ctx, std::move(call));
  }
  BatcherSnapshot snapshot() const { return front_.snapshot(); }

 private:
  using Row = detail::TypedRow<In, Out>;

  template <class F>
  static std::unique_ptr<detail::TypedCall> make_call(F function) {
    using Call = detail::TypedCallOf<In, Out, F>;
    return std::make_unique<Call>(std::make_shared<F>(std::move(function)));
  }
  std::shared_ptr<Row> make_row(In input) const {
    auto row = std::make_shared<Row>(std::move(input));
    if (cost_) row->cost = cost_(row->in);
    return row;
  }

  std::function<double(const In&)> cost_;
  detail::TypedFront front_;
};

}  // namespace aiserve::inline v0
