#include "aiserve/events/event_bus.hpp"

#include <utility>

#include "events/mailbox.hpp"

namespace aiserve::inline v0 {

Subscription::Subscription(Attached attached, std::shared_ptr<detail::Mailbox> mailbox) noexcept
    : mailbox_(std::move(mailbox)), attached_(std::move(attached)) {}

Async<BusEvent> Subscription::next(const Context& ctx) {
  // The mailbox outlives a Subscription that is moved or destroyed meanwhile.
  const std::shared_ptr<detail::Mailbox> mailbox = mailbox_;
  if (mailbox == nullptr) co_return Error(Errc::cancelled, "no subscription");
  co_return co_await mailbox->next(ctx);
}

std::uint64_t Subscription::dropped() const noexcept {
  return mailbox_ == nullptr ? 0 : mailbox_->dropped();
}

void Subscription::close() noexcept {
  attached_.close();
  if (mailbox_ != nullptr) mailbox_->close();
}

Result<void> EventBus::check_topic(std::string_view topic) {
  if (!topic.empty() && topic.size() <= kMaxTopic) return success();
  return Error(Errc::invalid_argument, "a topic has 1 to 256 bytes");
}

Result<Subscription> EventBus::subscribe(std::string_view topic, const SubscribeOptions& options) {
  if (options.max_events == 0 || options.max_bytes == 0) {
    return Error(Errc::invalid_argument, "a subscription needs room for one event at least");
  }
  const auto mailbox = std::make_shared<detail::Mailbox>(options);
  Result<Attached> attached =
      attach(topic, [mailbox](const BusEvent& event) { mailbox->push(event); });
  if (!attached) return std::move(attached).error();
  return Subscription(std::move(*attached), mailbox);
}

}  // namespace aiserve::inline v0
