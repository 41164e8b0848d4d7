// Lookups of names by a resolver that hangs until it is told to go on, and on simulated time.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/testing/sim_runtime.hpp"
#include "http/client/name_lookups.hpp"
#include "unit/http/client_host.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using detail::Addresses;
using detail::LookupLimits;
using detail::NameLookups;
using Names = std::vector<std::string>;

// Holds fast every name that was not let go.
class Hanging {
 public:
  HostResolver resolver() {
    return [this](const std::string& host) -> Result<Names> {
      std::unique_lock lock(mutex_);
      asked_.push_back(host);
      changed_.notify_all();
      changed_.wait(lock, [&] { return all_ || let_go_.contains(host); });
      return Names{"127.0.0.1"};
    };
  }
  void let_go(const std::string& host) {
    const std::scoped_lock lock(mutex_);
    let_go_.insert(host);
    changed_.notify_all();
  }
  void let_all_go() {
    const std::scoped_lock lock(mutex_);
    all_ = true;
    changed_.notify_all();
  }
  void wait_for_questions(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() >= n; });
  }
  Names asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Names asked_;
  std::set<std::string> let_go_;
  bool all_ = false;
};

// Lookups on the threads of a Runtime that has one I/O thread: what is started first asks first.
struct Threads {
  // `at_once`: half of the threads for calls that block.
  explicit Threads(const LookupLimits& limits, int at_once = 1)
      : runtime({.blocking_threads = 2 * at_once}),
        lookups(runtime.core(), resolver.resolver(), limits) {
    runtime.start();
  }
  ~Threads() {
    resolver.let_all_go();
    runtime.shutdown();
  }
  Result<Addresses> find(const std::string& host, const Context& ctx = Context::background()) {
    return block_on(runtime, lookups.find(ctx, host));
  }
  void start(const Context& ctx, const std::string& host) {
    const auto ask = [this](const Context& own, const std::string& name) -> Async<void> {
      const Result<Addresses> found = co_await lookups.find(own, name);
      const std::scoped_lock lock(mutex);
      ended.push_back(name +
                      (found.ok() ? "" : ": " + std::string(traits(found.error().code()).label)));
      changed.notify_all();
      co_return success();
    };
    spawn(runtime, ctx, ask, host);
  }
  Names wait_for_ends(std::size_t n) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended.size() >= n; });
    return ended;
  }

  Runtime runtime;
  Hanging resolver;
  NameLookups lookups;
  std::mutex mutex;
  std::condition_variable changed;
  Names ended;
};

TEST_CASE("who gives up leaves, but the lookup keeps its place until it ends") {
  Threads t({.waiting = 0});
  const Context one{ContextOptions{}};
  t.start(one, "slow");
  t.resolver.wait_for_questions(1);
  one.cancel(CancelReason::user);
  CHECK(t.wait_for_ends(1) == Names{"slow: cancelled"});
  t.start(Context::background(), "slow");  // joins the one that nobody waited for
  CHECK(t.find("other").error().code() == Errc::overloaded);
  t.resolver.let_go("slow");
  CHECK(t.wait_for_ends(2).back() == "slow");
  t.resolver.let_all_go();
  CHECK(t.find("other").ok());
  CHECK(t.resolver.asked() == Names{"slow", "other"});
}

TEST_CASE("all who ask for a name while it is looked up share one lookup, also one that hangs") {
  Threads t({.waiting = 0}, 2);
  for (int i = 0; i < 20; ++i) t.start(Context::background(), "same");
  const Context leaver{ContextOptions{}};
  t.start(leaver, "same");
  t.resolver.wait_for_questions(1);
  CHECK(t.find("same", Context::background().with_deadline(Deadline(TimePoint()))).error().code() ==
        Errc::deadline_exceeded);
  leaver.cancel(CancelReason::user);
  CHECK(t.wait_for_ends(1) == Names{"same: cancelled"});
  t.resolver.let_all_go();
  const Names ended = t.wait_for_ends(21);
  CHECK(std::count(ended.begin(), ended.end(), "same") == 20);
  CHECK(t.resolver.asked() == Names{"same"});
}

TEST_CASE("names beyond the places wait in turn, those beyond the queue are overloaded") {
  Threads t({.waiting = 2});
  for (const char* name : {"a", "b", "c"}) t.start(Context::background(), name);
  CHECK(t.find("d").error().code() == Errc::overloaded);
  t.start(Context::background(), "b");                    // no new name
  CHECK(t.find("d").error().code() == Errc::overloaded);  // so the last has come, too
  t.resolver.let_all_go();
  CHECK(t.wait_for_ends(4) == Names{"a", "b", "b", "c"});
  CHECK(t.resolver.asked() == Names{"a", "b", "c"});
}

TEST_CASE("a name that nobody waits for any more is not looked up, and makes room") {
  Threads t({.waiting = 1});
  t.start(Context::background(), "a");
  const Context leaver{ContextOptions{}};
  t.start(leaver, "b");
  t.resolver.wait_for_questions(1);
  leaver.cancel(CancelReason::user);
  CHECK(t.wait_for_ends(1) == Names{"b: cancelled"});
  t.start(Context::background(), "c");
  t.resolver.let_all_go();
  CHECK(t.wait_for_ends(3) == Names{"b: cancelled", "a", "c"});
  CHECK(t.resolver.asked() == Names{"a", "c"});
}

