#include "aiserve/http/hooks.hpp"

#include "aiserve/core/context.hpp"

namespace aiserve::inline v0::http {

Async<Response> Next::operator()(const Context& ctx, const Request& request) const {
  try {
    co_return co_await rest_(ctx, request);
  } catch (...) {
    co_return error_from_current_exception();
  }
}

namespace detail {

bool is_under(std::string_view path, std::string_view prefix) noexcept {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

BeforeHook under(std::string prefix, BeforeHook hook) {
  return [prefix = std::move(prefix), hook = std::move(hook)](
             Context& ctx, const Request& request) -> std::optional<Response> {
    if (!is_under(request.path(), prefix)) return std::nullopt;
    return hook(ctx, request);
  };
}

AroundHook under(std::string prefix, AroundHook hook) {
  return [prefix = std::move(prefix), hook = std::move(hook)](
             const Context& ctx, const Request& request, const Next& next) -> Async<Response> {
    if (!is_under(request.path(), prefix)) return next(ctx, request);
    return hook(ctx, request, next);
  };
}

AfterHook under(std::string prefix, AfterHook hook) {
  return [prefix = std::move(prefix), hook = std::move(hook)](
             const Context& ctx, const Request& request, Response& response) {
    if (is_under(request.path(), prefix)) hook(ctx, request, response);
  };
}

}  // namespace detail
}  // namespace aiserve::inline v0::http
