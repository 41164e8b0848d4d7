#pragma once

#include <string>

namespace aiserve::inline v0::detail {

/// Names the calling thread for gdb and top; the kernel keeps 15 characters.
void name_this_thread(const std::string& name) noexcept;

}  // namespace aiserve::inline v0::detail
