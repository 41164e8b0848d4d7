// SessionLink: how other threads, and coroutines between turns, wake the connection that has
// something new to send or room for more input. Outlives its session.
#pragma once

#include <atomic>
#include <memory>

#include "core/io_thread.hpp"

namespace aiserve::inline v0::http::detail {

class Session;

class SessionLink : private v0::detail::InboxNode,
                    public std::enable_shared_from_this<SessionLink> {
 public:
  SessionLink(v0::detail::IoThread& home, Session& session) noexcept
      : InboxNode(&SessionLink::run), home_(home), session_(&session) {}

  v0::detail::IoThread& home() const noexcept { return home_; }

  // Any thread: the session looks at its streams and sends what is there. Never blocks.
  void wake() noexcept {
    if (queued_.exchange(true, std::memory_order_acq_rel)) return;
    keep_ = shared_from_this();
    home_.push(this);
  }
  // Home thread: the session is not woken any more.
  void detach() noexcept { session_ = nullptr; }

 private:
  static void run(InboxNode* node) noexcept;

  v0::detail::IoThread& home_;
  Session* session_;                   // home thread only
  std::atomic<bool> queued_{false};    // in the inbox
  std::shared_ptr<SessionLink> keep_;  // so long as it is
};

}  // namespace aiserve::inline v0::http::detail
