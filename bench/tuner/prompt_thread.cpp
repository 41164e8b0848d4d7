#include "tuner/prompt_thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

namespace tuner {
namespace {

bool set_policy(int policy, int priority) noexcept {
  sched_param parameters{};
  parameters.sched_priority = priority;
  return ::pthread_setschedparam(::pthread_self(), policy, &parameters) == 0;
}

}  // namespace

PromptThread::PromptThread() noexcept
    : slack_(::prctl(PR_GET_TIMERSLACK)), first_in_line_(set_policy(SCHED_RR, 1)) {
  ::prctl(PR_SET_TIMERSLACK, 1);
}

PromptThread::~PromptThread() {
  ::prctl(PR_SET_TIMERSLACK, slack_);
  if (first_in_line_) set_policy(SCHED_OTHER, 0);
}

}  // namespace tuner
