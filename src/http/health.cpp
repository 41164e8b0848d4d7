#include "aiserve/http/health.hpp"

#include "aiserve/core/runtime.hpp"
#include "core/json_text.hpp"

namespace aiserve::inline v0::http {

detail::PlainHandler live() {
  return [](const Context&, const Request&) { return json(R"({"status":"live"})"); };
}

detail::PlainHandler ready(const Runtime& runtime) {
  return [&runtime](const Context&, const Request&) {
    const Readiness readiness = runtime.readiness();
    if (readiness.ready) return json(R"({"status":"ready"})");
    v0::detail::JsonText text;
    text.begin_object().key("status").string("not ready");
    text.key("reasons").begin_array();
    for (const std::string& reason : readiness.reasons) text.string(reason);
    text.end_array().end_object();
    return json(std::move(text).text()).status(503);
  };
}

}  // namespace aiserve::inline v0::http
