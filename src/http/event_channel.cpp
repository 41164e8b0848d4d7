#include "aiserve/http/event_channel.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <utility>
#include <vector>

#include "aiserve/http/request.hpp"
#include "core/operation.hpp"
#include "core/random.hpp"
#include "http/event_queue.hpp"
#include "http/replay_buffer.hpp"

namespace aiserve::inline v0::http {
namespace {

using detail::EventQueue;
using detail::ReplayBuffer;

void check_range(const char* option, std::size_t value, std::size_t low, std::size_t high) {
  if (value >= low && value <= high) return;
  throw ConfigError("http: EventChannelOptions::" + std::string(option) + " is " +
                    std::to_string(value) + ", must be " + std::to_string(low) + " to " +
                    std::to_string(high));
}

EventChannelOptions checked(EventChannelOptions options) {
  check_range("replay_events", options.replay_events, 0, 1'000'000);
  check_range("replay_bytes", options.replay_bytes, 0, 1ULL << 30);
  check_range("newcomers_get", options.newcomers_get, 0, options.replay_events);
  check_range("max_followers", options.max_followers, 1, 10'000'000);
  if (!detail::is_one_line(options.reset_event)) {
    throw ConfigError("http: EventChannelOptions::reset_event has a line break or NUL");
  }
  return options;
}

// Tells the ids of this channel from those of others, and of earlier processes.
std::string epoch() {
  std::array<char, 16> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), v0::detail::random_u64(), 36);
  return {digits.data(), end.ptr};
}

// The stream's Context ends with its client, its server or the stream.
Async<void> until_ended(const Context& ctx) {
  const auto end = v0::detail::make_intrusive<v0::detail::Operation>();
  if (!end->bind(nullptr)) co_return Error(Errc::internal, "not on an I/O thread");
  end->watch(ctx);
  co_await end->wait();
  co_return success();
}

}  // namespace

class EventChannel::Impl {
 public:
  explicit Impl(EventChannelOptions options);

  Result<void> send(const Event& event);
  Result<void> join(std::string_view last_id, const std::shared_ptr<EventQueue>& queue);
  void leave(const EventQueue& queue) noexcept;
  void close() noexcept;
  std::size_t followers() const noexcept;

  static Async<void> follow(std::shared_ptr<Impl> self, const Context& ctx, std::string last_id,
                            std::shared_ptr<EventQueue> queue);

 private:
  std::vector<Bytes> missed(std::string_view last_id, const EventQueue& queue) const;
  std::vector<Bytes> reset() const;

  const EventChannelOptions options_;
  mutable std::mutex mutex_;
  ReplayBuffer replay_;
  std::vector<std::shared_ptr<EventQueue>> followers_;
  bool closed_ = false;
};

EventChannel::Impl::Impl(EventChannelOptions options)
    : options_(checked(std::move(options))),
      replay_(options_.replay_events, options_.replay_bytes, epoch()) {}

Result<void> EventChannel::Impl::send(const Event& event) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return Error(Errc::cancelled, "the event channel is closed");
  std::string id = event.id.empty() ? replay_.next_id() : std::string(event.id);
  Event numbered = event;
  numbered.id = id;
  Result<Bytes> wire = detail::encode(numbered);
  if (!wire) return wire.error();
  replay_.add(std::move(id), *wire);
  // Who is gone, or has fallen behind too far, follows no more.
  std::erase_if(followers_, [&](const auto& queue) { return !queue->push(*wire).ok(); });
  return success();
}

Result<void> EventChannel::Impl::join(std::string_view last_id,
                                      const std::shared_ptr<EventQueue>& queue) {
  const std::scoped_lock lock(mutex_);
  if (closed_) {
    queue->close();
    return success();
  }
  if (followers_.size() >= options_.max_followers) {
    std::erase_if(followers_, [](const auto& other) { return !other->open(); });
  }
  if (followers_.size() >= options_.max_followers) {
    return Error(Errc::overloaded, "too many clients follow these events");
  }
  for (const Bytes& wire : missed(last_id, *queue)) (void)queue->push(wire);
  followers_.push_back(queue);
  return success();
}

std::vector<Bytes> EventChannel::Impl::missed(std::string_view last_id,
                                              const EventQueue& queue) const {
  if (last_id.empty()) return replay_.newest(options_.newcomers_get);
  const auto wires = replay_.after(last_id);
  return wires && queue.fits(*wires) ? *wires : reset();
}

std::vector<Bytes> EventChannel::Impl::reset() const {
  if (options_.reset_event.empty()) return {};
  const Event event{.event = options_.reset_event, .id = replay_.last_id()};
  Result<Bytes> wire = detail::encode(event);
  return wire ? std::vector<Bytes>{*wire} : std::vector<Bytes>();
}

void EventChannel::Impl::leave(const EventQueue& queue) noexcept {
  const std::scoped_lock lock(mutex_);
  std::erase_if(followers_, [&](const auto& other) { return other.get() == &queue; });
}

void EventChannel::Impl::close() noexcept {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  for (const auto& queue : followers_) queue->close();
  followers_.clear();
}

std::size_t EventChannel::Impl::followers() const noexcept {
  const std::scoped_lock lock(mutex_);
  return followers_.size();
}

Async<void> EventChannel::Impl::follow(std::shared_ptr<Impl> self, const Context& ctx,
                                       std::string last_id, std::shared_ptr<EventQueue> queue) {
  if (Result<void> joined = self->join(last_id, queue); !joined) co_return joined;
  const Result<void> ended = co_await until_ended(ctx);
  self->leave(*queue);
  co_return ended;
}

EventChannel::EventChannel(EventChannelOptions options)
    : impl_(std::make_shared<Impl>(std::move(options))) {}

EventChannel::~EventChannel() { impl_->close(); }

Result<void> EventChannel::send(const Event& event) { return impl_->send(event); }
void EventChannel::close() noexcept { impl_->close(); }
std::size_t EventChannel::followers() const noexcept { return impl_->followers(); }

Async<void> EventChannel::follow(const Context& ctx, const Request& request, EventStream stream) {
  return Impl::follow(impl_, ctx, std::string(request.header("Last-Event-ID")),
                      std::move(stream.queue_));
}

}  // namespace aiserve::inline v0::http
