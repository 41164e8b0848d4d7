// pause_cpu: tells the core that this is a spinning loop.
#pragma once

namespace aiserve::inline v0::detail {

inline void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace aiserve::inline v0::detail
