/// Client: asks other services over HTTP/1.1, with the care a service needs: verified TLS, kept
/// connections, a bound on every wait and every size, no second effect, no address it should not
/// reach.
///
/// Timeouts hold beside the deadline of the Context, which goes along as Request-Timeout-Ms, as the
/// trace does as traceparent; cancelling the Context closes the connection. What may be repeated is
/// repeated, within a budget (ClientRetryOptions); an origin that fails is given a rest
/// (ClientBreakerOptions); addresses that are not public are refused unless they are allowed
/// (ClientOptions::allow_addresses). docs/client.md says more.
/// *Thread safety:* send() and open() on any I/O thread of the Runtime, each with connections of
/// its own. All calls end before the Client does. *Errors:* the constructor throws ConfigError.
/// Calls give invalid_argument (URL, fields), permission_denied (address, https to http),
/// overloaded (too many calls wait), unavailable (no connection, no trusted certificate, no
/// well-formed answer, an open breaker, with retry_after), too_large, deadline_exceeded, cancelled.
/// Any status is an answer.
///
///     http::Client client(runtime, {.name = "catalog", .timeout = 2s});
///     ...
///     http::ClientRequest request(http::Method::get, "https://catalog.example/v1/items/7");
///     Result<http::ClientResponse> item = co_await client.send(ctx, request);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/runtime.hpp>
#include <aiserve/http/client_options.hpp>
#include <aiserve/http/client_request.hpp>
#include <aiserve/http/client_response.hpp>
#include <aiserve/http/client_stream.hpp>

#include <memory>
#include <string>

namespace aiserve::inline v0::http {

namespace detail {
class ClientCore;
}

class Client {
 public:
  explicit Client(Runtime& runtime, ClientOptions options = {});
  /// Shuts the Runtime down first if it still runs.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The whole answer.
  Async<ClientResponse> send(const Context& ctx, ClientRequest request);
  Async<ClientResponse> get(const Context& ctx, std::string url) {
    return send(ctx, ClientRequest(Method::get, std::move(url)));
  }
  /// The answer's head; its body follows in pieces, without a limit unless the request has one.
  /// A call that has begun to answer is not repeated.
  Async<ClientStream> open(const Context& ctx, ClientRequest request);

  const ClientOptions& options() const noexcept;

 private:
  std::unique_ptr<detail::ClientCore> core_;
  Attachment attachment_;
};

}  // namespace aiserve::inline v0::http
