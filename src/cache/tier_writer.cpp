#include "cache/tier_writer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;
namespace {

// About what an item takes beside its bytes.
constexpr std::size_t kItem = 128;

std::pair<TenantId, std::string> name_of(const TierKey& key) {
  return {key.tenant(), key.key().to_string()};
}

}  // namespace

void TierWriter::put(TierEntry entry) { enqueue(std::move(entry)); }
void TierWriter::erase(TierKey key) {
  {
    const std::scoped_lock lock(mutex_);
    ++erasing_[name_of(key)];
  }
  enqueue(std::move(key));
}
void TierWriter::erase_tenant(TenantId tenant) { enqueue(std::move(tenant)); }

std::size_t TierWriter::size_of(const Item& item) noexcept {
  if (const auto* entry = std::get_if<TierEntry>(&item)) {
    return kItem + entry->value().size() + entry->key().key().size();
  }
  return kItem;
}

void TierWriter::enqueue(Item item) {
  {
    const std::scoped_lock lock(mutex_);
    bytes_ += size_of(item);
    queue_.push_back(std::move(item));
    while (bytes_ > link_.options().write_queue && !queue_.empty()) drop_oldest();
  }
  wake();
}

void TierWriter::drop_oldest() {
  const Item& oldest = queue_.front();
  bytes_ -= size_of(oldest);
  if (std::holds_alternative<TierEntry>(oldest)) link_.counters().dropped.inc();
  if (const auto* key = std::get_if<TierKey>(&oldest)) {
    erased(*key);
    hooks_.erase_lost(*key);
  }
  if (const auto* mark = std::get_if<MarkPtr>(&oldest)) {
    (*mark)->lost = true;
    (*mark)->settle(Operation::Outcome::completed);
  }
  queue_.pop_front();
}

void TierWriter::erased(const TierKey& key) {
  const auto found = erasing_.find(name_of(key));
  if (found != erasing_.end() && --found->second == 0) erasing_.erase(found);
}

bool TierWriter::erasing(const TierKey& key) const {
  const std::scoped_lock lock(mutex_);
  return !erasing_.empty() && erasing_.contains(name_of(key));
}

Async<void> TierWriter::flush(const Context& ctx) {
  const auto mark = make_intrusive<Mark>();
  if (!mark->bind(&link_.runtime().core())) co_return Error(Errc::internal, "not on an I/O thread");
  if (gate_.draining()) co_return Error(Errc::unavailable, "the cache is stopping");
  enqueue(mark);
  mark->watch(ctx);
  co_await mark->wait();
  if (mark->outcome() != Operation::Outcome::completed) co_return mark->error();
  if (mark->lost) co_return Error(Errc::unavailable, "the tier cannot follow");
  co_return success();
}

// Not before the runtime has started: nobody would ever end what waits in it.
void TierWriter::wake() {
  RuntimeCore& core = link_.runtime().core();
  if (core.state() == RuntimeState::created) return;
  Gate::Pass inside = gate_.enter();
  IoThread* home = inside ? core.any_io() : nullptr;
  if (home == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    if (running_) return;
    running_ = true;
  }
  asio::co_spawn(home->executor(), run(std::move(inside)), asio::detached);
}

bool TierWriter::finished() {
  const std::scoped_lock lock(mutex_);
  if (!queue_.empty() || woken_) {
    woken_ = false;
    return false;
  }
  running_ = false;
  return true;
}

void TierWriter::give_up() {
  const std::scoped_lock lock(mutex_);
  running_ = false;
}

Task TierWriter::run(Gate::Pass inside) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!finished()) {
    Result<void> written = Error(Errc::unavailable, "the tier rests");
    if (!link_.resting()) written = co_await write_next();
    if (written) continue;
    if (gate_.draining()) co_return give_up();
    // The queue holds what comes meanwhile. A drain does not wait for a tier that fails.
    inside = Gate::Pass();
    static_cast<void>(co_await sleep(Context::background(), link_.options().first_pause));
    inside = gate_.enter_early();
    if (!inside) co_return give_up();
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
}

template <class T>
std::vector<T> TierWriter::take() {
  const std::scoped_lock lock(mutex_);
  std::vector<T> items;
  while (!queue_.empty() && items.size() < link_.options().max_batch &&
         std::holds_alternative<T>(queue_.front())) {
    bytes_ -= size_of(queue_.front());
    items.push_back(std::get<T>(std::move(queue_.front())));
    queue_.pop_front();
  }
  return items;
}

Async<void> TierWriter::write_next() {
  if (const Result<void> urgent = co_await write_urgent(); !urgent) co_return urgent;
  if (std::vector<TierEntry> entries = take<TierEntry>(); !entries.empty()) {
    const std::size_t count = entries.size();
    const Result<void> written = co_await link_.put(std::move(entries));
    (written ? link_.counters().written : link_.counters().failed_writes).inc(count);
    co_return written;
  }
  if (std::vector<TierKey> keys = take<TierKey>(); !keys.empty()) {
    co_return co_await erase_all(std::move(keys));
  }
  for (TenantId& tenant : take<TenantId>()) {
    // Its records are dead by their labels, erased or not.
    const Result<void> erased = co_await link_.erase_tenant(std::move(tenant));
    if (!erased) co_return erased;
  }
  for (const MarkPtr& mark : take<MarkPtr>()) mark->settle(Operation::Outcome::completed);
  co_return success();
}

Async<void> TierWriter::write_urgent() {
  std::optional<TierEntry> urgent = hooks_.take_urgent();
  if (!urgent) co_return success();
  std::vector<TierEntry> one;
  one.push_back(std::move(*urgent));
  const Result<void> written = co_await link_.put(std::move(one));
  if (!written) hooks_.put_back_urgent();
  co_return written;
}

Async<void> TierWriter::erase_all(std::vector<TierKey> keys) {
  const Result<void> done = co_await link_.erase(keys);
  if (done) {
    const std::scoped_lock lock(mutex_);
    for (const TierKey& key : keys) erased(key);
  } else {
    put_back(std::move(keys));
  }
  co_return done;
}

void TierWriter::put_back(std::vector<TierKey> keys) {
  const std::scoped_lock lock(mutex_);
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    bytes_ += kItem;
    queue_.emplace_front(std::move(*key));
  }
}

std::size_t TierWriter::queued_bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace aiserve::inline v0::detail
