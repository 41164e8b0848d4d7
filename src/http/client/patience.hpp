// Whose patience is over.
#pragma once

#include "aiserve/core/context.hpp"
#include "core/io_thread.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::http::detail {

// The caller's, not that with the service. On an I/O thread.
inline bool is_over(const Context& ctx) {
  return !ctx.check(v0::detail::IoThread::current()->core().clock().now()).ok();
}

}  // namespace aiserve::inline v0::http::detail
