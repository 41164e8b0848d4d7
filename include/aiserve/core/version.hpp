// aiserve/core/version.hpp: which aiserve a program runs, as it was compiled into the library.
// (AISERVE_VERSION in <aiserve/config.hpp> is what the including file was compiled against.)
//
// Thread safety: any thread.
#pragma once

#include <string_view>

namespace aiserve::inline v0 {

/// The library's version, "0.1.0".
std::string_view version() noexcept;

/// The commit the library was built from, "4b825dc642cb" or "4b825dc642cb-dirty"; "unknown" when it
/// was not built from a git checkout.
std::string_view commit() noexcept;

}  // namespace aiserve::inline v0
