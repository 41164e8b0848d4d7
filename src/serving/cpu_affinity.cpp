#include "serving/cpu_affinity.hpp"

#include <string>

#include <pthread.h>
#include <sched.h>

namespace aiserve::inline v0::detail {

Result<void> pin_this_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set) == 0) return success();
  return Error(Errc::invalid_argument, "cannot run on CPU " + std::to_string(cpu));
}

}  // namespace aiserve::inline v0::detail
