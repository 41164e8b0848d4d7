#include "aiserve/serving/typed_batcher.hpp"

#include <cmath>

#include "serving/check_options.hpp"
#include "serving/front.hpp"

namespace aiserve::inline v0::detail {
namespace {

class TypedEntry final : public BatchEntry {
 public:
  TypedEntry(const Context& ctx, TimePoint now, TypedItemPtr brought)
      : BatchEntry(ctx, now), item(std::move(brought)) {
    if (std::isfinite(item->cost) && item->cost > 0) cost = item->cost;
  }
  void fail(const Error& error) noexcept override { item->fail(error); }
  const Error* failure() const noexcept override { return item->failure(); }

  // Shared with the caller: one that gave up leaves it to the running batch.
  TypedItemPtr item;
};
using TypedEntryPtr = IntrusivePtr<TypedEntry>;

class TypedRunner final : public BatchRunner {
 public:
  explicit TypedRunner(std::unique_ptr<TypedCall> call) noexcept : call_(std::move(call)) {}

  Result<void> begin() override { return success(); }
  bool can_warm_up() const noexcept override { return false; }
  Result<void> warm_up(std::size_t) override { return success(); }
  Result<void> check_rows() override { return success(); }
  Result<void> run(std::span<const EntryPtr> entries, NanPolicy) override {
    items_.clear();
    for (const EntryPtr& entry : entries) {
      items_.push_back(static_cast<const TypedEntry&>(*entry).item.get());
    }
    const BatchToken token(
        [](const void* batch, std::size_t row) noexcept {
          const auto& riding = *static_cast<const std::span<const EntryPtr>*>(batch);
          return row < riding.size() && !riding[row]->pending();
        },
        &entries);
    return call_->run(items_, token);
  }

 private:
  std::unique_ptr<TypedCall> call_;
  std::vector<TypedItem*> items_;
};

class TypedBackend final : public BatchBackend {
 public:
  explicit TypedBackend(std::unique_ptr<TypedCall> call) noexcept : call_(std::move(call)) {}
  std::unique_ptr<BatchRunner> runner(int) override {
    return std::make_unique<TypedRunner>(call_->clone());
  }
  void describe(JsonText&) const override {}

 private:
  std::unique_ptr<TypedCall> call_;
};

BatcherOptions checked(BatcherOptions options) {
  if (options.name.empty()) options.name = "callable";
  if (options.instances == 0) options.instances = 1;
  check_options(options);
  return options;
}

}  // namespace

class TypedFront::Impl {
 public:
  Impl(Runtime& runtime, BatcherOptions options, std::unique_ptr<TypedCall> call)
      : front(runtime, std::make_unique<TypedBackend>(std::move(call)), nullptr,
              checked(std::move(options)), &decide::decide_batch) {}
  BatchFront front;
};

TypedFront::TypedFront(Runtime& runtime, BatcherOptions options, std::unique_ptr<TypedCall> call)
    : impl_(std::make_unique<Impl>(runtime, std::move(options), std::move(call))) {}
TypedFront::~TypedFront() = default;

Async<void> TypedFront::ride(const Context& ctx, TypedItemPtr item) {
  const Result<TimePoint> now = impl_->front.admit(ctx);
  if (!now) co_return now.error();
  const EntryPtr entry = as_entry(make_intrusive<TypedEntry>(ctx, *now, std::move(item)));
  co_return co_await impl_->front.ride(entry);
}

Async<void> TypedFront::ride_all(const Context& ctx, std::span<const TypedItemPtr> items,
                                 Grouping grouping, std::span<std::optional<Error>> lost) {
  const Result<TimePoint> now = impl_->front.admit(ctx);
  if (!now) co_return now.error();
  std::vector<EntryPtr> entries;
  for (const TypedItemPtr& item : items) {
    entries.push_back(as_entry(make_intrusive<TypedEntry>(ctx, *now, item)));
  }
  const Result<void> rode = co_await impl_->front.ride_all(entries, grouping);
  if (!rode) co_return rode;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (entries[i]->refused || entries[i]->outcome() == Operation::Outcome::completed) continue;
    lost[i] = entries[i]->error();
  }
  co_return success();
}

void TypedFront::submit(const Context& ctx, TypedItemPtr item,
                        std::function<void(const Error*)> done) {
  const Result<TimePoint> now = impl_->front.admit(ctx);
  const EntryPtr entry =
      as_entry(make_intrusive<TypedEntry>(ctx, now.value_or(TimePoint::min()), std::move(item)));
  if (!now) entry->refuse(now.error());
  entry->done = [done = std::move(done)](BatchEntry&, const Error* error) { done(error); };
  impl_->front.submit(entry);
}

Announcement TypedFront::announce() noexcept { return impl_->front.engine().announce(); }
Result<void> TypedFront::set(const BatcherKnobs& knobs) { return impl_->front.engine().set(knobs); }
void TypedFront::reset_tuning() { impl_->front.engine().reset_tuning(); }

Async<void> TypedFront::replace(const Context& ctx, std::unique_ptr<TypedCall> call) {
  std::unique_ptr<BatchBackend> backend = std::make_unique<TypedBackend>(std::move(call));
  co_return co_await impl_->front.engine().replace(ctx, std::move(backend));
}

BatcherSnapshot TypedFront::snapshot() const { return impl_->front.engine().snapshot(); }

}  // namespace aiserve::inline v0::detail
