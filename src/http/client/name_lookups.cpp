#include "http/client/name_lookups.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "core/operation.hpp"
#include "http/client/host_lookup.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using v0::detail::IntrusivePtr;
using v0::detail::make_intrusive;
using v0::detail::Operation;
using v0::detail::PoolShare;
using v0::detail::RuntimeCore;

Error too_many() {
  return Error(Errc::overloaded, "too many names wait to be resolved")
      .retry_after(std::chrono::milliseconds(100));
}

Result<Addresses> ask(const HostLookup& lookup) noexcept {
  try {
    return lookup();
  } catch (...) {
    return error_from_current_exception();
  }
}

// What is known of one name.
struct Entry {
  std::vector<IntrusivePtr<Operation>> waiting;
  std::optional<Result<Addresses>> found;  // set once, before those who wait are woken
  TimePoint until{};                       // to be remembered
};

}  // namespace

class NameLookups::Book final : public PoolShare::User, public std::enable_shared_from_this<Book> {
 public:
  Book(RuntimeCore& core, HostResolver resolve, const LookupLimits& limits)
      : core_(core), resolve_(std::move(resolve)), limits_(limits) {}

  // `waiter` is settled when the entry has an answer.
  Result<std::shared_ptr<Entry>> join(const std::string& host,
                                      const IntrusivePtr<Operation>& waiter) {
    bool is_new = false;
    Result<std::shared_ptr<Entry>> entry = enter(host, waiter, is_new);
    if (is_new) core_.endless_calls().want(weak_from_this());
    return entry;
  }

  // A name that nobody waits for any more is not looked up.
  void leave(const std::string& host, Entry& entry, const IntrusivePtr<Operation>& waiter) {
    const std::scoped_lock lock(mutex_);
    std::erase(entry.waiting, waiter);
    if (!entry.waiting.empty() || entry.found) return;
    if (std::erase(queue_, host) != 0) entries_.erase(host);
  }

  void forget(const std::string& host) {
    const std::scoped_lock lock(mutex_);
    const auto at = entries_.find(host);
    if (at != entries_.end() && at->second->found) entries_.erase(at);
  }

  PoolShare::Use take_place() override {
    const std::scoped_lock lock(mutex_);
    while (!queue_.empty()) {
      const std::string host = std::move(queue_.front());
      queue_.pop_front();
      const auto task = [self = shared_from_this(), host] { self->look_up(host); };
      if (core_.pool(false).submit(task)) {
        return queue_.empty() ? PoolShare::Use::taken : PoolShare::Use::taken_and_more_wanted;
      }
      end(host, too_many());
    }
    return PoolShare::Use::none;
  }

 private:
  Result<std::shared_ptr<Entry>> enter(const std::string& host,
                                       const IntrusivePtr<Operation>& waiter, bool& is_new) {
    const std::scoped_lock lock(mutex_);
    auto at = entries_.find(host);
    if (at != entries_.end() && is_over(*at->second)) {
      entries_.erase(at);
      at = entries_.end();
    }
    if (at == entries_.end()) {
      if (queue_.size() >= limits_.waiting && !core_.endless_calls().has_free()) return too_many();
      at = entries_.emplace(host, std::make_shared<Entry>()).first;
      queue_.push_back(host);
      is_new = true;
    }
    const std::shared_ptr<Entry> entry = at->second;
    if (entry->found) {
      waiter->settle(Operation::Outcome::completed);
    } else {
      entry->waiting.push_back(waiter);
    }
    return entry;
  }

  bool is_over(const Entry& entry) const noexcept {
    return entry.found && core_.clock().now() >= entry.until;
  }

  // On a thread of the pool.
  void look_up(const std::string& host) {
    const HostLookup lookup(host, resolve_);
    Result<Addresses> found = ask(lookup);
    {
      const std::scoped_lock lock(mutex_);
      end(host, std::move(found));
    }
    core_.endless_calls().release();
  }

  void end(const std::string& host, Result<Addresses> found) {
    const auto at = entries_.find(host);
    const std::shared_ptr<Entry> entry = at->second;
    const bool keep = found.ok() && !found->empty() && limits_.keep > Duration::zero();
    entry->until = core_.clock().now() + limits_.keep;
    entry->found.emplace(std::move(found));
    if (!keep) entries_.erase(at);
    for (const auto& waiter : entry->waiting) waiter->settle(Operation::Outcome::completed);
    entry->waiting.clear();
    forget_some();
  }

  // Those that would be forgotten first anyway.
  void forget_some() {
    while (entries_.size() > limits_.remembered) {
      auto oldest = entries_.end();
      for (auto at = entries_.begin(); at != entries_.end(); ++at) {
        if (!at->second->found) continue;
        if (oldest == entries_.end() || at->second->until < oldest->second->until) oldest = at;
      }
      if (oldest == entries_.end()) return;
      entries_.erase(oldest);
    }
  }

  RuntimeCore& core_;
  const HostResolver resolve_;
  const LookupLimits limits_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // waiting, running, or remembered
  std::deque<std::string> queue_;                          // of those, in turn
};

// Among those who wait, until it goes out of scope.
class NameLookups::Member {
 public:
  Member(Book& book, const std::string& host, const IntrusivePtr<Operation>& waiter)
      : book_(book), host_(host), waiter_(waiter), entry_(book.join(host, waiter)) {}
  ~Member() {
    if (entry_.ok()) book_.leave(host_, **entry_, waiter_);
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  const Result<std::shared_ptr<Entry>>& entry() const noexcept { return entry_; }

 private:
  Book& book_;
  const std::string& host_;
  const IntrusivePtr<Operation>& waiter_;
  Result<std::shared_ptr<Entry>> entry_;
};

NameLookups::NameLookups(RuntimeCore& core, HostResolver resolve, const LookupLimits& limits)
    : core_(core), book_(std::make_shared<Book>(core, std::move(resolve), limits)) {}
NameLookups::~NameLookups() = default;

Async<Addresses> NameLookups::find(const Context& ctx, const std::string& host) {
  const auto waiter = make_intrusive<Operation>();
  if (!waiter->bind(&core_)) co_return Error(Errc::internal, "not on an I/O thread");
  const std::shared_ptr<Book> book = book_;
  const Member member(*book, host, waiter);
  if (!member.entry().ok()) co_return member.entry().error();
  waiter->watch(ctx);
  co_await waiter->wait();
  if (waiter->outcome() != Operation::Outcome::completed) co_return waiter->error();
  const Result<Addresses>& found = *(*member.entry())->found;
  co_return found;
}

void NameLookups::forget(const std::string& host) { book_->forget(host); }

}  // namespace aiserve::inline v0::http::detail
