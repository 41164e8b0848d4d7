// FakeVerifier: takes the tokens it was told of; those that begin with "slow" only after a second,
// as a verifier that has to ask somebody.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aiserve/security/token_verifier.hpp"

namespace aiserve::http {

class FakeVerifier final : public TokenVerifier {
 public:
  FakeVerifier& takes(const std::string& token, PrincipalSpec spec) {
    known_.insert_or_assign(token, Principal(std::move(spec)));
    return *this;
  }
  void fail_with(Error error) { failure_ = std::move(error); }

  std::optional<Result<Principal>> try_verify(std::string_view token) override {
    ++asked;
    if (token.starts_with("slow")) return std::nullopt;
    return answer(token);
  }
  Async<Principal> verify(const Context& ctx, std::string_view token) override {
    if (Result<void> waited = co_await sleep(ctx, std::chrono::seconds(1)); !waited) {
      co_return std::move(waited).error();
    }
    co_return answer(token);
  }

  int asked = 0;

 private:
  Result<Principal> answer(std::string_view token) const {
    if (failure_) return *failure_;
    const auto found = known_.find(token);
    if (found != known_.end()) return found->second;
    return Error(Errc::unauthenticated, "the token is not known");
  }

  std::map<std::string, Principal, std::less<>> known_;
  std::optional<Error> failure_;
};

}  // namespace aiserve::http
