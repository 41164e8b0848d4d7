#include "aiserve/http/status.hpp"

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/core/version.hpp"
#include "core/json_text.hpp"

namespace aiserve::inline v0::http {

detail::PlainHandler status(const Runtime& runtime) {
  return [&runtime, started = runtime.clock().now()](const Context&, const Request&) {
    const auto up = runtime.clock().now() - started;
    v0::detail::JsonText text;
    text.begin_object();
    text.key("service").string(runtime.telemetry().service());
    text.key("version").string(version());
    text.key("commit").string(commit());
    text.key("uptime_s").number(std::chrono::duration<double>(up).count());
    text.key("runtime").raw(runtime.status());
    text.end_object();
    return json(std::move(text).text());
  };
}

}  // namespace aiserve::inline v0::http
