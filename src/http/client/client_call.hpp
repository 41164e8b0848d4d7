// ClientCall: one call of the host's: its attempts, pauses between them, and redirects.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aiserve/http/client_request.hpp"
#include "decide/call_retry.hpp"
#include "http/client/client_exchange.hpp"
#include "http/client/wire_head.hpp"

namespace aiserve::inline v0::http::detail {

class ClientCall {
 public:
  // `whole`: read the body, too, so that what breaks within it can be asked for again. `ctx` has
  // the deadline of the call, at latest `own`, by when the client itself wants it to end. All must
  // outlive it.
  ClientCall(ClientCore& core, ClientThread& thread, const Context& ctx, Deadline own,
             const ClientRequest& request, bool whole);

  // Until there is an answer.
  Async<void> run();
  ResponseHead& head() noexcept { return exchange_->head(); }
  std::string& body() noexcept { return body_; }
  std::unique_ptr<ClientExchange> take_exchange() noexcept { return std::move(exchange_); }

 private:
  Async<void> answer_here();
  Async<void> attempt(OriginPool& pool, OriginPool::Permit& permit, bool fresh);
  Async<void> exchange(OriginPool& pool, bool fresh);
  Async<void> read_body();
  std::unique_ptr<RequestSender> sender() const;
  // A further attempt would have no second effect, and the body is there once more.
  bool repeatable() const noexcept;
  void settle(OriginPool::Permit& permit, const Result<void>& came);
  bool stale_at_first(const Result<void>& came, bool fresh) const;
  bool given_up(const Result<void>& came) const;
  // How long to wait before the next attempt; nothing: there is none.
  std::optional<Duration> pause(OriginPool& pool, const Result<void>& came);
  Duration asked_to_wait(const Result<void>& came) const;
  Duration remaining() const noexcept;
  // Where to go on; nothing: the answer is for the caller.
  Result<std::optional<Url>> redirect();

  ClientCore& core_;
  ClientThread& thread_;
  const Context& ctx_;
  const ClientRequest& request_;
  const bool whole_;
  const bool hurried_;  // by the Context: less time than the client would give
  std::optional<Url> url_;
  Method method_;
  bool with_body_ = true;
  bool own_origin_ = true;
  int redirects_ = 0;
  int attempts_ = 0;
  decide::CallOutcome outcome_;
  std::unique_ptr<ClientExchange> exchange_;
  bool begun_ = false;  // the source of the body was asked
  std::string body_;
};

}  // namespace aiserve::inline v0::http::detail
