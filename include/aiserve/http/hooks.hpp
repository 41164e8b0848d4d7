/// Hooks: what a server does before, after and around its handlers: middleware, as ordinary
/// functions.
///
///     before   void             (Context&, const Request&)    may change the Context
///              Result<void>     (Context&, const Request&)    an Error answers
///              std::optional<Response>(Context&, const Request&)   a Response answers
///              Async<void>        (Context&, const Request&)    may wait
///     around   Async<Response>  (const Context&, const Request&, const Next&)
///     after    void             (const Context&, const Request&, Response&)   may change it
///
/// `before` runs when the head is complete and before the body is read (Request::body() is empty
/// then). One that waits runs when the body has come, within the route's limits, or at once if the
/// body is streamed, and so do the hooks behind it. `around` is a coroutine: it may wait, call the
/// rest with co_await next(ctx, request), once, with a Context of its own if it likes, or answer
/// itself; it wraps handlers that take the request as a whole and return a Response, Result or
/// Async of one, and passes streams and WebSockets by: what must hold for them, too, belongs in
/// `before`. `after` sees every response to a request that had a route.
///
/// Order: the server's before hooks, the route's; the body; the server's around hooks, the route's,
/// the handler, and back; the route's after hooks, the server's; compression. Each kind in the
/// order given, around hooks from the outside in.
/// *Thread safety:* hooks run on I/O threads, with several of them on several at once, and must not
/// block. *Errors:* exceptions become problems, as those of handlers.
///
///     http::Hooks hooks;
///     hooks.before(http::limit(strict)).around(http::idempotent(runs));
///     server.post("/v1/payments", pay, {.hooks = hooks});
#pragma once

#include <aiserve/http/handler.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace aiserve::inline v0::http {

/// What an around hook goes on with: the hooks inside of it and the handler.
class Next {
 public:
  explicit Next(detail::AsyncHandler rest) noexcept : rest_(std::move(rest)) {}
  /// Never throws: what the rest throws is the Error it would have become.
  Async<Response> operator()(const Context& ctx, const Request& request) const;

 private:
  detail::AsyncHandler rest_;
};

namespace detail {

using BeforeHook = std::function<std::optional<Response>(Context&, const Request&)>;
using AroundHook = std::function<Async<Response>(const Context&, const Request&, const Next&)>;
using AfterHook = std::function<void(const Context&, const Request&, Response&)>;

/// What a before hook has to wait for: ends in an answer, or in nothing if the request may go on.
class PendingCheck {
 public:
  using Run = std::function<Async<std::optional<Response>>(Context&, const Request&)>;
  explicit PendingCheck(Run its_run) : run(std::move(its_run)) {}
  const Run run;
};
/// What the hook gives meanwhile; the check may be that of many requests.
Response pending(std::shared_ptr<const PendingCheck> check);

template <class F>
Async<std::optional<Response>> run_check(const F& hook, Context& ctx, const Request& request) {
  const Result<void> allowed = co_await hook(ctx, request);
  if (!allowed.ok()) co_return problem(ctx, allowed.error());
  co_return std::optional<Response>();
}

template <class F>
BeforeHook make_before(F hook) {
  static_assert(std::is_invocable_v<F&, Context&, const Request&>,
                "a before hook takes (Context&, const http::Request&)");
  using R = std::invoke_result_t<F&, Context&, const Request&>;
  if constexpr (std::is_convertible_v<R, std::optional<Response>>) {
    return BeforeHook(storable(std::move(hook)));
  } else if constexpr (std::is_same_v<R, Async<void>>) {
    auto check = std::make_shared<const PendingCheck>(
        [hook = storable(std::move(hook))](Context& ctx, const Request& request) {
          return run_check(hook, ctx, request);
        });
    return [check = std::move(check)](Context&, const Request&) -> std::optional<Response> {
      return pending(check);
    };
  } else {
    return [hook = storable(std::move(hook))](Context& ctx,
                                              const Request& request) -> std::optional<Response> {
      if constexpr (std::is_void_v<R>) {
        hook(ctx, request);
      } else {
        const Result<void> allowed = hook(ctx, request);
        if (!allowed.ok()) return problem(ctx, allowed.error());
      }
      return std::nullopt;
    };
  }
}

bool is_under(std::string_view path, std::string_view prefix) noexcept;
BeforeHook under(std::string prefix, BeforeHook hook);
AroundHook under(std::string prefix, AroundHook hook);
AfterHook under(std::string prefix, AfterHook hook);

template <class F>
constexpr bool kIsAround = std::is_invocable_v<F&, const Context&, const Request&, const Next&>;
template <class F>
constexpr bool kIsAfter = std::is_invocable_v<F&, const Context&, const Request&, Response&>;

}  // namespace detail

/// A hook, of any kind, for a group of routes: those under a prefix, "/v1" for "/v1" and "/v1/...".
/// Paths are decoded once and free of tricks, so none is another in disguise.
///     server.before(http::under("/v1", check_token)).around(http::under("/v1", count));
template <class F>
auto under(std::string prefix, F hook) {
  if constexpr (detail::kIsAround<F>) {
    return detail::under(std::move(prefix), detail::AroundHook(detail::storable(std::move(hook))));
  } else if constexpr (detail::kIsAfter<F>) {
    return detail::under(std::move(prefix), detail::AfterHook(detail::storable(std::move(hook))));
  } else {
    return detail::under(std::move(prefix), detail::make_before(std::move(hook)));
  }
}

class Hooks {
 public:
  template <class F>
  Hooks& before(F hook) {
    before_.push_back(detail::make_before(std::move(hook)));
    return *this;
  }
  template <class F>
  Hooks& around(F hook) {
    static_assert(detail::kIsAround<F>,
                  "an around hook takes (const Context&, const "
                  "http::Request&, const http::Next&)");
    around_.emplace_back(detail::storable(std::move(hook)));
    return *this;
  }
  template <class F>
  Hooks& after(F hook) {
    after_.emplace_back(detail::storable(std::move(hook)));
    return *this;
  }

  const std::vector<detail::BeforeHook>& before() const noexcept { return before_; }
  const std::vector<detail::AroundHook>& around() const noexcept { return around_; }
  const std::vector<detail::AfterHook>& after() const noexcept { return after_; }

 private:
  std::vector<detail::BeforeHook> before_;
  std::vector<detail::AroundHook> around_;
  std::vector<detail::AfterHook> after_;
};

}  // namespace aiserve::inline v0::http
