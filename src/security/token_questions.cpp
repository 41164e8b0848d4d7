#include "security/token_questions.hpp"

#include <chrono>

namespace aiserve::inline v0::detail {

bool TokenQuestions::Seat::join(const WaiterPtr& waiter) {
  const std::scoped_lock lock(all_.mutex_);
  const auto found = all_.questions_.find(digest_);
  leads_ = found == all_.questions_.end();
  if (leads_) {
    question_ = std::make_shared<Question>();
    all_.questions_.emplace(digest_, question_);
    return true;
  }
  if (all_.waiting_ >= all_.most_waiting_) return false;
  ++all_.waiting_;
  question_ = found->second;
  question_->waiting.push_back(waiter);
  return true;
}

void TokenQuestions::Seat::leave(const WaiterPtr& waiter) {
  const std::scoped_lock lock(all_.mutex_);
  --all_.waiting_;
  std::erase(question_->waiting, waiter);
}

Async<void> TokenQuestions::Seat::take(const Context& ctx) {
  const auto waiter = make_intrusive<Operation>();
  if (!waiter->bind(&all_.core_)) co_return Error(Errc::internal, "not on an I/O thread");
  if (!join(waiter)) {
    co_return Error(Errc::overloaded, "too many requests wait for the issuer of their token")
        .retry_after(std::chrono::seconds(1));
  }
  if (leads_) co_return success();
  waiter->watch(ctx);
  co_await waiter->wait();
  leave(waiter);
  if (waiter->outcome() != Operation::Outcome::completed) co_return waiter->error();
  leads_ = !question_->answer;
  co_return success();
}

void TokenQuestions::Seat::tell(const Result<Principal>& answer) {
  const std::scoped_lock lock(all_.mutex_);
  leads_ = false;
  question_->answer.emplace(answer);
  all_.questions_.erase(digest_);
  for (const WaiterPtr& waiter : question_->waiting) {
    waiter->settle(Operation::Outcome::completed);
  }
  question_->waiting.clear();
}

TokenQuestions::Seat::~Seat() {
  if (!leads_) return;
  const std::scoped_lock lock(all_.mutex_);
  while (!question_->waiting.empty()) {
    const WaiterPtr next = std::move(question_->waiting.front());
    question_->waiting.pop_front();
    if (next->settle(Operation::Outcome::completed)) return;
  }
  all_.questions_.erase(digest_);
}

}  // namespace aiserve::inline v0::detail
