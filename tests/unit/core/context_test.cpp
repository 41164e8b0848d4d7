#include "aiserve/core/context.hpp"

#include <atomic>
#include <thread>

#include <doctest/doctest.h>

using namespace aiserve;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint kNow{1000s};

struct Recorder : detail::CancelListener {
  Recorder() : CancelListener(&Recorder::called) {}
  static void called(CancelListener& self, CancelReason why) noexcept {
    static_cast<Recorder&>(self).reason = why;
    ++static_cast<Recorder&>(self).calls;
  }
  std::atomic<int> calls{0};
  CancelReason reason = CancelReason::none;
};
}  // namespace

TEST_CASE("the first cancellation reason wins") {
  const Context ctx{ContextOptions{}};
  CHECK_FALSE(ctx.cancelled());
  CHECK(ctx.cancel(CancelReason::client_gone));
  CHECK_FALSE(ctx.cancel(CancelReason::shutdown));
  CHECK(ctx.reason() == CancelReason::client_gone);
  CHECK(ctx.check(kNow).error().code() == Errc::cancelled);
}

TEST_CASE("children are cancelled with their parent, not the other way round") {
  const Context parent{ContextOptions{}};
  const Context child = parent.child();
  const Context sibling = parent.child();
  child.cancel(CancelReason::user);
  CHECK(child.cancelled());
  CHECK_FALSE(parent.cancelled());
  CHECK_FALSE(sibling.cancelled());
  parent.cancel(CancelReason::shutdown);
  CHECK(sibling.reason() == CancelReason::shutdown);
  CHECK(child.reason() == CancelReason::user);
  CHECK(parent.child().reason() == CancelReason::shutdown);
}

TEST_CASE("a child never has a later deadline than its parent") {
  const Deadline soon = Deadline::after(kNow, 10ms);
  const Context parent{ContextOptions{.deadline = soon}};
  CHECK(parent.with_deadline(Deadline::after(kNow, 1h)).deadline() == soon);
  CHECK(parent.with_deadline(Deadline::after(kNow, 1ms)).deadline() == Deadline::after(kNow, 1ms));
  CHECK(parent.check(kNow + 10ms).error().code() == Errc::deadline_exceeded);
  CHECK(parent.check(kNow).ok());
}

TEST_CASE("children inherit what they are not given") {
  const Context parent{ContextOptions{.request_id = "r-1",
                                      .tenant = Tenant({.id = TenantId("acme")}),
                                      .priority = Priority::background,
                                      .idempotency_key = "k"}};
  const Context child = parent.with_priority(Priority::interactive);
  CHECK(child.request_id() == "r-1");
  CHECK(child.tenant().id().value() == "acme");
  CHECK(child.priority() == Priority::interactive);
  CHECK(child.idempotency_key() == "k");
}

TEST_CASE("a request id is made on first use and stays") {
  const Context ctx{ContextOptions{}};
  const std::string first = ctx.request_id();
  CHECK(first.size() == 26);
  CHECK(ctx.request_id() == first);
  CHECK(ctx.child().request_id() == first);
  CHECK(Context{ContextOptions{}}.request_id() != first);
}

TEST_CASE("the background context cannot be cancelled") {
  CHECK_FALSE(Context::background().cancel(CancelReason::user));
  CHECK_FALSE(Context::background().cancelled());
  CHECK_FALSE(Context::background().cancellable());
  CHECK(Context::background().child().cancel(CancelReason::user));
}

TEST_CASE("listeners are called once, with the reason, unless they left before") {
  const Context ctx{ContextOptions{}};
  Recorder stays, leaves;
  REQUIRE(ctx.listen(stays));
  REQUIRE(ctx.listen(leaves));
  ctx.unlisten(leaves);
  ctx.cancel(CancelReason::slow_client);
  CHECK(stays.calls == 1);
  CHECK(stays.reason == CancelReason::slow_client);
  CHECK(leaves.calls == 0);
  CHECK_FALSE(ctx.listen(leaves));
  ctx.unlisten(stays);
}

TEST_CASE("a listener may leave its context while it is being called") {
  const Context ctx{ContextOptions{}};
  struct Leaver : detail::CancelListener {
    explicit Leaver(const Context& context) : CancelListener(&Leaver::called), ctx(context) {}
    static void called(CancelListener& self, CancelReason) noexcept {
      static_cast<Leaver&>(self).ctx.unlisten(self);
      static_cast<Leaver&>(self).called_once = true;
    }
    const Context& ctx;
    bool called_once = false;
  } leaver(ctx);
  REQUIRE(ctx.listen(leaver));
  ctx.cancel(CancelReason::user);
  CHECK(leaver.called_once);
}

TEST_CASE("a stop token is made on demand and stops with the context") {
  const Context ctx{ContextOptions{}};
  const std::stop_token before = ctx.stop_token();
  CHECK_FALSE(before.stop_requested());
  ctx.cancel(CancelReason::user);
  CHECK(before.stop_requested());
  CHECK(ctx.stop_token().stop_requested());
}
