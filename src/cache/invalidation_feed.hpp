// InvalidationFeed: tells other nodes what was invalidated here, and does here what they tell. When
// something they told may have been missed, everything is forgotten.
//
// Nothing is asked of the bus but that it delivers most of the time: messages are numbered, and
// every second a node says how far it is (decide/sequence_watch.hpp).
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/events/event_bus.hpp"
#include "cache/drain_gate.hpp"
#include "cache/invalidation_note.hpp"
#include "decide/sequence_watch.hpp"

namespace aiserve::inline v0::detail {

class InvalidationFeed {
 public:
  using Apply = std::function<void(const InvalidationNote&)>;
  struct Settings {
    std::string cache;
    std::string topic;
    DigestKey key;
  };

  /// Follows the topic from now on. A drain waits at `gate` for what is still to be told. Throws
  /// ConfigError when the bus refuses the topic.
  InvalidationFeed(Runtime& runtime, DrainGate& gate, EventBus& bus, Settings settings,
                   Apply apply);

  /// Any thread. What is told together leaves in order, behind the caller's back.
  void tell(InvalidationNote note);
  /// Begins to send what waits; after tell() and at the runtime's start.
  void send();
  /// About once a second.
  void tick();
  /// The runtime begins to stop: others shall not take our silence for a loss.
  void leave();
  /// The runtime's patience is over: what is still told has a second, all together.
  void cancel();

 private:
  struct Counters {
    Counter& sent;
    Counter& failed;
    Counter& applied;
    Counter& foreign;
    Counter& gaps;
  };
  static Counters counters_of(Metrics& metrics, const std::string& cache);

  Context context();
  void enqueue(InvalidationNote note);
  std::optional<FeedMessage> next();
  Task send_all(Gate::Pass inside);
  void heard(const BusEvent& event);
  decide::SequenceWatch::Verdict judge(const FeedMessage& message);
  void missed_something();

  Runtime& runtime_;
  DrainGate& gate_;
  EventBus& bus_;
  const Settings settings_;
  const Apply apply_;
  const std::uint64_t self_;
  const Counters counters_;
  std::mutex mutex_;  // what follows
  Context context_;   // of what is sent
  std::deque<InvalidationNote> outbox_;
  std::uint64_t sent_ = 0;
  bool sending_ = false;
  bool leaving_ = false;
  decide::SequenceWatch watch_;
  Attached attached_;  // last: the sink uses all above
};

}  // namespace aiserve::inline v0::detail
