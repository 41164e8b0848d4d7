#include "core/thread_name.hpp"

#include <pthread.h>

namespace aiserve::inline v0::detail {

void name_this_thread(const std::string& name) noexcept {
  const std::string kept = name.substr(0, 15);
  pthread_setname_np(pthread_self(), kept.c_str());
}

}  // namespace aiserve::inline v0::detail
