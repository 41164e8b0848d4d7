#include "http/session_link.hpp"

#include "http/session.hpp"

namespace aiserve::inline v0::http::detail {

void SessionLink::run(InboxNode* node) noexcept {
  auto* const self = static_cast<SessionLink*>(node);
  const auto keep = std::move(self->keep_);
  self->queued_.store(false, std::memory_order_release);
  if (self->session_ != nullptr) self->session_->stream_ready();
}

}  // namespace aiserve::inline v0::http::detail
