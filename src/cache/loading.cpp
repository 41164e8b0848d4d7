#include "cache/loading.hpp"

#include "cache/memo_core.hpp"

namespace aiserve::inline v0::detail {
namespace {

// More segments than this share the label of the last.
constexpr std::size_t kMostSegments = 8;

}  // namespace

std::shared_ptr<MemoCore> Loading::memoize(std::string name, MemoOptions options) {
  const std::scoped_lock lock(mutex_);
  for (const auto& memo : memos_) {
    if (memo->name() == name) {
      throw ConfigError("cache " + options_.name + ": '" + name + "' is memoized already");
    }
  }
  memos_.push_back(std::make_shared<MemoCore>(*this, std::move(name), std::move(options)));
  return memos_.back();
}

const DigestKey& Loading::digest_key() const noexcept {
  return options_.digest_key ? *options_.digest_key : DigestKey::of_process();
}

std::vector<CacheLabel> Loading::namespace_labels(std::string_view name) const {
  std::vector<CacheLabel> labels{memory_.label(TenantId(), kNamespaceLabel, name)};
  for (std::size_t at = name.find('/');
       at != std::string_view::npos && labels.size() < kMostSegments; at = name.find('/', at + 1)) {
    labels.push_back(memory_.label(TenantId(), kNamespaceLabel, name.substr(0, at)));
  }
  return labels;
}

CacheLabel Loading::version_label(std::string_view name, std::string_view version) const {
  const CacheKey both(name, {version});
  return memory_.label(TenantId(), kVersionLabel, both.bytes());
}

void Loading::invalidate_namespace(std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  memory_.invalidate(memory_.label(TenantId(), kNamespaceLabel, prefix));
}

void Loading::invalidate_version(std::string_view name, std::string_view version) {
  memory_.invalidate(version_label(name, version));
}

// Loads of a tenant that has nothing in memory carry this label only.
void Loading::invalidate_tenant(const TenantId& tenant) {
  memory_.invalidate_tenant(tenant);
  memory_.invalidate(memory_.label(tenant, kTenantLabel, {}));
}

void Loading::invalidate_all() { memory_.invalidate_all(); }

std::vector<std::shared_ptr<MemoCore>> Loading::memos() const {
  const std::scoped_lock lock(mutex_);
  return memos_;
}

void Loading::cancel() {
  for (const auto& memo : memos()) memo->flights().cancel_all(CancelReason::shutdown);
}

std::string Loading::busy_with() const {
  std::string busy;
  for (const auto& memo : memos()) {
    const std::size_t flights = memo->flights().size();
    if (flights == 0) continue;
    if (!busy.empty()) busy += ", ";
    busy += std::to_string(flights) + " loads of " + memo->name();
  }
  return busy;
}

}  // namespace aiserve::inline v0::detail