TEST_CASE("names of several clients are looked up in turn") {
  Threads t({});
  NameLookups other(t.runtime.core(), t.resolver.resolver(), {});
  for (const char* name : {"a", "b", "c"}) t.start(Context::background(), name);
  t.resolver.wait_for_questions(1);
  spawn(t.runtime, Context::background(), [&](const Context& ctx) -> Async<void> {
    const std::string name = "other";
    (void)co_await other.find(ctx, name);
    co_return success();
  });
  CHECK(t.find("a", Context::background().with_deadline(Deadline(TimePoint()))).error().code() ==
        Errc::deadline_exceeded);  // so the other one has come
  t.resolver.let_all_go();
  CHECK(t.wait_for_ends(3) == Names{"a", "b", "c"});
  CHECK(t.resolver.asked() == Names{"a", "b", "other", "c"});
}

TEST_CASE("a resolver that hangs holds half of the blocking threads at most, of all clients") {
  Hanging resolver;
  Runtime runtime({.blocking_threads = 4});
  const ClientOptions patient{.resolve = resolver.resolver(), .connect_timeout = 1h, .timeout = 1h};
  Client first(runtime, patient);
  Client second(runtime, patient);
  runtime.start();
  const Context calls{ContextOptions{}};
  for (int i = 0; i < 20; ++i) {
    spawn(
        runtime, calls,
        [&first, &second](const Context& ctx, const std::string& url) -> Async<void> {
          Client& client = url.find('-') == std::string::npos ? first : second;
          (void)co_await client.get(ctx, url);
          co_return success();
        },
        (i % 2 == 0 ? "http://host" : "http://host-") + std::to_string(i) + ".example/");
  }
  resolver.wait_for_questions(2);
  // The other two threads work, both at the same time.
  std::mutex mutex;
  std::condition_variable changed;
  int there = 0;
  const auto meet = [&] {
    std::unique_lock lock(mutex);
    ++there;
    changed.notify_all();
    changed.wait(lock, [&] { return there == 2; });
  };
  const auto both = [&](const Context& ctx) -> Async<void> {
    const auto one = [&](const Context& own) { return runtime.blocking(own, meet); };
    const auto met = co_await all(ctx, one, one);
    co_return met.ok() ? success() : Result<void>(met.error());
  };
  CHECK(block_on(runtime, both(calls)).ok());
  CHECK(resolver.asked().size() == 2);
  calls.cancel(CancelReason::user);
  resolver.let_all_go();
  runtime.shutdown();
}

// A resolver that answers at once, on simulated time.
struct Simulated {
  explicit Simulated(LookupLimits limits) : lookups(sim.runtime().core(), resolver(), limits) {
    sim.start();
  }
  HostResolver resolver() {
    return [this](const std::string& host) -> Result<Names> {
      asked.push_back(host);
      if (throws) throw std::runtime_error("no resolver");
      return answer;
    };
  }
  Result<Addresses> find(const std::string& host) {
    return block_on(sim.runtime(), lookups.find(Context::background(), host));
  }
  testing::SimRuntime sim;
  Names asked;
  Result<Names> answer = Names{"192.0.2.1"};
  bool throws = false;
  NameLookups lookups;
};

TEST_CASE("addresses are remembered for a while, or until they are of no use") {
  Simulated s({.keep = 30s});
  CHECK(s.find("a").ok());
  s.answer = Names{"192.0.2.2"};
  s.sim.advance(29s);
  CHECK(s.find("a").value().front() == *detail::IpAddress::parse("192.0.2.1"));
  CHECK(s.asked.size() == 1);
  s.sim.advance(1s);
  CHECK(s.find("a").value().front() == *detail::IpAddress::parse("192.0.2.2"));
  CHECK(s.asked.size() == 2);
  s.lookups.forget("a");
  s.lookups.forget("never asked for");
  CHECK(s.find("a").ok());
  CHECK(s.asked.size() == 3);
}

TEST_CASE("failures, and names without an address, are not remembered") {
  Simulated s({.keep = 30s});
  s.answer = Error(Errc::unavailable, "no");
  CHECK(s.find("a").error().code() == Errc::unavailable);
  s.answer = Names{"no address"};
  CHECK(s.find("a").error().code() == Errc::unavailable);
  s.answer = Names{};
  CHECK(s.find("a").value().empty());
  s.throws = true;
  CHECK(s.find("a").error().code() == Errc::internal);
  s.throws = false;
  s.answer = Names{"192.0.2.1"};
  CHECK(s.find("a").ok());
  CHECK(s.asked.size() == 5);
}

TEST_CASE("so many names are remembered, those first forgotten that would be anyway") {
  Simulated s({.remembered = 2, .keep = 30s});
  for (const char* name : {"a", "b", "c"}) {
    CHECK(s.find(name).ok());
    s.sim.advance(1s);
  }
  CHECK(s.find("b").ok());
  CHECK(s.find("c").ok());
  CHECK(s.asked.size() == 3);
  CHECK(s.find("a").ok());
  CHECK(s.asked.size() == 4);
}

TEST_CASE("a client asks a resolver once for many connections, and again when none is taken") {
  std::atomic<int> questions{0};
  HostResolver resolve = [&](const std::string&) -> Result<Names> {
    ++questions;
    return Names{"127.0.0.1"};
  };
  ClientHost host({.resolve = resolve, .retry = {.attempts = 1}, .breaker = {.failures = 0}});
  host.start();
  const std::string url = "http://a.example:1/";  // nobody listens there
  CHECK(code_of(host.get(url)) == Errc::unavailable);
  CHECK(code_of(host.get(url)) == Errc::unavailable);
  CHECK(questions.load() == 2);
}

}  // namespace
}  // namespace aiserve::http
