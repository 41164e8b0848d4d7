// TokenQuestions: the questions about tokens that are on their way. Who shows a token that somebody
// asks about already waits for that answer. The first to come asks for all; if it is cancelled, or
// its deadline is over, before there is an answer, the one that has waited longest asks next.
// *Thread safety:* the I/O threads of one Runtime.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "aiserve/core/async.hpp"
#include "aiserve/core/principal.hpp"
#include "core/operation.hpp"
#include "security/token_digest.hpp"

namespace aiserve::inline v0::detail {

class TokenQuestions {
  using WaiterPtr = IntrusivePtr<Operation>;
  struct Question {
    std::deque<WaiterPtr> waiting;
    std::optional<Result<Principal>> answer;  // set before they are woken
  };

 public:
  // `most_waiting`: callers that wait for another's question.
  TokenQuestions(const RuntimeCore& core, std::size_t most_waiting) noexcept
      : core_(core), most_waiting_(most_waiting) {}

  // That of one caller.
  class Seat {
   public:
    Seat(TokenQuestions& all, const TokenDigest& digest) noexcept : all_(all), digest_(digest) {}
    // Who leads and has told no answer leaves the lead to the next.
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    // Until there is an answer, or this caller is to ask. Errors: overloaded, and the Context's.
    Async<void> take(const Context& ctx);
    // After take(). Nothing: this caller is to ask, and to tell().
    const std::optional<Result<Principal>>& answer() const noexcept { return question_->answer; }
    void tell(const Result<Principal>& answer);

   private:
    // False: there are too many. Leads then, or `waiter` waits.
    bool join(const WaiterPtr& waiter);
    void leave(const WaiterPtr& waiter);

    TokenQuestions& all_;
    const TokenDigest digest_;
    std::shared_ptr<Question> question_;
    bool leads_ = false;
  };

 private:
  const RuntimeCore& core_;
  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::unordered_map<TokenDigest, std::shared_ptr<Question>, TokenDigestHash> questions_;
  std::size_t waiting_ = 0;
};

}  // namespace aiserve::inline v0::detail
