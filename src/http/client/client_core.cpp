#include "http/client/client_core.hpp"

#include "aiserve/core/telemetry.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::http::detail {

using v0::detail::IoThread;

namespace {

LookupLimits limits_of(const ClientOptions& options) noexcept {
  return {.waiting = options.max_lookups,
          .remembered = options.max_origins,
          .keep = options.keep_addresses};
}

}  // namespace

Result<OriginPool*> ClientThread::origin(const Url& url) {
  std::string name = url.origin();
  const auto known = origins_.find(name);
  if (known != origins_.end()) return known->second.get();
  if (origins_.size() >= options_.max_origins && !forget_one()) {
    return Error(Errc::overloaded, "calls to too many services are in flight");
  }
  auto pool = std::make_unique<OriginPool>(home_, options_, metrics_);
  return origins_.emplace(std::move(name), std::move(pool)).first->second.get();
}

// The one unused for longest.
bool ClientThread::forget_one() {
  auto oldest = origins_.end();
  for (auto at = origins_.begin(); at != origins_.end(); ++at) {
    if (at->second->in_use()) continue;
    const bool older =
        oldest == origins_.end() || at->second->last_used() < oldest->second->last_used();
    if (older) oldest = at;
  }
  if (oldest == origins_.end()) return false;
  origins_.erase(oldest);
  return true;
}

ClientCore::ClientCore(Runtime& its_runtime, ClientOptions its_options)
    : runtime(its_runtime),
      options(std::move(its_options)),
      guard(options.allow_addresses),
      tls(options.tls),
      metrics(runtime.telemetry().metrics(), options.name),
      names(runtime.core(), options.resolve, limits_of(options)),
      threads_(static_cast<std::size_t>(runtime.io_threads())) {}

ClientThread* ClientCore::here() {
  IoThread* const home = IoThread::current(&runtime.core());
  if (home == nullptr) return nullptr;
  auto& thread = threads_[static_cast<std::size_t>(home->index())];
  if (thread == nullptr) thread = std::make_unique<ClientThread>(*home, options, metrics);
  return thread.get();
}

Async<Addresses> ClientCore::addresses(const Context& ctx, const std::string& host) {
  Addresses found;
  if (const auto literal = IpAddress::parse(host)) {
    found.push_back(*literal);
  } else {
    Result<Addresses> looked_up = co_await names.find(ctx, host);
    if (!looked_up.ok()) co_return looked_up.error();
    found = std::move(*looked_up);
  }
  if (found.empty()) co_return Error(Errc::unavailable, "the service has no address");
  // At every use: what was remembered is trusted no more than what was just found.
  std::erase_if(found, [this](const IpAddress& address) { return !guard.permits(address); });
  if (found.empty()) {
    co_return Error(Errc::permission_denied, "the service's address is not one to connect to");
  }
  co_return found;
}

}  // namespace aiserve::inline v0::http::detail
