// OriginPool: the connections of one I/O thread to one origin, who waits for one, and what is known
// of the origin's health.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <utility>

#include "aiserve/core/async.hpp"
#include "aiserve/http/client_options.hpp"
#include "core/operation.hpp"
#include "decide/circuit_breaker.hpp"
#include "decide/retry_budget.hpp"
#include "http/client/client_metrics.hpp"
#include "http/client/client_socket.hpp"
#include "http/client/tls_sessions.hpp"

namespace aiserve::inline v0::http::detail {

class OriginPool {
 public:
  // The right to one connection; gives it to the next that waits.
  class [[nodiscard]] Slot {
   public:
    Slot() noexcept = default;
    explicit Slot(OriginPool& pool) noexcept : pool_(&pool) {}
    Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(pool_, other.pool_);
      return *this;
    }
    ~Slot() {
      if (pool_ != nullptr) pool_->leave();
    }

   private:
    OriginPool* pool_ = nullptr;
  };

  // While a call has to do with the origin, also between two attempts, it is not forgotten.
  class Pin {
   public:
    explicit Pin(OriginPool& pool) noexcept : pool_(pool) { ++pool_.calls_; }
    ~Pin() { --pool_.calls_; }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    OriginPool& pool_;
  };

  // The breaker's leave for one attempt. A probe that ends without a report is another call's.
  class Permit {
   public:
    explicit Permit(OriginPool& pool) noexcept : pool_(pool) {}
    ~Permit() { drop(); }
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;

    // True if it is held, or given now; else `rest` says how long the origin is left alone.
    bool ask(Duration& rest) noexcept;
    // Both give it back.
    void report(bool failure) noexcept;
    void drop() noexcept;

   private:
    OriginPool& pool_;
    bool held_ = false;
    bool probe_ = false;
  };

  OriginPool(v0::detail::IoThread& home, const ClientOptions& options, ClientMetrics& metrics);
  ~OriginPool();
  OriginPool(const OriginPool&) = delete;
  OriginPool& operator=(const OriginPool&) = delete;

  // Errors: overloaded, and the Context's.
  Async<Slot> enter(const Context& ctx);
  // The one used last whose peer is still there.
  std::optional<IdleConnection> take_idle();
  void keep(IdleConnection connection);

  decide::RetryBudget& budget() noexcept { return budget_; }
  TlsSessions& sessions() noexcept { return sessions_; }

  v0::detail::IoThread& home() const noexcept { return home_; }
  ClientMetrics& metrics() const noexcept { return metrics_; }
  bool in_use() const noexcept { return calls_ != 0 || busy_ != 0; }
  TimePoint last_used() const noexcept { return last_used_; }

 private:
  struct Idle;
  void report(bool failure) noexcept;
  void leave() noexcept;
  void drop(Idle& idle) noexcept;
  decide::Nanos now() const noexcept;

  v0::detail::IoThread& home_;
  const ClientOptions& options_;
  ClientMetrics& metrics_;
  TlsSessions sessions_;  // outlives the connections
  std::size_t calls_ = 0;
  std::size_t busy_ = 0;
  std::deque<v0::detail::IntrusivePtr<v0::detail::Operation>> waiting_;
  std::list<Idle> idle_;  // used last at the back
  decide::CircuitBreaker breaker_;
  decide::RetryBudget budget_;
  TimePoint last_used_{};
};

}  // namespace aiserve::inline v0::http::detail
