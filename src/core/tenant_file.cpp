#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "core/json_guard.hpp"
#include "core/tenant_table.hpp"

namespace aiserve::inline v0::detail {
namespace {

using nlohmann::json;

// `where` may hold keys of the file: an error stays one printable line.
Error bad(const std::string& where, const std::string& why) {
  std::string message = where + " " + why;
  std::replace_if(
      message.begin(), message.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return {Errc::invalid_argument, std::move(message)};
}

Result<double> number(const json& value, const std::string& where) {
  if (!value.is_number()) return bad(where, "must be a number");
  return value.get<double>();
}

Result<std::uint32_t> count(const json& value, const std::string& where) {
  constexpr auto kMax = std::numeric_limits<std::uint32_t>::max();
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMax) {
    return bad(where, "must be a whole number from 0 to 4294967295");
  }
  return value.get<std::uint32_t>();
}

Result<std::string> text(const json& value, const std::string& where) {
  if (!value.is_string()) return bad(where, "must be a string");
  return value.get<std::string>();
}

Result<std::vector<std::string>> texts(const json& value, const std::string& where) {
  if (!value.is_array()) return bad(where, "must be an array of strings");
  std::vector<std::string> all;
  for (const json& element : value) {
    Result<std::string> one = text(element, where + "[" + std::to_string(all.size()) + "]");
    if (!one) return std::move(one).error();
    all.push_back(std::move(*one));
  }
  return all;
}

template <class T, class Target>
Result<void> assign(Result<T> value, Target& target) {
  if (!value) return std::move(value).error();
  target = std::move(*value);
  return success();
}

// A member that plans and tenants share. Unknown names are errors: a misspelled limit must not
// mean "no limit".
Result<void> read_member(const std::string& key, const json& value, const std::string& where,
                         TenantSpec& spec) {
  if (key == "weight") return assign(number(value, where), spec.weight);
  if (key == "requests_per_second") {
    return assign(number(value, where), spec.limits.requests_per_second);
  }
  if (key == "burst") return assign(number(value, where), spec.limits.burst);
  if (key == "max_in_flight") return assign(count(value, where), spec.limits.max_in_flight);
  if (key == "max_queue") return assign(count(value, where), spec.limits.max_queue);
  if (key == "scopes") return assign(texts(value, where), spec.scopes);
  return bad(where, "is not known");
}

class Reader {
 public:
  Result<TenantTable> read(const json& root) {
    if (!root.is_object()) return bad("the tenant file", "must hold an object");
    constexpr std::array<const char*, 3> kOrder{"plans", "tenants", "unknown"};
    for (const auto& [key, value] : root.items()) {
      if (std::find(kOrder.begin(), kOrder.end(), key) == kOrder.end())
        return bad(key, "is not known");
    }
    for (const char* key : kOrder) {
      const auto member = root.find(key);
      if (member == root.end()) continue;
      if (Result<void> done = read_section(key, *member); !done) return std::move(done).error();
    }
    return std::move(table_);
  }

 private:
  Result<void> read_section(const std::string& key, const json& value) {
    if (key == "plans") return read_plans(value);
    if (key == "tenants") return read_tenants(value);
    return read_unknown(value);
  }

  Result<void> read_plans(const json& plans) {
    if (!plans.is_object()) return bad("plans", "must be an object");
    for (const auto& [name, members] : plans.items()) {
      const std::string where = "plans." + name;
      TenantSpec spec{.plan = name};
      if (Result<void> read = read_members(members, where, spec); !read) return read;
      if (Result<void> valid = validate(spec, where); !valid) return valid;
      plans_.insert_or_assign(name, std::move(spec));
    }
    return success();
  }

  Result<void> read_members(const json& members, const std::string& where, TenantSpec& spec,
                            bool tenant = false) {
    if (!members.is_object()) return bad(where, "must be an object");
    for (const auto& [key, value] : members.items()) {
      if (tenant && (key == "id" || key == "plan")) continue;
      Result<void> read = read_member(key, value, where + "." + key, spec);
      if (!read) return read;
    }
    return success();
  }

  Result<void> read_tenants(const json& tenants) {
    if (!tenants.is_array()) return bad("tenants", "must be an array");
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      Result<void> read = read_tenant(tenants[i], "tenants[" + std::to_string(i) + "]");
      if (!read) return read;
    }
    return success();
  }

  Result<void> read_tenant(const json& members, const std::string& where) {
    if (!members.is_object()) return bad(where, "must be an object");
    Result<TenantSpec> plan = plan_of(members, where);
    if (!plan) return std::move(plan).error();
    TenantSpec spec = std::move(*plan);
    if (!members.contains("id")) return bad(where + ".id", "is missing");
    Result<std::string> id = text(members["id"], where + ".id");
    if (!id) return std::move(id).error();
    if (Result<TenantId> parsed = TenantId::parse(*id); !parsed) {
      return bad(where + ".id:", parsed.error().message());
    }
    spec.id = TenantId(std::move(*id));
    if (Result<void> read = read_members(members, where, spec, true); !read) return read;
    return add(std::move(spec), where);
  }

  Result<TenantSpec> plan_of(const json& tenant, const std::string& where) {
    if (!tenant.contains("plan")) return plan_named("default", where + ".plan");
    Result<std::string> name = text(tenant["plan"], where + ".plan");
    if (!name) return std::move(name).error();
    return plan_named(*name, where + ".plan");
  }

  Result<TenantSpec> plan_named(const std::string& name, const std::string& where) const {
    const auto known = plans_.find(name);
    if (known == plans_.end()) return bad(where, "names a plan that is not in plans");
    return known->second;
  }

  Result<void> add(TenantSpec spec, const std::string& where) {
    Result<Tenant> made = Tenant::make(std::move(spec));
    if (!made) return bad(where + ":", made.error().message());
    TenantId id = made->id();
    const bool fresh = table_.tenants.emplace(std::move(id), std::move(*made)).second;
    return fresh ? success() : Result<void>(bad(where + ".id", "is there twice"));
  }

  static Result<void> validate(const TenantSpec& spec, const std::string& where) {
    const Result<Tenant> made = Tenant::make(spec);
    return made ? success() : Result<void>(bad(where + ":", made.error().message()));
  }

  Result<void> read_unknown(const json& value) {
    if (value.is_null()) return success();
    Result<std::string> name = text(value, "unknown");
    if (!name) return std::move(name).error();
    Result<TenantSpec> plan = plan_named(*name, "unknown");
    if (!plan) return std::move(plan).error();
    table_.unknown = UnknownTenants::admit(std::move(*plan));
    return success();
  }

  std::unordered_map<std::string, TenantSpec> plans_{{"default", TenantSpec{}}};
  TenantTable table_;
};

}  // namespace

Result<TenantTable> parse_tenant_file(std::string_view text) {
  constexpr std::size_t kMaxDepth = 8;
  const Result<json> root = parse_json(text, {.max_depth = kMaxDepth});
  if (!root) return root.error();
  return Reader().read(*root);
}

}  // namespace aiserve::inline v0::detail
