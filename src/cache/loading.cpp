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

void Loading::add(EntryLabels& labels, char kind, const TenantId& tenant,
                  std::string_view text) const {
  labels.memory.push_back(memory_.label(tenant, kind, text));
  labels.tiers.push_back(tiers_.label(kind, tenant, text));
}

EntryLabels Loading::namespace_labels(std::string_view name) const {
  EntryLabels labels;
  add(labels, kNamespaceLabel, {}, name);
  for (std::size_t at = name.find('/');
       at != std::string_view::npos && labels.memory.size() < kMostSegments;
       at = name.find('/', at + 1)) {
    add(labels, kNamespaceLabel, {}, name.substr(0, at));
  }
  return labels;
}

void Loading::invalidate(char kind, const TenantId& tenant, std::string_view text) {
  memory_.invalidate(memory_.label(tenant, kind, text));
  tiers_.kill(tiers_.label(kind, tenant, text));
}

void Loading::invalidate_tag(const TenantId& tenant, std::string_view tag) {
  invalidate(kTagLabel, tenant, tag);
}

void Loading::invalidate_namespace(std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  invalidate(kNamespaceLabel, {}, prefix);
}

void Loading::invalidate_version(std::string_view name, std::string_view version) {
  invalidate(kVersionLabel, {}, version_text(name, version));
}

// Loads of a tenant that has nothing in memory carry this label only.
void Loading::invalidate_tenant(const TenantId& tenant) {
  memory_.invalidate_tenant(tenant);
  invalidate(kTenantLabel, tenant, {});
  tiers_.erase_tenant(tenant);
}

void Loading::invalidate_all() {
  memory_.invalidate_all();
  tiers_.kill_all();
}

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
