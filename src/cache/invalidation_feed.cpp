#include "cache/invalidation_feed.hpp"

#include <utility>

#include "core/random.hpp"

namespace aiserve::inline v0::detail {
namespace {

using Verdict = decide::SequenceWatch::Verdict;
using namespace std::chrono_literals;

constexpr std::size_t kMostWaiting = 65'536;
constexpr std::size_t kMostSenders = 4'096;
constexpr Duration kPublishTimeout = 5s;
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

InvalidationFeed::InvalidationFeed(Runtime& runtime, Gate& gate, EventBus& bus, Settings settings,
                                   Apply apply)
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
  if (!begin_to_send()) return;
  auto send = [this, inside = gate_.enter()](const Context&) -> Async<void> {
    if (inside) co_return co_await send_all();
    co_return success();
  };
  spawn(runtime_, context_, std::move(send));
}

// A bus that cannot follow: what is left unsaid is contained in "everything".
void InvalidationFeed::enqueue(InvalidationNote note) {
  if (outbox_.size() >= kMostWaiting) {
    outbox_.clear();
    note = {.kind = kAllNote};
  }
  outbox_.push_back(std::move(note));
}

bool InvalidationFeed::begin_to_send() {
  const std::scoped_lock lock(mutex_);
  return !std::exchange(sending_, true);
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

Async<void> InvalidationFeed::send_all() {
  while (const std::optional<FeedMessage> message = next()) {
    const Bytes payload = encode_message(settings_.key, *message);
    const auto publish = [&](const Context& own) {
      return bus_.publish(own, settings_.topic, payload);
    };
    // Who misses a message learns so from the number of the next.
    const Result<void> published = co_await with_deadline(context_, kPublishTimeout, publish);
    (published ? counters_.sent : counters_.failed).inc();
  }
  co_return success();
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
