/// TokenVerifier: the port that turns a token or a key into a Principal. JwtVerifier,
/// ApiKeyVerifier and IntrospectionVerifier implement it; http::authenticate() asks it.
///
/// What can be answered from memory is answered by try_verify() without a coroutine; only what has
/// to ask somebody else goes through verify().
/// *Thread safety:* any thread; verify() on an I/O thread, as all that is awaited.
/// *Errors:* unauthenticated, with a message that may be shown, for a token that is not taken;
/// unavailable, overloaded or deadline_exceeded if that cannot be found out now.
///
///     std::optional<Result<Principal>> known = verifier.try_verify(token);
///     Result<Principal> who = known ? *known : co_await verifier.verify(ctx, token);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/context.hpp>
#include <aiserve/core/principal.hpp>
#include <aiserve/core/result.hpp>

#include <optional>
#include <string_view>

namespace aiserve::inline v0 {

class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  /// The answer, if it is to be had at once; nothing: ask verify().
  virtual std::optional<Result<Principal>> try_verify(std::string_view token) = 0;
  /// The answer, whatever it takes. The token's characters must outlive the operation.
  virtual Async<Principal> verify(const Context& ctx, std::string_view token) = 0;
};

}  // namespace aiserve::inline v0
