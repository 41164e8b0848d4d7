/// The line that says where the service listens: one, on stdout, as soon as it does. And the
/// configuration that holds, in /status.
/// *Thread safety:* call before the runtime starts.
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/http/server.hpp>

#include "config.hpp"

namespace service {

/// Attach last: what is attached before has started by then.
aiserve::Attachment announce(aiserve::Runtime& runtime, const Config& config,
                             const aiserve::http::Server& server,
                             const aiserve::http::Server& admin);

}  // namespace service
