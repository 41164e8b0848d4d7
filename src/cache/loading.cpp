#include "cache/loading.hpp"

#include <algorithm>
#include <chrono>

#include "cache/memo_core.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace {

// For what is invalidated when the drain is over; real time, as that of the drain.
constexpr std::chrono::seconds kLastWords{1};

// More segments than this share the label of the last.
constexpr std::size_t kMostSegments = 8;

}  // namespace

std::shared_ptr<MemoCore> Loading::memoize(std::string name, MemoOptions options) {
  if (find_memo(name) != nullptr) {
    throw ConfigError("cache " + options_.name + ": '" + name + "' is memoized already");
  }
  const std::scoped_lock lock(mutex_);
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

void Loading::follow(EventBus& bus, std::string topic) {
  if (feed_ != nullptr) throw ConfigError("cache " + options_.name + ": follows a topic already");
  if (!options_.digest_key) {
    throw ConfigError("cache " + options_.name + ": nodes need a digest_key that they share");
  }
  InvalidationFeed::Settings settings{options_.name, std::move(topic), *options_.digest_key};
  feed_ = std::make_unique<InvalidationFeed>(runtime_, gate_, bus, std::move(settings),
                                             [this](const InvalidationNote& note) { apply(note); });
}

void Loading::invalidate(const InvalidationNote& note) {
  apply(note);
  tell(note);
}

void Loading::tell(InvalidationNote note) {
  if (feed_ != nullptr) feed_->tell(std::move(note));
}

void Loading::apply(const InvalidationNote& note) {
  switch (note.kind) {
    case kEntryNote:
    case kPartsNote:
      memory_.erase(note.tenant, KeyView(note.text, note.kind == kPartsNote));
      return;
    case kResultNote:
      if (MemoCore* memo = find_memo(note.text)) memo->erase_here(note.tenant, note.digest);
      return;
    case kTenantLabel:
      // Loads of a tenant that has nothing in memory carry this label only.
      memory_.invalidate_tenant(note.tenant);
      kill(kTenantLabel, note.tenant, {});
      return tiers_.erase_tenant(note.tenant);
    case kTagLabel:
    case kNamespaceLabel:
    case kVersionLabel:
      return kill(note.kind, note.tenant, note.text);
    default:  // kAllNote, and what only a newer node knows
      memory_.invalidate_all();
      return tiers_.kill_all();
  }
}

void Loading::kill(char kind, const TenantId& tenant, std::string_view text) {
  memory_.invalidate(memory_.label(tenant, kind, text));
  tiers_.kill(tiers_.label(kind, tenant, text));
}

void Loading::invalidate_tag(const TenantId& tenant, std::string_view tag) {
  invalidate({.kind = kTagLabel, .tenant = tenant, .text = std::string(tag)});
}

void Loading::invalidate_namespace(std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  invalidate({.kind = kNamespaceLabel, .text = std::string(prefix)});
}

void Loading::invalidate_version(std::string_view name, std::string_view version) {
  invalidate({.kind = kVersionLabel, .text = version_text(name, version)});
}

void Loading::invalidate_tenant(const TenantId& tenant) {
  invalidate({.kind = kTenantLabel, .tenant = tenant});
}

void Loading::invalidate_all() { invalidate({.kind = kAllNote}); }

bool Loading::erase(const TenantId& tenant, KeyView key) {
  const bool erased = memory_.erase(tenant, key);
  if (feed_ != nullptr) {
    tell({.kind = key.structured() ? kPartsNote : kEntryNote,
          .tenant = tenant,
          .text = std::string(key.bytes())});
  }
  return erased;
}

MemoCore* Loading::find_memo(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find_if(memos_.begin(), memos_.end(),
                                  [&](const auto& memo) { return memo->name() == name; });
  return found == memos_.end() ? nullptr : found->get();
}

void Loading::start() {
  tiers_.start();
  if (feed_ != nullptr) feed_->send();
}

void Loading::tick() {
  tiers_.tick();
  if (feed_ != nullptr) feed_->tick();
}

void Loading::leave() {
  if (feed_ != nullptr) feed_->leave();
}

std::vector<std::shared_ptr<MemoCore>> Loading::memos() const {
  const std::scoped_lock lock(mutex_);
  return memos_;
}

void Loading::cancel() {
  if (feed_ != nullptr) feed_->cancel();
  for (const auto& memo : memos()) memo->flights().cancel_all(CancelReason::shutdown);
}

void Loading::finish() {
  gate_.close_late();
  const Deadline deadline = Deadline::after(std::chrono::steady_clock::now(), kLastWords);
  const bool done = runtime_.core().wait_for([this] { return gate_.late_are_gone(); }, deadline);
  if (!done) {
    runtime_.telemetry().log().warn("what was invalidated last was not told to all",
                                    {{"cache", options_.name}});
  }
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
