/// TenantId and Tenant: on whose behalf work is done, and what that tenant may use.
///
/// A Tenant is an immutable snapshot out of a TenantDirectory: a request keeps the one it began
/// with, a change in the directory shows in the next lookup. Copying costs one reference count.
/// *Thread safety:* values; distinct copies may be used from any thread.
///
///     Tenant acme({.id = TenantId("acme"), .plan = "pro", .weight = 4, .scopes = {"infer"}});
///     if (!acme.has_scope("infer")) return Error(Errc::permission_denied, "scope infer is
///     missing");
#pragma once

#include <aiserve/core/result.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {

/// Names a tenant in keys, logs and metrics. Empty means anonymous.
class TenantId {
 public:
  static constexpr std::size_t kMaxSize = 128;

  TenantId() noexcept = default;
  /// Takes the text as it is; ids from outside go through parse().
  explicit TenantId(std::string value) noexcept : value_(std::move(value)) {}
  explicit TenantId(std::string_view value) : value_(value) {}
  explicit TenantId(const char* value) : value_(value) {}

  /// 1 to 128 bytes of printable ASCII without space. Errors: invalid_argument.
  static Result<TenantId> parse(std::string_view text);

  const std::string& value() const noexcept { return value_; }
  std::string_view view() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }

  friend bool operator==(const TenantId&, const TenantId&) noexcept = default;
  friend auto operator<=>(const TenantId& a, const TenantId& b) noexcept {
    return a.value_ <=> b.value_;
  }

 private:
  std::string value_;
};

/// What a tenant may use at most; absent means no limit of its own.
struct TenantLimits {
  std::optional<double> requests_per_second{};   ///< sustained rate, > 0
  std::optional<double> burst{};                 ///< requests at once above that rate, >= 1
  std::optional<std::uint32_t> max_in_flight{};  ///< requests being served at once, >= 1
  std::optional<std::uint32_t> max_queue{};      ///< requests waiting for a model, >= 0

  friend bool operator==(const TenantLimits&, const TenantLimits&) noexcept = default;
};

/// What a Tenant is made of. For wiring time; name it before you await anything with it.
struct TenantSpec {
  TenantId id{};
  std::string plan = "default";
  /// Share of a contended resource relative to other tenants; finite, > 0.
  double weight = 1;
  TenantLimits limits{};
  /// What the tenant may do; order and repeats don't matter.
  std::vector<std::string> scopes{};
};

class Tenant {
 public:
  /// The anonymous tenant: empty id, plan "default", weight 1, no limits, no scopes.
  Tenant() noexcept = default;
  /// Throws ConfigError when a number is out of its range or the id is not printable.
  explicit Tenant(TenantSpec spec);
  /// The same without throwing. Errors: invalid_argument, naming the field.
  static Result<Tenant> make(TenantSpec spec);
  static Tenant anonymous() noexcept { return {}; }

  const TenantId& id() const noexcept { return data().id; }
  const std::string& plan() const noexcept { return data().plan; }
  double weight() const noexcept { return data().weight; }
  const TenantLimits& limits() const noexcept { return data().limits; }
  /// Sorted, each once.
  std::span<const std::string> scopes() const noexcept { return data().scopes; }
  bool has_scope(std::string_view scope) const noexcept;
  bool is_anonymous() const noexcept { return id().empty(); }
  /// The spec this tenant was made from, scopes sorted: to change one and put it back.
  const TenantSpec& spec() const noexcept { return data(); }

 private:
  explicit Tenant(std::shared_ptr<const TenantSpec> data) noexcept : data_(std::move(data)) {}
  const TenantSpec& data() const noexcept;

  std::shared_ptr<const TenantSpec> data_;
};

}  // namespace aiserve::inline v0

template <>
struct std::hash<aiserve::TenantId> {
  std::size_t operator()(const aiserve::TenantId& id) const noexcept {
    return std::hash<std::string_view>()(id.view());
  }
};
