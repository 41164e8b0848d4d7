#include "cache/tier_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;

Async<std::optional<Bytes>> TierReader::get(const Context& ctx, const TierKey& key) {
  const auto waiter = make_intrusive<Waiter>(key);
  if (!waiter->bind(&link_.runtime().core())) co_return Error(Errc::internal, "no I/O thread");
  if (!enlist(waiter)) co_return std::optional<Bytes>();
  waiter->watch(ctx);
  co_await waiter->wait();
  if (waiter->outcome() != Operation::Outcome::completed) co_return waiter->error();
  co_return waiter->value;
}

bool TierReader::enlist(const WaiterPtr& waiter) {
  bool begin = false;
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= link_.options().max_waiting) return false;
    waiting_.push_back(waiter);
    begin = draining_ < link_.options().max_reads;
    if (begin) ++draining_;
  }
  if (begin) begin_drain(*waiter->home());
  return true;
}

// At the end of this turn of the loop: what else misses in it shares the call.
void TierReader::begin_drain(IoThread& home) {
  asio::post(home.loop(),
             [this, &home] { asio::co_spawn(home.executor(), drain(), asio::detached); });
}

std::vector<TierReader::WaiterPtr> TierReader::next_batch() {
  const std::scoped_lock lock(mutex_);
  std::vector<WaiterPtr> batch;
  batch.reserve(std::min(waiting_.size(), link_.options().max_batch));
  while (!waiting_.empty() && batch.size() < link_.options().max_batch) {
    // Who has gone need not be asked for.
    if (waiting_.front()->pending()) batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  if (batch.empty()) --draining_;
  return batch;
}

Task TierReader::drain() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (std::vector<WaiterPtr> batch = next_batch(); !batch.empty(); batch = next_batch()) {
    std::vector<TierKey> keys;
    keys.reserve(batch.size() + 1);
    for (const WaiterPtr& waiter : batch) keys.push_back(waiter->key);
    const std::optional<TierKey> more = extra_.wanted();
    if (more) keys.push_back(*more);
    Result<TierValues> values = co_await link_.get(std::move(keys));
    if (!values) link_.counters().failed_reads.inc(batch.size());
    if (values && more) {
      extra_.got(values->back());
      values->pop_back();
    }
    answer(batch, values);
  }
}

void TierReader::answer(const std::vector<WaiterPtr>& batch, const Result<TierValues>& values) {
  SettledBatch settled;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (values) batch[i]->value = (*values)[i];
    if (values && !batch[i]->value) link_.counters().misses.inc();
    settled.settle(batch[i], Operation::Outcome::completed);
  }
}

}  // namespace aiserve::inline v0::detail
