// Herald: tells other processes that jobs became ready, and hears it of them: NOTIFY and LISTEN on
// a connection and a thread of its own.
//
// A notification is a transaction of its own, after the commit that it tells of: a commit that
// notifies takes a lock of the whole cluster, which would queue up everybody's commits. At most one
// per kInterval, however many jobs. What gets lost, polls find.
// *Thread safety:* any thread.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "aiserve/core/runtime.hpp"
#include "postgres/connection.hpp"
#include "postgres/postgres_core.hpp"
#include "postgres/wake_event.hpp"

namespace aiserve::inline v0::pg {

class Herald {
 public:
  static constexpr std::chrono::milliseconds kInterval{20};

  /// `heard` is called on the herald's thread. `listens` is false behind a pooler that gives each
  /// transaction another server connection.
  Herald(Runtime& runtime, Connection::Options options, bool listens, std::function<void()> heard);
  ~Herald();
  Herald(const Herald&) = delete;
  Herald& operator=(const Herald&) = delete;

  /// Others are told soon.
  void tell() noexcept;
  /// How many notifications were sent.
  std::uint64_t told() const noexcept { return told_.load(std::memory_order_relaxed); }

 private:
  void start();
  void stop() noexcept;
  void run();
  void serve();
  void open();
  void send();
  void hear();

  Runtime& runtime_;
  WakeEvent stop_;
  WakeEvent wake_;
  const std::string name_;  // of this process, so that it does not hear itself
  const bool listens_;
  const std::function<void()> heard_;
  Connection connection_;
  std::atomic<bool> asked_{false};
  std::atomic<std::uint64_t> told_{0};
  Until quiet_until_{};
  std::thread thread_;
  Attachment attachment_;
};

/// One notification, of a process that does not stay long enough to have a herald.
Async<void> tell_once(PostgresCore& core, const Context& ctx);

}  // namespace aiserve::inline v0::pg
