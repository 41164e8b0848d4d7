/// TenantDirectory: the port that turns a TenantId into a Tenant, with a policy for the unknown.
///
/// A look-up never waits for a disk or a network: it reads a snapshot in memory. A request keeps
/// the Tenant it got; a change shows in the next look-up.
/// *Thread safety:* any thread. *Errors of find():* permission_denied for a tenant that is unknown
/// and not admitted, invalid_argument for an id that is none.
///
///     StaticTenantDirectory tenants({{.id = TenantId("acme"), .plan = "pro", .weight = 4}});
///     Result<Tenant> tenant = tenants.find(TenantId("acme"));
#pragma once

#include <aiserve/core/result.hpp>
#include <aiserve/core/tenant.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

class TenantDirectory {
 public:
  virtual ~TenantDirectory() = default;
  virtual Result<Tenant> find(const TenantId& id) const = 0;
};

/// What a tenant gets that the directory does not know, the anonymous one (empty id) included.
class UnknownTenants {
 public:
  /// Nobody gets in (the default).
  static UnknownTenants reject() noexcept { return {}; }
  /// They get this plan under their own id. Throws ConfigError when the spec is invalid.
  static UnknownTenants admit(TenantSpec plan);

  Result<Tenant> resolve(const TenantId& id) const;

 private:
  std::optional<Tenant> plan_;
};

/// A directory in code. Changes are live.
class StaticTenantDirectory final : public TenantDirectory {
 public:
  /// Throws ConfigError for an invalid spec, an empty or a duplicate id.
  explicit StaticTenantDirectory(std::vector<TenantSpec> tenants = {},
                                 UnknownTenants unknown = UnknownTenants::reject());
  ~StaticTenantDirectory() override;

  Result<Tenant> find(const TenantId& id) const override;
  /// Adds the tenant or takes the place of the one with its id. Errors: invalid_argument.
  Result<void> put(TenantSpec tenant);
  /// True if it was there.
  bool remove(const TenantId& id);
  void set_unknown(UnknownTenants unknown);
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct FileTenantDirectoryOptions {
  /// JSON, UTF-8, see FileTenantDirectory.
  std::string path{};
  /// Largest file that is read, in bytes.
  std::size_t max_size = 16u << 20;
};

/// A directory in a JSON file, reloadable while running:
///
///     {"plans":   {"free": {"requests_per_second": 5, "burst": 10},
///                  "pro":  {"weight": 4, "max_in_flight": 64, "scopes": ["infer", "train"]}},
///      "tenants": [{"id": "acme", "plan": "pro", "weight": 8}],
///      "unknown": "free"}
///
/// Members of a plan and of a tenant: weight, requests_per_second, burst, max_in_flight, max_queue,
/// scopes. A tenant takes what it does not say from its plan; the plan "default" is there without
/// being listed. "unknown" names the plan of unknown tenants; absent or null: they are rejected.
class FileTenantDirectory final : public TenantDirectory {
 public:
  /// Reads the file; throws ConfigError, one line, when it cannot be used.
  explicit FileTenantDirectory(FileTenantDirectoryOptions options);
  ~FileTenantDirectory() override;

  Result<Tenant> find(const TenantId& id) const override;
  /// Reads the file again, on this thread (it blocks). A bad file changes nothing. Errors:
  /// unavailable (not readable), too_large, malformed (no JSON), invalid_argument (what it says);
  /// the message names the place in the file, the detail its path.
  Result<void> reload();
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
