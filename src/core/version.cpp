#include <aiserve/config.hpp>
#include <aiserve/core/version.hpp>

#include "build_info.hpp"

namespace aiserve::inline v0 {

std::string_view version() noexcept { return AISERVE_VERSION; }

std::string_view commit() noexcept { return AISERVE_COMMIT; }

}  // namespace aiserve::inline v0
