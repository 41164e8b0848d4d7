#include "aiserve/events/memory_event_bus.hpp"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {
namespace {

// Recursive, so that a sink may detach itself.
struct Follower {
  explicit Follower(EventBus::Sink its_sink) : sink(std::move(its_sink)) {}

  void deliver(const BusEvent& event) {
    const std::scoped_lock lock(mutex);
    if (attached) sink(event);
  }
  void detach() {
    const std::scoped_lock lock(mutex);
    attached = false;
  }

  std::recursive_mutex mutex;
  bool attached = true;
  EventBus::Sink sink;
};

using Followers = std::vector<std::shared_ptr<Follower>>;

}  // namespace

// The lists are replaced, never changed: publishing takes one and calls it without the lock.
struct MemoryEventBus::State {
  std::shared_ptr<const Followers> find(std::string_view topic) const {
    const std::scoped_lock lock(mutex);
    const auto at = topics.find(topic);
    return at == topics.end() ? nullptr : at->second;
  }

  void add(std::string_view topic, const std::shared_ptr<Follower>& follower) {
    const std::scoped_lock lock(mutex);
    auto& place = topics[std::string(topic)];
    auto list =
        place == nullptr ? std::make_shared<Followers>() : std::make_shared<Followers>(*place);
    list->push_back(follower);
    place = std::move(list);
  }

  void remove(const std::string& topic, const std::shared_ptr<Follower>& follower) {
    const std::scoped_lock lock(mutex);
    const auto at = topics.find(topic);
    if (at == topics.end()) return;
    auto list = std::make_shared<Followers>(*at->second);
    std::erase(*list, follower);
    if (list->empty()) {
      topics.erase(at);
    } else {
      at->second = std::move(list);
    }
  }

  mutable std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Followers>, std::less<>> topics;
};

MemoryEventBus::MemoryEventBus() : state_(std::make_shared<State>()) {}
MemoryEventBus::~MemoryEventBus() = default;

Result<void> MemoryEventBus::publish_now(std::string_view topic, Bytes payload) {
  if (Result<void> valid = check_topic(topic); !valid) return valid;
  const auto followers = state_->find(topic);
  if (followers == nullptr) return success();
  const BusEvent event{std::string(topic), std::move(payload)};
  for (const auto& follower : *followers) follower->deliver(event);
  return success();
}

Async<void> MemoryEventBus::publish(const Context& ctx, std::string topic, Bytes payload) {
  if (ctx.cancelled()) co_return to_error(ctx.reason());
  co_return publish_now(topic, std::move(payload));
}

Result<Attached> MemoryEventBus::attach(std::string_view topic, Sink sink) {
  if (Result<void> valid = check_topic(topic); !valid) return std::move(valid).error();
  const auto follower = std::make_shared<Follower>(std::move(sink));
  state_->add(topic, follower);
  return Attached([state = state_, name = std::string(topic), follower] {
    state->remove(name, follower);
    follower->detach();
  });
}

std::size_t MemoryEventBus::followers(std::string_view topic) const {
  const auto list = state_->find(topic);
  return list == nullptr ? 0 : list->size();
}

}  // namespace aiserve::inline v0
