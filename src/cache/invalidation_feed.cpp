#include "cache/invalidation_feed.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/random.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;
namespace {

using Verdict = decide::SequenceWatch::Verdict;
using namespace std::chrono_literals;

constexpr std::size_t kMostWaiting = 65'536;
constexpr std::size_t kMostSenders = 4'096;
constexpr Duration kPublishTimeout = 5s;
constexpr Duration kLastWords = 1s;
// Beats come every second.
constexpr Duration kSilence = 10s;

}  // namespace

InvalidationFeed::Counters InvalidationFeed::counters_of(Metrics& metrics,
                                                         const std::string& cache) {
  const auto counter = [&](const char* event) -> Counter& {
    return metrics.counter("aiserve_cache_feed_total",
                           "Messages of the invalidation feed, and gaps in what others told.",
                           {{"cache", cache}, {"event", event}});
  };
  return {counter("sent"), counter("failed"), counter("applied"), counter("foreign"),
          counter("gap")};
}

InvalidationFeed::InvalidationFeed(Runtime& runtime, DrainGate& gate, EventBus& bus,
                                   Settings settings, Apply apply)
    : runtime_(runtime),
      gate_(gate),
      bus_(bus),
      settings_(std::move(settings)),
      apply_(std::move(apply)),
      self_(random_u64()),
      counters_(counters_of(runtime.telemetry().metrics(), settings_.cache)),
      context_(ContextOptions{}),
      watch_(kMostSenders, kSilence.count()) {
  Result<Attached> attached =
      bus.attach(settings_.topic, [this](const BusEvent& event) { heard(event); });
  if (!attached) {
    throw ConfigError("cache " + settings_.cache + ": topic: " + attached.error().message());
  }
  attached_ = std::move(*attached);
}

void InvalidationFeed::tell(InvalidationNote note) {
  {
    const std::scoped_lock lock(mutex_);
    const bool last_words = leaving_ && note.kind != kFarewellNote;
    enqueue(std::move(note));
    if (last_words) enqueue({.kind = kFarewellNote});
  }
  send();
}

// Not before the runtime has started: nobody would ever end what waits in it.
void InvalidationFeed::send() {
  RuntimeCore& core = runtime_.core();
  if (core.state() == RuntimeState::created) return;
  Gate::Pass inside = gate_.enter();
  IoThread* home = inside ? core.any_io() : nullptr;
  if (home == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);
    if (outbox_.empty() || std::exchange(sending_, true)) return;
  }
  asio::co_spawn(home->executor(), send_all(std::move(inside)), asio::detached);
}

// A bus that cannot follow: what is left unsaid is contained in "everything".
void InvalidationFeed::enqueue(InvalidationNote note) {
  if (outbox_.size() >= kMostWaiting) {
    outbox_.clear();
    note = {.kind = kAllNote};
  }
  outbox_.push_back(std::move(note));
}

// Numbers are given here: in the order of sending, and to nothing that was left unsaid.
std::optional<FeedMessage> InvalidationFeed::next() {
  const std::scoped_lock lock(mutex_);
  if (outbox_.empty()) {
    sending_ = false;
    return std::nullopt;
  }
  FeedMessage message{.sender = self_, .number = sent_, .note = std::move(outbox_.front())};
  outbox_.pop_front();
  const char kind = message.note.kind;
  if (kind != kBeatNote && kind != kFarewellNote) message.number = ++sent_;
  return message;
}

Task InvalidationFeed::send_all(Gate::Pass) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (const std::optional<FeedMessage> message = next()) {
    const Bytes payload = encode_message(settings_.key, *message);
    const Context whole = context();
    const auto publish = [&](const Context& own) {
      return bus_.publish(own, settings_.topic, payload);
    };
    Result<void> published;
    try {
      published = co_await with_deadline(whole, kPublishTimeout, publish);
    } catch (...) {
      published = error_from_current_exception();
    }
    // Who misses a message learns so from the number of the next.
    (published ? counters_.sent : counters_.failed).inc();
  }
}

Context InvalidationFeed::context() {
  const std::scoped_lock lock(mutex_);
  return context_;
}

void InvalidationFeed::cancel() {
  ContextOptions last;
  last.deadline = Deadline::after(runtime_.clock().now(), kLastWords);
  Context next(std::move(last));
  {
    const std::scoped_lock lock(mutex_);
    std::swap(context_, next);
  }
  next.cancel(CancelReason::shutdown);
}

void InvalidationFeed::tick() {
  bool silence = false;
  bool leaving = false;
  {
    const std::scoped_lock lock(mutex_);
    silence = watch_.silence(runtime_.clock().now().time_since_epoch().count());
    leaving = leaving_;
  }
  if (silence) missed_something();
  if (!leaving) tell({.kind = kBeatNote});
}

void InvalidationFeed::leave() {
  {
    const std::scoped_lock lock(mutex_);
    leaving_ = true;
  }
  tell({.kind = kFarewellNote});
}

// Whoever does not know the key is not of us. If it was one of us, garbled on the way, its number
// is missing.
void InvalidationFeed::heard(const BusEvent& event) {
  const std::optional<FeedMessage> message = decode_message(settings_.key, event.payload);
  if (!message) return counters_.foreign.inc();
  if (message->sender == self_) return;
  switch (judge(*message)) {
    case Verdict::ignore:
      return;
    case Verdict::gap:
      return missed_something();
    case Verdict::apply:
      counters_.applied.inc();
      return apply_(message->note);
  }
}

Verdict InvalidationFeed::judge(const FeedMessage& message) {
  const decide::Nanos now = runtime_.clock().now().time_since_epoch().count();
  const std::scoped_lock lock(mutex_);
  switch (message.note.kind) {
    case kBeatNote:
      return watch_.beat(message.sender, message.number, now);
    case kFarewellNote:
      return watch_.farewell(message.sender, message.number, now);
    default:
      return watch_.message(message.sender, message.number, now);
  }
}

void InvalidationFeed::missed_something() {
  counters_.gaps.inc();
  runtime_.telemetry().log().warn("invalidations may have been missed: the cache is emptied",
                                  {{"cache", settings_.cache}, {"topic", settings_.topic}});
  apply_({.kind = kAllNote});
}

}  // namespace aiserve::inline v0::detail
