/// Principal: who asks, as their token or key says: subject, tenant, scopes, until when.
///
/// Verifiers make it, Context carries it; see docs/auth.md. Immutable; copying costs one reference
/// count. *Thread safety:* values; distinct copies may be used from any thread.
///
///     if (!ctx.principal().has_scope("train")) {
///       return Error(Errc::permission_denied, "scope train is missing");
///     }
///     log.info("training", {{"by", ctx.principal().subject()}});
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tenant.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {

/// What a Principal is made of; name it before you await anything with it.
struct PrincipalSpec {
  /// A user or a program, as its issuer names it.
  std::string subject{};
  /// On whose behalf it asks. Empty: the anonymous tenant.
  TenantId tenant{};
  /// What it may do; order and repeats don't matter.
  std::vector<std::string> scopes{};
  /// When it is no longer believed. Default: never.
  WallTime expires = WallTime::max();
  /// More that is known of it, name and value: of a text the text, of anything else its JSON.
  std::vector<std::pair<std::string, std::string>> claims{};
};

class Principal {
 public:
  /// Nobody: asked without credentials.
  Principal() noexcept = default;
  explicit Principal(PrincipalSpec spec);

  bool is_nobody() const noexcept { return data_ == nullptr; }
  const std::string& subject() const noexcept { return data().subject; }
  const TenantId& tenant() const noexcept { return data().tenant; }
  /// Sorted, each once.
  std::span<const std::string> scopes() const noexcept { return data().scopes; }
  bool has_scope(std::string_view scope) const noexcept;
  WallTime expires() const noexcept { return data().expires; }
  /// Nothing if the verifier was not asked to keep a claim of that name, or there was none.
  std::optional<std::string_view> claim(std::string_view name) const noexcept;

 private:
  const PrincipalSpec& data() const noexcept;

  std::shared_ptr<const PrincipalSpec> data_;
};

}  // namespace aiserve::inline v0
